"""Failures of the field, each to be seen with its evidence and again with its cure; `registry` has all of them."""
