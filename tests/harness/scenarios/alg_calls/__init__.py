"""Tests of the calls that scenarios place."""
