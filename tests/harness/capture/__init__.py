"""Captures: what we write and read against the specifications, and against Wireshark's own tools."""
