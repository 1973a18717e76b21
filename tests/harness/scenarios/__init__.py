"""Tests of the scenarios: what they are, and each of them as it runs."""
