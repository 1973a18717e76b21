"""What a listener hears of a connection: records that account for every changed byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import Limits
from alg.trace import MessageRecord
from tests.helpers.feed import DIRECTIONS, OUT, Listener, alg_for, one_by_one, send
from tests.helpers.strategies import MapList, cuts, directions, map_lists, near_sip, streams
from tests.helpers.vector import MEDIA, STATIC, in_offer

REQUEST = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nl: 0\r\n\r\n"
REQUEST_OUT = b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nl: 0\r\n\r\n"

any_stream = st.one_of(streams(), streams(), near_sip())
segmented = any_stream.flatmap(lambda data: st.tuples(st.just(data), cuts(data)))


def applied(record: MessageRecord) -> bytes:
    """The message after its rewrites, done from the last to the first so that offsets stay right."""
    data = bytearray(record.before)
    for rewrite in reversed(record.rewrites):
        data[slice(*rewrite.span)] = rewrite.after
    return bytes(data)


def heard(stream: bytes, **settings: object) -> Listener:
    """What is heard of a stream that arrives whole and ends."""
    listener = Listener()
    send(alg_for(STATIC, **settings).connection(sink=listener), OUT, [stream])
    return listener


@given(segmented, map_lists(), directions())
def test_records_account_for_every_byte(cut: tuple[bytes, list[bytes]], maps: MapList, direction: str) -> None:
    """Whoever applies the listed rewrites to the stream that came gets the stream that left, each in its place."""
    stream, pieces = cut
    way = DIRECTIONS[direction]
    listener = Listener()
    connection = alg_for(maps).connection(sink=listener, keep_deltas=True)
    silent = alg_for(maps).connection()
    out = b""
    for piece in pieces:
        left = connection.feed(way, piece)
        assert left == silent.feed(way, piece), "listening changes nothing"
        out += left
    out += connection.close(way)
    grown = 0
    for record in listener.messages:
        check_rewrites(record)
        assert record.direction is way
        assert record.offset_out - record.offset_in == grown
        assert stream[record.offset_in :].startswith(record.before)
        assert out[record.offset_out :].startswith(record.after)
        assert connection.deltas(way).outgoing(record.offset_in) == record.offset_out
        grown += record.growth
    assert connection.deltas(way).growth == grown
    assert connection.deltas(way.opposite).growth == 0
    assert connection.offsets(way) == (len(stream), len(stream) + grown) == (len(stream), len(out))


def check_rewrites(record: MessageRecord) -> None:
    """Spans are in order and name the bytes that stood there; together they make the message that left."""
    end = 0
    for rewrite in record.rewrites:
        start, stop = rewrite.span
        assert end <= start <= stop
        assert record.before[start:stop] == rewrite.before != rewrite.after
        end = stop
    assert applied(record) == record.after
    assert record.growth == len(record.after) - len(record.before)


@given(segmented, directions())
def test_stretches_of_a_stream_are_in_order(cut: tuple[bytes, list[bytes]], direction: str) -> None:
    """Every hold and bypass says which bytes of the stream it is about, and why."""
    stream, pieces = cut
    listener = Listener()
    send(alg_for().connection(sink=listener), DIRECTIONS[direction], pieces)
    last = 0
    for rule, (start, stop), reason in listener.noted():
        assert rule in ("hold", "passthrough")
        assert last <= start < stop <= len(stream)
        assert reason
        last = start


def test_every_rewrite_is_named_and_explained() -> None:
    """The log of a call says by its rule's name what changed, from what to what, and why."""
    before = in_offer(
        b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\nc=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\n"
        b"a=rtcp:5005 IN IP4 10.0.30.2\r\n"
    ).replace(b"\r\n", b"\r\nVia: SIP/2.0/TCP 10.0.30.2:5004;rport=5004\r\nContact: <sip:10.0.30.2>\r\n", 1)
    listener = Listener()
    alg_for((*MEDIA, ("10.0.30.2:5060", "64.100.0.10:5080"))).connection(sink=listener).feed(OUT, before)
    (record,) = listener.messages
    check_rewrites(record)
    assert [(entry.rule, entry.before, entry.after, entry.reason) for entry in record.rewrites] == [
        ("Via", b"10.0.30.2", b"64.100.0.10", "address is mapped"),
        ("Via port", b"5004", b"6004", "port is mapped"),
        ("Via rport", b"5004", b"6004", "port is mapped"),
        ("Contact", b"10.0.30.2", b"64.100.0.10", "address is mapped"),
        ("Contact port", b"", b":5080", "port is mapped"),
        ("Content-Length", b"105", b"109", "body changed its length"),
        ("SDP c=", b"10.0.30.2", b"64.100.0.10", "address is mapped"),
        ("SDP m=", b"5004", b"6004", "port is mapped"),
        ("SDP a=rtcp", b"5005", b"6005", "port is mapped"),
        ("SDP a=rtcp", b"10.0.30.2", b"64.100.0.10", "address is mapped"),
    ]


