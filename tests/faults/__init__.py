"""Tests of deliberate defects: what leaves, next to what a right ALG sends."""
