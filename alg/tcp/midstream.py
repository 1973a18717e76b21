"""Where a connection that was first seen in mid-stream can be taken up.

Strategy: its bytes pass untouched until a segment begins with a whole SIP header block, as `MessageFramer` asks of an
unsynchronised stream, where nothing that we never saw can be under way. That is so if the latest that the sender has
shown of itself ends there, with data or without (RFC 9293 3.10.7.4), and the receiver has acknowledged exactly that
much, without SACK blocks for anything beyond. What the sender repeats of before passes as it did the first time.
"""

from __future__ import annotations

from alg.sip import grammar


def begins_message(data: bytes) -> bool:
    """Whether a start line stands here, and the end of its header block behind it (RFC 3261 7)."""
    return grammar.START_LINE.match(data) is not None and b"\r\n\r\n" in data
