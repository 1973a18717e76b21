"""Tests of what spoils messages."""
