"""Benchmarks: figures that are compared within one run on one machine, never with a clock on another."""
