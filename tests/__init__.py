"""Tests of sipalg; they mirror the tree."""
