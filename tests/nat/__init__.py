"""Tests of `alg.nat`."""
