"""What is read of a client's first bytes; the hellos are those of Python's `ssl`."""

from __future__ import annotations

import pytest

from alg.tls.greeting import Greeting
from tests.tls.far_ends import NAME, FarEnd, client, context


def hello(name: str | None = NAME, alpn: tuple[str, ...] = ()) -> bytes:
    """A ClientHello in one record."""
    made = context(False, alpn=alpn) if name is None else client(alpn=alpn)
    return FarEnd(made, False, name).step()


def in_records(record: bytes, size: int) -> bytes:
    """The same handshake message in records of at most `size` bytes."""
    pieces = [record[place : place + size] for place in range(5, len(record), size)]
    return b"".join(record[:3] + len(piece).to_bytes(2) + piece for piece in pieces)


@pytest.mark.parametrize("size", [1, 100, 1 << 14])
def test_hello_in_any_segmentation(size: int) -> None:
    """It is complete with its last byte, whatever it comes in."""
    greeting = Greeting()
    data = in_records(hello(alpn=("sip", "x")), size)
    for byte in data[:-1]:
        greeting.feed(bytes([byte]))
        assert not greeting.complete
    greeting.feed(data[-1:])
    assert greeting.complete
    assert greeting.is_tls
    assert greeting.server_name == NAME
    assert greeting.protocols == [b"sip", b"x"]


def test_hello_that_asks_for_nothing() -> None:
    """No name and no protocols."""
    greeting = Greeting()
    greeting.feed(hello(None))
    assert (greeting.is_tls, greeting.server_name, greeting.protocols) == (True, None, [])


@pytest.mark.parametrize("protocol", ["\n", "a\\b", "\x7f"])
def test_protocol_that_is_not_printable_is_left_out(protocol: str) -> None:
    """It could not be told from what stands for it in events."""
    greeting = Greeting()
    greeting.feed(hello(alpn=(protocol, "sip")))
    assert greeting.protocols == [b"sip"]


@pytest.mark.parametrize("name", ["a\\b.example.com", "a b\x01"])
def test_name_that_is_not_printable_is_left_out(name: str) -> None:
    """So are names."""
    raw = name.encode().ljust(len(NAME), b"c")
    greeting = Greeting()
    greeting.feed(hello().replace(NAME.encode(), raw))
    assert (greeting.is_tls, greeting.server_name) == (True, None)


@pytest.mark.parametrize(
    "data",
    [b"OPTIONS", bytes.fromhex("15030300020228"), bytes.fromhex("160303000402000000"), hello()[:9] + b"\xff" * 1000],
    ids=["sip", "alert", "server hello", "malformed"],
)
def test_no_hello_will_come(data: bytes) -> None:
    """That is known as soon as it is, and nothing is made up."""
    greeting = Greeting()
    greeting.feed(data)
    assert (greeting.complete, greeting.is_tls) == (True, False)
    assert (greeting.server_name, greeting.protocols) == (None, [])
