"""Tests of `alg.tls`."""
