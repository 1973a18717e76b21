"""Tests of a SIP element's machinery."""
