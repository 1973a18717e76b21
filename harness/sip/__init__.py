"""A SIP element."""
