"""Tests of `alg.profiles`."""
