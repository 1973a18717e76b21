"""Tests of the Expressway: its dial plan, and its log."""
