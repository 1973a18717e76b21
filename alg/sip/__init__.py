"""SIP messages as spans of bytes (RFC 3261); nothing is ever serialised again."""
