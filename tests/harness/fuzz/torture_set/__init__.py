"""Tests of the torture set."""
