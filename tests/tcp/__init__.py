"""Tests of `alg.tcp`."""