def test_untouched_message_has_a_record_too() -> None:
    """A message without a mapped address is listed, with no rewrite."""
    (record,) = heard(b"SIP/2.0 200 OK\r\ni: a\r\nCSeq: 1\r\n BYE\r\n\r\n").messages
    assert record.rewrites == ()
    assert record.before == record.after
    assert (record.summary.status, record.summary.call_id, record.summary.cseq) == (200, "a", "1 BYE")


def test_header_size_ends_with_the_empty_line() -> None:
    """Header and body sizes add up to the message."""
    (record,) = heard(in_offer(b"c=IN IP4 10.0.30.2\r\n")).messages
    assert record.before[: record.header_size].endswith(b"\r\n\r\n")
    assert record.before[record.header_size :] == b"c=IN IP4 10.0.30.2\r\n"


def test_hold_says_what_is_held() -> None:
    """A message that waits for its rest is reported with its place in the stream, once per segment that waits."""
    listener = Listener()
    connection = alg_for(STATIC).connection(sink=listener)
    connection.feed(OUT, REQUEST + REQUEST[:10])
    connection.feed(OUT, REQUEST[10:12])
    connection.feed(OUT, REQUEST[12:])
    start = len(REQUEST)
    assert listener.noted() == [
        ("hold", (start, start + 10), "10 bytes wait for the rest of their message"),
        ("hold", (start, start + 12), "12 bytes wait for the rest of their message"),
    ]


def test_end_inside_a_message_is_reported() -> None:
    """A stream that ends inside a message says so."""
    listener = heard(REQUEST + REQUEST[:10])
    start = len(REQUEST)
    assert listener.noted()[-1] == ("passthrough", (start, start + 10), "stream ended inside a message")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (b"\x16\x03\x01", "no SIP start line (offset 0)"),
        (b"GET / HTTP/1.1\r\n\r\n", "no SIP start line (offset 0)"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 1x\r\n\r\n", "Content-Length is no number (offset 23)"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", "contradicting Content-Lengths 1 and 2 (offset 32)"),
        (b"OPTIONS sip:a SIP/2.0\r\nl: 1" + b"0" * 20 + b"\r\n\r\n", "Content-Length of 21 digits (offset 26)"),
    ],
)
def test_fallback_says_why_and_where(fault: bytes, reason: str) -> None:
    """After bytes that cannot be framed there is one record with the reason and the place, and no more rewrites."""
    listener = heard(REQUEST + fault + REQUEST)
    start = len(REQUEST)
    assert listener.noted() == [("passthrough", (start, start + len(fault) + len(REQUEST)), reason)]
    assert len(listener.messages) == 1


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "byte by byte"])
def test_limit_is_reported_once(whole: bool) -> None:
    """A message past a limit is reported once with the limit's name, however many segments it takes."""
    listener = Listener()
    long_header = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nSubject: long\r\n\r\n"
    connection = alg_for(STATIC, limits=Limits(max_header_bytes=40)).connection(sink=listener)
    stream = long_header + REQUEST
    out = send(connection, OUT, [stream] if whole else one_by_one(stream))
    assert out == long_header + REQUEST_OUT
    (bypass,) = [entry for entry in listener.noted() if entry[0] == "passthrough"]
    assert bypass[1][0] == 0
    assert bypass[2] == "header block exceeds max_header_bytes 40 (offset 40)"
