"""What tests of several files need: an address, drafts, and the sizes of a message's parts told by hand."""

from __future__ import annotations

from harness.fuzz.drafts import Draft, Sender, built_in
from harness.fuzz.growing import PLACES

HERE = ("127.0.0.1", 54321)
TOKEN = "0123456789abcdef"
SENDER = Sender(HERE, TOKEN)


def draft_for(method: str, grow: str, sender: Sender = SENDER) -> Draft:
    """A built-in request that can grow there."""
    return built_in(method, "sip:127.0.0.1:5060", PLACES[grow].body, sender)


def split(message: bytes) -> tuple[bytes, bytes]:
    """(header block with the empty line, body)."""
    head, empty_line, body = message.partition(b"\r\n\r\n")
    assert empty_line, "a message has a header block"
    return head + empty_line, body


def content_length(message: bytes) -> int:
    """What the message says of its body."""
    (line,) = [line for line in split(message)[0].split(b"\r\n") if line.startswith(b"Content-Length:")]
    return int(line.partition(b":")[2])
