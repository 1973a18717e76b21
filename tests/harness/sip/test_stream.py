"""Messages out of a stream: the same ones in every segmentation, and one ending at most."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sip.stream import Item, KeepAlive, Oversize, StreamReader, Unframed
from tests.harness.sip.samples import INVITE, wire

OPTIONS = wire("OPTIONS sip:a SIP/2.0\nl:  3 \n\nabc")
BYE = wire("BYE sip:a SIP/2.0\nCall-ID: 1\n\n")


def read(data: bytes, sizes: list[int], serves: bool = True, limit: int = 10000) -> list[Item]:
    """What ends in pieces of these sizes, and in the rest."""
    reader, items = StreamReader(serves, limit), []
    for size in sizes:
        items += reader.feed(data[:size])
        data = data[size:]
    return items + reader.feed(data)


@pytest.mark.parametrize("sizes", [[], [1] * 2000, [7] * 300])
def test_messages(sizes: list[int]) -> None:
    """Whole, byte by byte, in pieces; without Content-Length a body is empty."""
    assert read(OPTIONS + BYE + INVITE + OPTIONS[:-1], sizes) == [OPTIONS, BYE, INVITE]


@given(st.lists(st.integers(1, 60), max_size=40))
def test_any_segmentation(sizes: list[int]) -> None:
    """The same messages."""
    assert read(BYE + b"\r\n\r\n" + OPTIONS + b"\r\n" + BYE, sizes) == [BYE, KeepAlive.PING, OPTIONS, BYE]


@pytest.mark.parametrize("sizes", [[], [1] * 9])
def test_keep_alives(sizes: list[int]) -> None:
    """Whoever accepted a connection gets pings, whoever made it pongs (RFC 5626 3.5.1)."""
    assert read(b"\r\n\r\n\r\n\r\n", sizes) == [KeepAlive.PING, KeepAlive.PING]
    assert read(b"\r\n\r\n", sizes, serves=False) == [KeepAlive.PONG, KeepAlive.PONG]
    assert read(b"\r\n" + BYE, sizes) == [BYE]


@pytest.mark.parametrize("sizes", [[], [1] * 6000])
def test_limit(sizes: list[int]) -> None:
    """4990 bytes pass where 5000 are the limit, 5010 do not; that is told as soon as it is known."""
    head = b"INVITE sip:a SIP/2.0\r\nContent-Length: %4d\r\n\r\n"
    fits = head % (4990 - 46) + b"x" * (4990 - 46)
    assert len(fits) == 4990
    assert read(fits, sizes, limit=5000) == [fits]
    large = head % (5010 - 46) + b"x" * (5010 - 46)
    (item,) = read(large + BYE, sizes, limit=5000)
    assert isinstance(item, Oversize)
    assert (item.content_length, item.size, item.header) == (4964, 5010, large[:46])
    assert item.held == (46 if sizes else 5010 + len(BYE))


@pytest.mark.parametrize("piece", [1, 7, 4999])
def test_who_reads_up_to_the_limit(piece: int) -> None:
    """A message that is too large is told when as many bytes of it have come as are taken, and no earlier."""
    large = b"INVITE sip:a SIP/2.0\r\nContent-Length: 4955\r\n\r\n" + b"x" * 4955
    reader, items, fed = StreamReader(True, 5000, patient=True), [], 0
    while not items:
        items = reader.feed(large[fed : fed + piece])
        fed += piece
    assert [each.size for each in items if isinstance(each, Oversize)] == [5001]
    assert 5000 <= fed < 5000 + piece


def test_header_without_end() -> None:
    """The limit holds for what has no end yet too."""
    (item,) = read(b"INVITE sip:a SIP/2.0\r\nX: " + b"x" * 100, [], limit=100)
    assert isinstance(item, Oversize)
    assert (item.content_length, item.size) == (None, 125)


@pytest.mark.parametrize("sizes", [[], [1] * 100])
@pytest.mark.parametrize(
    "text",
    [
        "\x16\x03\x01 hello\n",
        "OPTIONS sip:a SIP/2.0\nContent-Length: -1\n\n",
        "OPTIONS sip:a SIP/2.0\nContent-Length: 1\nl: 2\n\n",
        "OPTIONS sip:a SIP/2.0\nl:\n\n",
        "OPTIONS sip:a SIP/2.0\nl: 9999999999999999999\n\n",
        "Via: SIP/2.0/TCP a\n",
    ],
)
def test_no_end_can_be_told(text: str, sizes: list[int]) -> None:
    """Behind that nothing comes any more."""
    (item,) = read(wire(text) + BYE, sizes)
    assert isinstance(item, Unframed)


@given(st.lists(st.binary(max_size=50), max_size=20), st.booleans())
def test_garbage(pieces: list[bytes], serves: bool) -> None:
    """Nothing is raised, whatever comes."""
    reader = StreamReader(serves, 100)
    for piece in pieces:
        reader.feed(piece)
