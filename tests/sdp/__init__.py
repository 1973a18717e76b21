"""Tests of `alg.sdp`."""
