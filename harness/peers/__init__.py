"""Expressway and Webex as endpoints, each as wrong as its settings make it."""
