"""Tests of Mobile and Remote Access through a firewall that reflects."""
