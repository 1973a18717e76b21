"""One session description: addresses, and the ports that move with them."""

from __future__ import annotations

import pytest
from netaddr import IPAddress

from alg.config import NatConfig
from alg.direction import Direction
from alg.nat.table import NatTable
from alg.profiles import COMPLETE
from alg.rewrite import apply_edits
from alg.sdp.session import SdpTranslator
from tests.helpers.feed import IN, OUT, config_for
from tests.helpers.vector import MEDIA, STATIC

BOTH = (*STATIC, *MEDIA)


def translated(body: bytes, table: NatTable, direction: Direction = OUT) -> bytes:
    """The session description after translation, as the body of a message."""
    data = b"INVITE sip:a SIP/2.0\r\n\r\n" + body
    start = len(data) - len(body)
    translator = SdpTranslator(table, None, COMPLETE)
    edits = translator.edits(data, start, len(data), table.find[direction](data), direction)
    return apply_edits(data, sorted(edits))[start:]


def mapped(body: bytes, pairs: tuple[tuple[str, str], ...], direction: Direction = OUT) -> bytes:
    """The session description after static maps."""
    return translated(body, NatTable(config_for(pairs).nat), direction)


def pool() -> NatTable:
    """A table with one pool address and nothing else."""
    return NatTable(NatConfig(pool=(IPAddress("64.100.0.10"),)))


def moved(body: bytes) -> bytes:
    """The body with the mapped addresses replaced wherever they stand."""
    return body.replace(b"10.0.30.2", b"64.100.0.10")


@pytest.mark.parametrize(
    "body",
    [
        b"v=0\r\no=- 1 2 IN IP4 10.0.30.2\r\ns=-\r\nc=IN IP4 10.0.30.2\r\nt=0 0\r\nm=audio 5008 RTP/AVP 0\r\n",
        b"c=IN IP4 10.0.30.2/127\nm=audio 5008 RTP/AVP 0\na=rtcp:5009 IN IP4 10.0.30.2",
        b"m=audio 5008 RTP/AVP 0\r\nc=IN IP4 10.0.30.2\r\n"
        b"a=candidate:1 1 UDP 1 10.0.30.2 5008 typ host raddr 10.0.30.2\r\n",
        b"c=IN IP4 10.0.30.2\r\nm=audio 5008/2 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n",
    ],
)
@pytest.mark.parametrize("pairs", [STATIC, BOTH], ids=["addresses only", "with port maps"])
def test_addresses(body: bytes, pairs: tuple[tuple[str, str], ...]) -> None:
    """Every address that is mapped moves and every port stays, whether or not other ports have maps."""
    assert mapped(body, pairs) == moved(body)
    assert mapped(moved(body), pairs, IN) == body


def test_same_description_whether_or_not_ports_have_maps() -> None:
    """A second `o=` line is treated as the first, whatever else is mapped."""
    body = b"o=- 1 2 IN IP4 10.0.30.2\r\no=- 1 3 IN IP4 10.0.30.2\r\n"
    assert mapped(body, STATIC) == mapped(body, BOTH)


def test_connection_follows_when_all_media_agree() -> None:
    """Two media lines that go to one outside address take the session's connection line along."""
    body = b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\nm=video 5005 RTP/AVP 31\r\n"
    assert mapped(body, MEDIA) == b"c=IN IP4 64.100.0.10\r\nm=audio 6004 RTP/AVP 0\r\nm=video 6005 RTP/AVP 31\r\n"


def test_nothing_moves_when_media_disagree() -> None:
    """One connection line cannot say two addresses: a call half moved would be worse than one that is not."""
    body = b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\nm=video 5006 RTP/AVP 31\r\na=rtcp:5005\r\n"
    elsewhere = (("10.0.30.2:5004", "64.100.0.10:6004"), ("10.0.30.2:5006", "64.100.0.11:6006"))
    assert mapped(body, MEDIA) == body
    assert mapped(body, elsewhere) == body


