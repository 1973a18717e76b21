"""Both directions of a connection, judged by the independent reference and by hand-written examples.

Strategy: whatever the segmentation, the bytes that leave are those of the judge; and whatever the bytes, none is lost.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alg.config import Malformed
from tests.helpers.feed import DIRECTIONS, IN, OUT, UNMAPPED, alg_for, one_by_one, send, through
from tests.helpers.reference import rewrite
from tests.helpers.strategies import MapList, cuts, directions, map_lists, near_sip, sip_messages, streams
from tests.helpers.vector import STATIC
from tests.helpers.vectors import VECTORS, Vector

REQUEST = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nl: 0\r\n\r\n"
REQUEST_OUT = b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nl: 0\r\n\r\n"
OFFER = b"INVITE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\nl: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n"
OFFER_OUT = b"INVITE sip:a@example.com SIP/2.0\r\nc: application/sdp\r\nl: 22\r\n\r\nc=IN IP4 64.100.0.10\r\n"
NEXT_BEGINS = b"SIP/2.0 200 OK\r\nContact: <sip:10.0.30.2>, <sip:64.100.0.10>\r\n"
"""A message that has not ended yet."""

arbitrary = st.one_of(st.binary(max_size=300), near_sip(), streams())
segmented_streams = streams().flatmap(lambda data: st.tuples(st.just(data), cuts(data)))
segmented_bytes = arbitrary.flatmap(lambda data: st.tuples(st.just(data), cuts(data)))

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)


@every_vector
def test_vector_whole(vector: Vector) -> None:
    """A message that arrives in one segment leaves as the example says."""
    assert through([vector.data], vector.maps, vector.direction) == vector.expected


@every_vector
def test_vector_byte_by_byte(vector: Vector) -> None:
    """The slowest sender gets the same result."""
    data = vector.data
    pieces = one_by_one(data) if len(data) < 5000 else [data[:3], *one_by_one(data[3:600]), data[600:-9], data[-9:]]
    assert through(pieces, vector.maps, vector.direction) == vector.expected


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if not vector.name.startswith("incomplete_")],
    ids=lambda vector: vector.name,
)
def test_vector_with_a_tail(vector: Vector) -> None:
    """The beginning of the next message in the same segment changes nothing, and is not touched itself."""
    assert through([vector.data + NEXT_BEGINS], vector.maps, vector.direction) == vector.expected + NEXT_BEGINS


@given(segmented_streams, map_lists(), directions())
def test_streams_equal_the_judge(cut: tuple[bytes, list[bytes]], maps: MapList, direction: str) -> None:
    """Whole, byte by byte or cut anywhere, streams leave as the slow, clear reference rewrites them."""
    stream, pieces = cut
    expected = rewrite(stream, maps, direction)
    assert through([stream], maps, direction) == expected
    assert through(one_by_one(stream), maps, direction) == expected
    assert through(pieces, maps, direction) == expected


@given(st.lists(st.tuples(sip_messages(), directions()), max_size=3), map_lists(), st.data())
def test_directions_do_not_influence_each_other(
    messages: list[tuple[bytes, str]], maps: MapList, data: st.DataObject
) -> None:
    """Requests one way and responses the other way, in turns, half a message at a time, are each rewritten alone."""
    connection = alg_for(maps).connection()
    left = {"out": b"", "in": b""}
    halves: list[tuple[str, bytes]] = []
    for message, way in messages:
        place = data.draw(st.integers(0, len(message)))
        halves += [(way, message[:place]), (way, message[place:])]
    order = {way: [half for other, half in halves if other == way] for way in left}
    while any(order.values()):
        way = data.draw(st.sampled_from([way for way in order if order[way]]))
        left[way] += connection.feed(DIRECTIONS[way], order[way].pop(0))
    for way, out in left.items():
        assert out == rewrite(b"".join(message for message, other in messages if other == way), maps, way)


@given(segmented_bytes, directions(), st.sampled_from([(), UNMAPPED]))
def test_identity_without_a_mapped_address(
    cut: tuple[bytes, list[bytes]], direction: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    """Where no address is mapped any bytes come out as they went in; what is not out yet is what is said to be held."""
    data, pieces = cut
    way = DIRECTIONS[direction]
    connection = alg_for(pairs).connection()
    out, fed = b"", 0
    for piece in pieces:
        out += connection.feed(way, piece)
        fed += len(piece)
        assert out == data[: len(out)]
        assert len(out) + connection.held(way) == fed
        assert connection.offsets(way) == (len(out), len(out))
    assert out + connection.close(way) == data


@given(segmented_bytes, map_lists(), directions())
def test_any_bytes_in_any_segments_leave_as_in_one(
    cut: tuple[bytes, list[bytes]], maps: MapList, direction: str
) -> None:
    """Damaged messages raise nothing, and where TCP cuts them makes no difference."""
    data, pieces = cut
    whole = through([data], maps, direction)
    assert through(pieces, maps, direction) == whole
    assert through(one_by_one(data), maps, direction) == whole


same_length = [("10.0.30.2", "10.9.8.77"), ("64.100.0.10", "192.0.2.200"), ("10.0.30.21", "10.98.7.66")]
"""Addresses of messages, mapped to others that occur in none and are as long."""
growing = [("10.0.30.2", "203.0.113.200"), ("192.0.2.123", "203.0.113.201")]
_PADDED = re.compile(rb"(?:content-length|l)[ \t]*:\s*0\d", re.IGNORECASE)


@given(segmented_streams)
def test_there_and_back_again(cut: tuple[bytes, list[bytes]]) -> None:
    """Outward and then inward through the same maps gives the original stream."""
    stream, pieces = cut
    outside = through(pieces, same_length, "out")
    assert through([outside], same_length, "in") == stream


@given(sip_messages())
def test_there_and_back_again_with_growth(message: bytes) -> None:
    """The way back also restores every Content-Length (one that was padded with zeros leaves without them)."""
    assume(_PADDED.search(message) is None)
    assert through([through([message], growing, "out")], growing, "in") == message


@given(sip_messages())
def test_held_bytes_leave_unchanged_on_close(message: bytes) -> None:
    """A sender that closes inside a message gets its bytes through as they were, and nothing a second time."""
    cut_short = message[:-1]
    connection = alg_for(STATIC).connection()
    early = connection.feed(OUT, cut_short)
    assert early + connection.close(OUT) == cut_short
    assert connection.held(OUT) == 0
    assert connection.close(OUT) == b""


def test_close_of_one_direction_leaves_the_other_alone() -> None:
    """A half-closed connection goes on in the other direction, half a message held there included."""
    connection = alg_for(STATIC).connection()
    connection.feed(IN, REQUEST_OUT[:9])
    assert connection.close(OUT) == b""
    assert connection.held(IN) == 9
    assert connection.feed(IN, REQUEST_OUT[9:]) == REQUEST


@pytest.mark.parametrize("keep_alive", [b"\r\n\r\n", b"\r\n", b"\n", b"\r", b"\r\n\r\n\r\n"])
def test_keep_alives_pass_at_once(keep_alive: bytes) -> None:
    """A ping is answered in time: it is never held, before, between or after messages."""
    connection = alg_for(STATIC).connection()
    assert connection.feed(OUT, keep_alive) == keep_alive
    assert connection.feed(OUT, OFFER + keep_alive) == OFFER_OUT + keep_alive
    assert connection.feed(OUT, keep_alive[:1]) == keep_alive[:1]
    assert connection.held(OUT) == 0
    assert connection.feed(OUT, REQUEST) == REQUEST_OUT


def test_message_leaves_with_its_last_byte() -> None:
    """Nobody waits longer than for the end of the message."""
    connection = alg_for(STATIC).connection()
    assert connection.feed(OUT, OFFER[:-1]) == b""
    assert connection.held(OUT) == len(OFFER) - 1
    assert connection.feed(OUT, OFFER[-1:]) == OFFER_OUT
    assert connection.held(OUT) == 0


def test_inside_message() -> None:
    """Whoever reads a stream can tell whether it ended inside a message, one that passes untouched included."""
    connection = alg_for(STATIC).connection()
    assert not connection.inside_message(OUT)
    connection.feed(OUT, OFFER + OFFER[:-1])
    assert connection.inside_message(OUT)
    assert not connection.inside_message(IN)
    connection.feed(OUT, OFFER[-1:] + b"\r\n")
    assert not connection.inside_message(OUT)
    connection.feed(OUT, b"MESSAGE sip:a SIP/2.0\r\nl: 99999999\r\n\r\nx")
    assert connection.inside_message(OUT)
    assert connection.held(OUT) == 0


def test_bytes_that_cannot_become_sip_are_not_held() -> None:
    """TLS on a SIP port is passed on with its first byte, so the handshake does not hang."""
    connection = alg_for(STATIC).connection()
    assert connection.feed(OUT, b"\x16") == b"\x16"
    assert connection.feed(OUT, b"\x03\x01" + REQUEST) == b"\x03\x01" + REQUEST
    assert connection.feed(IN, REQUEST_OUT) == REQUEST


@pytest.mark.parametrize(
    ("sip_ports", "ports", "looked_into"),
    [
        (frozenset({5060}), None, True),
        (frozenset({5060}), frozenset({40000, 5060}), True),
        (frozenset({5060}), frozenset({5060, 40000}), True),
        (frozenset({5060}), frozenset({40000, 8000}), False),
        (frozenset({5060, 8000}), frozenset({40000, 8000}), True),
        (frozenset(), frozenset({5060}), False),
    ],
)
def test_only_sip_ports_are_looked_into(
    sip_ports: frozenset[int], ports: frozenset[int] | None, looked_into: bool
) -> None:
    """A message on any other port passes untouched, both ways."""
    connection = alg_for(STATIC, sip_ports=sip_ports).connection(ports)
    assert connection.feed(OUT, REQUEST) == (REQUEST_OUT if looked_into else REQUEST)
    assert connection.feed(IN, REQUEST_OUT) == (REQUEST if looked_into else REQUEST_OUT)


@given(segmented_bytes, directions())
def test_without_l4f_bytes_pass_at_once(cut: tuple[bytes, list[bytes]], direction: str) -> None:
    """With L4F off SIP over TCP is plain TCP: each segment passes at once and untouched."""
    connection = alg_for(STATIC, l4f=False).connection()
    for piece in cut[1]:
        assert connection.feed(DIRECTIONS[direction], piece) == piece


def test_close_on_malformed() -> None:
    """Where the configuration says so, the connection is cut after the bytes before the fault, and says why."""
    connection = alg_for(STATIC, malformed=Malformed.CLOSE).connection()
    assert connection.feed(OUT, REQUEST + b"INVITE sip:10.0.30.2 SIP/2.0\r\nl: x\r\n\r\n" + REQUEST) == REQUEST_OUT
    assert connection.must_close == "Content-Length is no number (offset 30)"
    assert connection.feed(OUT, REQUEST) == b""
    assert connection.close(OUT) == b""
    assert connection.offsets(OUT) == (len(REQUEST), len(REQUEST_OUT))


def test_close_on_malformed_keeps_what_is_well_formed() -> None:
    """A connection that is to be cut on malformed bytes is not cut without them."""
    connection = alg_for(STATIC, malformed=Malformed.CLOSE).connection()
    assert send(connection, OUT, [b"\r\n\r\n" + OFFER + b"\r\n" + REQUEST[:-1]]) == (
        b"\r\n\r\n" + OFFER_OUT + b"\r\n" + REQUEST[:-1]
    )
    assert connection.must_close is None


@given(st.lists(sip_messages(), min_size=1, max_size=3), map_lists(), directions())
def test_connections_share_an_alg_without_trace(messages: list[bytes], maps: MapList, direction: str) -> None:
    """What the ALG remembers from one call never makes another one wrong."""
    shared = alg_for(maps)
    for message in messages:
        alone = through([message], maps, direction)
        assert send(shared.connection(), DIRECTIONS[direction], [message]) == alone
