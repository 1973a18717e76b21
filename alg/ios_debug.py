"""The text of IOS's `debug ip nat sip`, as a sink of records (FACTS.md section 1, seed 004).

What the document shows is printed in its words and order: for a message of H + B bytes the `NAT-ALG` block, then one
`register:0 door_created:0` per header field looked into, then the body. Deduced, since the document shows one INVITE
only: `register:1` for REGISTER, and a response being named by its status code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alg.sdp.multipart import sdp_bodies
from alg.sdp.rules import SDP_LINE
from alg.sip.message import header_fields
from alg.trace import AnyRecord, MessageRecord

_LOOKED_INTO = frozenset({b"via", b"v", b"from", b"f", b"to", b"t"})
_CONTACT = frozenset({b"contact", b"m"})


class IosDebug:
    """Prints what IOS would, a line per call of `write`."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def __call__(self, record: AnyRecord) -> None:
        """Print the lines of one message; other records have none."""
        if isinstance(record, MessageRecord):
            for line in debug_lines(record):
                self._write(line)


def debug_lines(record: MessageRecord) -> Iterator[str]:
    """The lines for one message, without time stamps."""
    size = len(record.before)
    yield "NAT-L4F:setting ALG_NEEDED flag in subblock for SIP message"
    yield f"NAT-ALG: lookup=0 l7_bytes_recd={size} appl_type=7"
    yield f"NAT-ALG: Complete SIP Message header of size: {record.header_size}"
    yield f"NAT-ALG: Message body length: {size - record.header_size}"
    yield f"NAT-ALG: Total SIP message length: {size}"
    yield "NAT-ALG: after state machine:"
    yield f"NAT-ALG: l7_bytes_recd={size}"
    yield "NAT-ALG: remaining_hdr_sz=0"
    yield "NAT-ALG: remaining_payl_sz=0"
    yield "NAT-ALG: tcp_alg_state=0"
    yield f"NAT-ALG: complete_msg_len={size}"
    yield "NAT-SIP-TCP: Number of SIP messages received: 1"
    yield f"NAT: SIP: [0] processing {record.summary.title} message"
    yield from _header_lines(record)
    if size > record.header_size:
        yield "NAT: SIP: [0] message body found"
        yield from _body_lines(record)
    yield f"l4f_send returns {len(record.after)} bytes"
    yield "Complete buffer written to proxy"


def _header_lines(record: MessageRecord) -> Iterator[str]:
    """One block per place looked into: the Request-URI, Via, From, To, Contact, and whatever else was translated."""
    data = record.before
    register = f"NAT: SIP: [0] register:{int(record.summary.method == 'REGISTER')} door_created:0"
    start_line = data.find(b"\r\n")
    if record.summary.method is not None:
        yield from _translations(record, 0, start_line)
        yield register
    for entry in header_fields(data):
        lines = list(_translations(record, entry.value, entry.stop))
        if entry.name.lower() in _CONTACT:
            yield "NAT: SIP: Contact header found"
            yield "NAT: SIP: Trying to find expires parameter"
        elif not lines and entry.name.lower() not in _LOOKED_INTO:
            continue
        yield from lines
        yield register


def _translations(record: MessageRecord, start: int, stop: int) -> Iterator[str]:
    for rewrite in record.rewrites:
        if start <= rewrite.span[0] < stop and b"." in rewrite.before:
            yield f"NAT: SIP: [0] translated embedded address {_text(rewrite.before)}->{_text(rewrite.after)}"


def _body_lines(record: MessageRecord) -> Iterator[str]:
    """For each session description: its media lines, those whose address or port changed, its lengths."""
    for body in sdp_bodies(record.framed):
        start = body.start + _growth(record, 0, body.start)
        stop = start + body.stop - body.start + _growth(record, body.start, body.stop)
        before = _media(record.before, body.start, body.stop)
        after = _media(record.after, start, stop)
        yield f"NAT: SIP: Media Lines present:{len(before)}"
        for (scope, *here), (_, *there) in zip(before, after, strict=True):
            if here != there:
                yield f"NAT: SIP: Translated {scope}m=({here[0]}, {here[1]}) -> ({there[0]}, {there[1]})"
        yield f"NAT: SIP: old_sdp_len:{body.stop - body.start} new_sdp_len:{stop - start}"


def _growth(record: MessageRecord, start: int, stop: int) -> int:
    inside = (rewrite for rewrite in record.rewrites if start <= rewrite.span[0] and rewrite.span[1] <= stop)
    return sum(len(rewrite.after) - len(rewrite.before) for rewrite in inside)


def _media(data: bytes, start: int, stop: int) -> list[tuple[str, str, str]]:
    """("global " or "" for a connection address of its own, address, port) of each media line."""
    session = ""
    found: list[tuple[str, str, str]] = []
    for line in SDP_LINE.finditer(data, start - 1, stop):
        if line["m_port"] is not None:
            found.append(("global ", session, _text(line["m_port"])))
        elif line["c_address"] is not None and found:
            found[-1] = ("", _text(line["c_address"]), found[-1][2])
        elif line["c_address"] is not None:
            session = _text(line["c_address"])
    return found


def _text(value: bytes) -> str:
    return value.decode("ascii")