def test_media_level_connections_are_independent() -> None:
    """Each media line with a connection line of its own moves by itself."""
    body = b"m=audio 5004 RTP/AVP 0\r\nc=IN IP4 10.0.30.2\r\nm=video 5006 RTP/AVP 31\r\nc=IN IP4 10.0.30.2\r\n"
    assert mapped(body, MEDIA) == (
        b"m=audio 6004 RTP/AVP 0\r\nc=IN IP4 64.100.0.10\r\nm=video 5006 RTP/AVP 31\r\nc=IN IP4 10.0.30.2\r\n"
    )


def test_rtcp_follows_its_media() -> None:
    """`a=rtcp` with and without an address goes where its own port is mapped, and stays where the media stays."""
    body = b"c=IN IP4 %s\r\nm=audio %d RTP/AVP 0\r\na=rtcp:%d\r\na=rtcp:%d IN IP4 %s\r\n"
    inside = body % (b"10.0.30.2", 5004, 5005, 5005, b"10.0.30.2")
    assert mapped(inside, MEDIA) == body % (b"64.100.0.10", 6004, 6005, 6005, b"64.100.0.10")
    stays = b"c=IN IP4 10.0.30.2\r\nm=audio 5008 RTP/AVP 0\r\na=rtcp:5005\r\n"
    assert mapped(stays, MEDIA) == stays


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"c=IN IP4 0.0.0.0",
            b"c=IN IP4 224.2.1.1/127",
            b"c=IN IP6 ::ffff:10.0.30.2",
            b"c=IN IP6 10.0.30.2",
            b"c=IN IP4 10.0.30.2.example.com",
        ),
        *(b"o=- 1 2 IN IP6 ::1", b"a=rtcp:65536 IN IP4 10.0.30.2", b"a=candidate:1 1 UDP 1 10.0.30.2 65536 typ host"),
        *(b"c=IN IP4 110.0.30.2", b"c=IN IP4 10.0.30.21", b"s=c=IN IP4 10.0.30.2", b"a=sendrecv 10.0.30.2"),
    ],
)
@pytest.mark.parametrize("pairs", [STATIC, BOTH, MEDIA])
def test_line_that_stays(line: bytes, pairs: tuple[tuple[str, str], ...]) -> None:
    """Held media, multicast, IPv6, names, malformed ports and other lines are never touched."""
    body = b"v=0\r\n" + line + b"\r\nm=audio 5004 RTP/AVP 0\r\n"
    assert mapped(body, pairs) == body


def test_ports_keep_their_spelling_where_they_stay() -> None:
    """A port with a leading zero that maps to itself stays as it is written."""
    body = b"c=IN IP4 10.0.30.2\r\nm=audio 05004 RTP/AVP 0\r\n"
    assert mapped(body, (("10.0.30.2:5004", "64.100.0.10:5004"),)) == moved(body)


def test_pool_binds_media() -> None:
    """A pool gives each media endpoint a port of its own, the same one where it is free, even for RTP."""
    table = pool()
    body = b"c=IN IP4 %s\r\nm=audio 5004 RTP/AVP 0\r\n"
    assert translated(body % b"10.0.30.2", table) == body % b"64.100.0.10"
    assert translated(body % b"10.0.30.3", table) == b"c=IN IP4 64.100.0.10\r\nm=audio 5006 RTP/AVP 0\r\n"
    assert translated(b"c=IN IP4 64.100.0.10\r\nm=audio 5006 RTP/AVP 0\r\n", table, IN) == body % b"10.0.30.3"
    unknown = b"c=IN IP4 64.100.0.10\r\nm=audio 7000 RTP/AVP 0\r\n"
    assert translated(unknown, table, IN) == unknown


def test_pool_leaves_refused_and_held_media_alone() -> None:
    """Port 0 stays 0, and 0.0.0.0 is no inside address."""
    table = pool()
    assert (
        translated(b"c=IN IP4 10.0.30.2\r\nm=audio 0 RTP/AVP 0\r\n", table)
        == b"c=IN IP4 64.100.0.10\r\nm=audio 0 RTP/AVP 0\r\n"
    )
    held = b"c=IN IP4 0.0.0.0\r\nm=audio 5004 RTP/AVP 0\r\n"
    assert translated(held, table) == held
    assert len(table.bindings) == 0
