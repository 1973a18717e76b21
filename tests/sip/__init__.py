"""Tests of `alg.sip`."""
