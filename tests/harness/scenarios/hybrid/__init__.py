"""Tests of hybrid calls."""
