"""Where a connection that was first seen in mid-stream can be taken up.

Strategy: its bytes pass untouched until two things hold. The sender is quiet: it has shown its next sequence number
in a segment without data (RFC 9293 3.10.7.4), and the receiver has acknowledged exactly that much, so nothing that we
never saw is under way. And its next segment begins with a whole SIP header block, as `MessageFramer` asks of an
unsynchronised stream.
"""

from __future__ import annotations

from alg.sip import grammar


def begins_message(data: bytes) -> bool:
    """Whether a start line stands here, and the end of its header block behind it (RFC 3261 7)."""
    return grammar.START_LINE.match(data) is not None and b"\r\n\r\n" in data
