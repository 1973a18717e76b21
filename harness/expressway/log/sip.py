"""network.sip: each SIP message twice, as one INFO line that sums it up and as a DEBUG line with all of it.

Both carry the same Msg-Hash, which here depends on the bytes of the message and on nothing else. The message follows
` SIPMSG:` with a space in front of each line, between `|` and a line ` |`.
"""

from __future__ import annotations

import hashlib
import re

from alg.sip.message import field_value, summarise
from harness.expressway.log.entry import Address, Dialect, Entry, Part

_ADDRESS = re.compile(r"<([^<>]*)>")
_TAG = re.compile(r";\s*tag\s*=\s*([^;\s>]*)", re.IGNORECASE)
_LINE_BREAK = re.compile(r"[\r\n]+")
"""What bytes that are no SIP may have where one word is looked for."""
_REMOTE = re.compile(r";\s*remote\s*=\s*([^;\s]*)", re.IGNORECASE)


def received_message(local: Address, source: Address, message: bytes, dialect: Dialect) -> tuple[Entry, Entry]:
    """The lines of a message that came in."""
    return _lines("Received", "Receive", local, ("Src", source), message, dialect)


def sent_message(local: Address, destination: Address, message: bytes, dialect: Dialect) -> tuple[Entry, Entry]:
    """The lines of a message that went out."""
    return _lines("Sent", "Sending", local, ("Dst", destination), message, dialect)


def message_hash(message: bytes) -> int:
    """The Msg-Hash of a message: 64 bits."""
    return int.from_bytes(hashlib.blake2b(message, digest_size=8).digest())


def message_block(message: bytes) -> str:
    """A message as the DEBUG line quotes it; bytes that are no UTF-8 appear as escapes."""
    text = message.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    ended = text if text.endswith("\n") else text + "\n"
    return "\n SIPMSG:\n |" + ended.replace("\n", "\n ") + "|"


def message_detail(verb: str, message: bytes, dialect: Dialect) -> str:
    """A message in one line. A REGISTER, as a response, is told by its To instead of its Request-URI."""
    summary = summarise(message)
    number, _, method = summary.cseq.partition(" ")
    target, to_tag = _name_addr(message, b"to", b"t")
    _, from_tag = _name_addr(message, b"from", b"f")
    if summary.method is not None:
        head = f"{verb} Request Method={summary.method}, CSeq={number}"
        if summary.method == "REGISTER":
            head += f", To={target}"
        else:
            head += f", Request-URI={_text(message.partition(b' ')[2].partition(b' ')[0])}"
    else:
        head = f"{verb} Response Code={summary.status}, Method={method}, CSeq={number}, To={target}"
    detail = f"{head}, Call-ID={summary.call_id}, From-Tag={from_tag}, To-Tag={to_tag}"
    detail += f", Msg-Hash={message_hash(message)}"
    if dialect.session_ids:
        session = _text(field_value(message, b"session-id") or b"")
        remote = _REMOTE.search(session)
        detail += f", Local-SessionID={session.partition(';')[0]}, Remote-SessionID={remote[1] if remote else ''}"
    return _LINE_BREAK.sub(" ", detail)


def _lines(
    action: str, verb: str, local: Address, peer: tuple[str, Address], message: bytes, dialect: Dialect
) -> tuple[Entry, Entry]:
    side, (host, port) = peer
    head: tuple[Part, ...] = (
        ("Action", action),
        ("Local-ip", local[0]),
        ("Local-port", local[1]),
        (f"{side}-ip", host),
        (f"{side}-port", port),
    )
    return (
        Entry("network.sip", "INFO", (*head, ("Detail", message_detail(verb, message, dialect)))),
        Entry("network.sip", "DEBUG", (*head, ("Msg-Hash", message_hash(message))), block=message_block(message)),
    )


def _name_addr(message: bytes, *names: bytes) -> tuple[str, str]:
    """The URI and the tag of From or To; empty for what is missing."""
    value = _text(field_value(message, *names) or b"")
    address = _ADDRESS.search(value)
    tag = _TAG.search(value, address.end() if address else 0)
    return address[1] if address else value.partition(";")[0].strip(), tag[1] if tag else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
