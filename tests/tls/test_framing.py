"""Records and handshake messages out of a stream, in any segmentation, without keeping more than is needed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.tls.framing import LONGEST_MESSAGE, ContentType, HandshakeReader, RecordReader, WireRecord
from alg.tls.vectors import TlsSyntaxError
from tests.tls.wire import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    HEARTBEAT,
    message,
    record,
)

STREAM = b"".join(
    (
        record(HANDSHAKE, b"hello"),
        record(CHANGE_CIPHER_SPEC, b"\x01"),
        record(ALERT, b"\x02\x28"),
        record(ALERT, b"secret-alert"),
        record(APPLICATION_DATA, b"d" * 300),
        record(APPLICATION_DATA),
        record(HEARTBEAT, b"\x01\x00\x00"),
        record(HANDSHAKE, b"", 0x0300),
    )
)
RECORDS = [
    WireRecord(ContentType.HANDSHAKE, 0, 5, b"hello"),
    WireRecord(ContentType.CHANGE_CIPHER_SPEC, 10, 1, b""),
    WireRecord(ContentType.ALERT, 16, 2, b"\x02\x28"),
    WireRecord(ContentType.ALERT, 23, 12, b""),
    WireRecord(ContentType.APPLICATION_DATA, 40, 300, b""),
    WireRecord(ContentType.APPLICATION_DATA, 345, 0, b""),
    WireRecord(ContentType.HEARTBEAT, 350, 3, b""),
    WireRecord(ContentType.HANDSHAKE, 358, 0, b""),
]


def pieces_of(data: bytes, places: list[int]) -> list[bytes]:
    """Cut at these places."""
    return [data[start:stop] for start, stop in pairwise([0, *sorted(places), len(data)])]


def read(pieces: list[bytes]) -> list[WireRecord]:
    """The records of a stream that comes in pieces."""
    reader = RecordReader()
    return [found for piece in pieces for found in reader.feed(piece)]


def test_whole() -> None:
    """Kind, place and length of every record; contents only of what can be read."""
    assert read([STREAM]) == RECORDS
    assert [each.stop for each in RECORDS] == [each.start for each in RECORDS[1:]] + [len(STREAM)]


def test_byte_by_byte() -> None:
    """A record is there with its last byte, not sooner and not later."""
    reader = RecordReader()
    stops = []
    for place in range(len(STREAM)):
        stops += [(place + 1, found.stop) for found in reader.feed(STREAM[place : place + 1])]
        stops += [(place + 1, 0) for _ in reader.feed(b"")]
    assert stops == [(each.stop, each.stop) for each in RECORDS]
    assert reader.held == 0


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_segmentation(places: list[int]) -> None:
    """Where TCP cuts makes no difference."""
    assert read(pieces_of(STREAM, places)) == RECORDS


def test_nothing_of_data_is_kept() -> None:
    """A record of application data is counted while it comes."""
    reader = RecordReader()
    data = record(APPLICATION_DATA, b"d" * 16384)
    held = []
    for place in range(0, len(data), 1000):
        assert len(list(reader.feed(data[place : place + 1000]))) == (place + 1000 >= len(data))
        held.append(reader.held)
    assert max(held) <= 5


def test_handshake_is_kept_until_its_record_ends() -> None:
    """Header and contents, byte by byte, and then nothing."""
    reader = RecordReader()
    held = []
    for place in range(10):
        assert len(list(reader.feed(STREAM[place : place + 1]))) == (place == 9)
        held.append(reader.held)
    assert held == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_nothing_is_kept_of_what_is_encrypted() -> None:
    """From the record that follows the one that changed keys."""
    reader = RecordReader()
    found = []
    for each in reader.feed(record(HANDSHAKE, b"clear") + record(HANDSHAKE, b"cipher") + record(ALERT, b"xy")):
        found.append(each.contents)
        reader.in_clear = False
    assert found == [b"clear", b"", b""]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "not TLS: starts with 47 45 54"),
        (b"SIP/2.0 200 OK\r\n", "not TLS: starts with 53 49 50"),
        (b"\r\n\r\n\r\n\r\n", "not TLS: starts with 0d 0a 0d"),
        (b"\x16\x02\x00\x00\x05", "not TLS: starts with 16 02 00"),
        (b"\x13\x03\x03\x00\x05", "not TLS: starts with 13 03 03"),
        (b"\x19\x03\x03\x00\x05", "not TLS: starts with 19 03 03"),
        (b"\x80\x2e\x01\x00\x02\x00\x15\x00", "SSLv2 ClientHello"),
        (b"\x80\x2e\x01\x03\x01\x00\x15\x00", "SSLv2 ClientHello"),
        (b"\x80\x2e\x01\x04\x01\x00\x15\x00", "not TLS: starts with 80 2e 01"),
        (b"\x80\x2e\x04\x00\x02\x00\x15\x00", "not TLS: starts with 80 2e 04"),
        (b"\x16\x03\x01\x48\x01", "record of 18433 bytes at offset 0, longest is 18432"),
    ],
)
def test_no_record(first: bytes, reason: str) -> None:
    """What the first five bytes are instead."""
    for pieces in ([first], [first[place : place + 1] for place in range(len(first))]):
        with pytest.raises(TlsSyntaxError) as caught:
            read(pieces)
        assert str(caught.value) == reason
    assert read([first[:4]]) == []


def test_no_record_later() -> None:
    """A stream that stops being TLS says where."""
    reader = RecordReader()
    found = []
    with pytest.raises(TlsSyntaxError) as caught:
        found.extend(reader.feed(record(HANDSHAKE, b"hello") + b"GET / HTTP"))
    assert (found, str(caught.value)) == (RECORDS[:1], "no TLS record at offset 10: 47 45 54")


def test_longest_record() -> None:
    """Up to TLS 1.2 encryption may add 2048 bytes, in TLS 1.3 256 (RFC 5246 6.2.3, RFC 8446 5.2)."""
    assert len(read([record(APPLICATION_DATA, b"d" * (2**14 + 2048))])) == 1
    reader = RecordReader()
    reader.longest = 2**14 + 256
    assert len(list(reader.feed(record(APPLICATION_DATA, b"d" * (2**14 + 256))))) == 1
    with pytest.raises(TlsSyntaxError, match="record of 16641 bytes at offset 16645, longest is 16640"):
        list(reader.feed(record(APPLICATION_DATA, b"d" * (2**14 + 257))))


MESSAGES = [(1, b"client"), (14, b""), (99, b"?" * 70_000), (11, b"c" * 300), (0, b"")]
PACKED = b"".join(message(number, body) for number, body in MESSAGES)


def unpack(pieces: list[bytes]) -> list[tuple[int, bytes, int]]:
    """The messages in records of these contents, each with the record in which it begins, counted from 0."""
    reader = HandshakeReader()
    records = [WireRecord(ContentType.HANDSHAKE, place, len(piece), piece) for place, piece in enumerate(pieces)]
    return [(found.number, found.body, found.start) for each in records for found in reader.feed(each)]


def test_messages_in_one_record() -> None:
    """All begin in it."""
    assert unpack([PACKED]) == [(number, body, 0) for number, body in MESSAGES]


@given(st.lists(st.integers(0, len(PACKED)), max_size=12))
def test_messages_in_any_records(places: list[int]) -> None:
    """A message may be cut anywhere, its header too; it begins in the record that has its first byte."""
    edges = [0, *sorted(places), len(PACKED)]
    starts, at = [], 0
    for _, body in MESSAGES:
        starts.append(next(index for index, (_, stop) in enumerate(pairwise(edges)) if at < stop))
        at += 4 + len(body)
    expected = [(number, body, start) for (number, body), start in zip(MESSAGES, starts, strict=True)]
    assert unpack(pieces_of(PACKED, places)) == expected


def test_longest_message() -> None:
    """What is longer is given up as soon as it says so, and it has not been kept until then."""
    assert [number for number, _, _ in unpack([message(11, b"c" * LONGEST_MESSAGE)])] == [11]
    reader = HandshakeReader()
    header = b"\x0b" + (LONGEST_MESSAGE + 1).to_bytes(3)
    assert list(reader.feed(WireRecord(ContentType.HANDSHAKE, 0, 3, header[:3]))) == []
    assert reader.held == 3
    with pytest.raises(TlsSyntaxError, match="handshake message of 131073 bytes at offset 0, longest is 131072"):
        list(reader.feed(WireRecord(ContentType.HANDSHAKE, 8, 1, header[3:])))


def test_message_without_its_end() -> None:
    """A change of keys in the midst of a message is noticed."""
    reader = HandshakeReader()
    assert list(reader.feed(WireRecord(ContentType.HANDSHAKE, 33, 5, message(1, b"x")))) != []
    reader.expect_none_held()
    assert list(reader.feed(WireRecord(ContentType.HANDSHAKE, 77, 2, b"\x0b\x00"))) == []
    with pytest.raises(TlsSyntaxError, match="handshake message at offset 77 is cut by a change of keys"):
        reader.expect_none_held()
