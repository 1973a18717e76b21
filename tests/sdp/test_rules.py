"""The table of SDP lines, row by row."""

from __future__ import annotations

import re

import pytest

from alg.sdp.rules import RELATED_ADDRESS, SDP_LINE, SDP_RULES


def groups(line: bytes) -> dict[str, bytes] | None:
    """What may change in a line, by its group; None if no row matches."""
    match = SDP_LINE.match(b"\n" + line)
    return None if match is None else {name: value for name, value in match.groupdict().items() if value is not None}


def test_table_is_complete() -> None:
    """Exactly the documented lines are rewritten, each row naming where the line is defined."""
    assert [rule.name for rule in SDP_RULES] == ["o=", "c=", "m=", "a=rtcp", "a=candidate"]
    assert all(re.match(r"RFC \d{4} ", rule.source) for rule in SDP_RULES)


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n"])
@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"o=- 1 2 IN IP4 10.0.30.2", {"o_address": b"10.0.30.2"}),
        (b"o=10.0.30.2 10.0.30.2 10.0.30.2 IN IP4 10.0.30.2", {"o_address": b"10.0.30.2"}),
        (b"c=IN IP4 10.0.30.2", {"c_address": b"10.0.30.2"}),
        (b"c=IN IP4 224.2.1.1/127/3", {"c_address": b"224.2.1.1"}),
        (b"c=IN IP6 ::1", {}),
        (b"c=IN IP6 10.0.30.2", {}),
        (b"c=IN IP4 host.example.com", {}),
        (b"m=audio 5004 RTP/AVP 0", {"m_port": b"5004", "m_protocol": b"RTP/AVP"}),
        (b"m=audio 5004/2 RTP/AVP 0", {"m_port": b"5004", "m_count": b"/2", "m_protocol": b"RTP/AVP"}),
        (b"m=audio x RTP/AVP 0", {}),
        (b"a=rtcp:5005", {"r_port": b"5005"}),
        (b"a=rtcp:5005 IN IP4 10.0.30.2", {"r_port": b"5005", "r_address": b"10.0.30.2"}),
        (
            b"a=candidate:1 1 UDP 2130706431 10.0.30.2 5004 typ host",
            {"k_address": b"10.0.30.2", "k_port": b"5004", "k_extensions": b" typ host"},
        ),
        (b"a=candidate:1 1 UDP 1 host 5004 typ relay", {"k_port": b"5004", "k_extensions": b" typ relay"}),
    ],
)
def test_line(line: bytes, found: dict[str, bytes], end: bytes) -> None:
    """Of each line just the address and the port may change, whatever ends the line."""
    assert groups(line + end) == found


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"s=10.0.30.2",
            b"i=c=IN IP4 10.0.30.2",
            b"O=- 1 2 IN IP4 10.0.30.2",
            b"C=IN IP4 10.0.30.2",
            b" c=IN IP4 10.0.30.2",
        ),
        *(
            b"o=- 1 2 IN IP4 10.0.30.2 x",
            b"o=-  1 2 IN IP4 10.0.30.2",
            b"o=- 1 IN IP4 10.0.30.2",
            b"o=- 1 2 IN IP6 ::1",
        ),
        *(
            b"a=rtcp:x",
            b"a=rtcp:5005 IN IP4 10.0.30.2 x",
            b"a=rtcp:123456",
            b"a=rtcp-fb:1 nack",
            b"a=rtcp :5005",
            b"a=rtcp:5005 IN IP6 ::1",
        ),
        *(
            b"a=candidate:1 1 UDP 1 10.0.30.2 x typ host",
            b"a=candidate:1 1 UDP 1 10.0.30.2 5004 host",
            b"a=remote-candidates:1 10.0.30.2 5",
        ),
        *(b"a=crypto:1 x inline:10.0.30.2", b"a=source-filter: incl IN IP4 10.0.30.2 10.0.30.2"),
    ],
)
def test_line_that_stays(line: bytes) -> None:
    """What is not written exactly as the RFC has it is never touched."""
    assert groups(line + b"\r\n") is None


@pytest.mark.parametrize(
    ("extensions", "address", "port"),
    [
        (b" typ srflx raddr 10.0.30.2 rport 5004", b"10.0.30.2", b"5004"),
        (b" typ srflx raddr 10.0.30.2", b"10.0.30.2", None),
        (b" typ relay tcptype active raddr 10.0.30.2 rport 9 generation 0", b"10.0.30.2", b"9"),
        (b" typ host x 10.0.30.2 raddr 10.0.30.3 y z", b"10.0.30.3", None),
    ],
)
def test_related_address(extensions: bytes, address: bytes, port: bytes | None) -> None:
    """A candidate's base address is found among its extensions."""
    match = RELATED_ADDRESS.match(extensions)
    assert match is not None
    assert (match["address"], match["port"]) == (address, port)


@pytest.mark.parametrize(
    "extensions",
    [
        b" typ host",
        b" typ host raddr host rport 1",
        b" typ host RADDR 10.0.30.2",
        b" typ host x raddr 10.0.30.2",
        b" typ host raddr 10.0.30.2x",
    ],
)
def test_no_related_address(extensions: bytes) -> None:
    """A value that reads like the name, or an address that is none, is not taken for it."""
    assert RELATED_ADDRESS.match(extensions) is None
