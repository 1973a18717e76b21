"""Recipes, certificates and files of the test PKI."""
