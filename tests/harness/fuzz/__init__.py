"""Tests of the size and segmentation probes."""
