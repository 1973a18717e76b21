"""Tests of the lines that go to a log."""
