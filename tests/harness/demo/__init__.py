"""Tests of `harness.demo`."""
