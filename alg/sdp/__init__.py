"""Session descriptions (RFC 8866) as spans of bytes, alone or as parts of a multipart body."""
