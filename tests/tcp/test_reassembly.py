"""Early segments wait without overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alg.tcp.reassembly import Reassembly


def test_what_follows_without_a_gap_is_taken() -> None:
    """A gap stops it; the rest waits on."""
    waiting = Reassembly()
    waiting.add(5, b"fgh")
    waiting.add(10, b"kl")
    assert waiting.take(3) == b""
    assert waiting.take(5) == b"fgh"
    assert waiting.size == 2
    assert waiting.take(11) == b"l"
    assert not waiting


def test_the_first_copy_of_a_byte_counts() -> None:
    """A retransmission with other bytes changes nothing."""
    waiting = Reassembly()
    waiting.add(2, b"cd")
    waiting.add(0, b"ABXXEF")
    assert waiting.take(0) == b"ABcdEF"


def test_blocks_name_the_latest_first() -> None:
    """RFC 2018 4."""
    waiting = Reassembly()
    for start, data in ((10, b"ab"), (20, b"cd"), (30, b"ef"), (12, b"xy")):
        waiting.add(start, data)
    assert waiting.blocks() == [(10, 14), (20, 22), (30, 32)]
    waiting.add(22, b"!")
    assert waiting.blocks() == [(20, 23), (10, 14), (30, 32)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=12), st.integers(0, 20))
def test_against_a_dictionary_of_bytes(segments: list[tuple[int, int]], offset: int) -> None:
    """Any segments, as a map from offset to byte would keep them."""
    waiting, known = Reassembly(), dict[int, int]()
    for number, (start, length) in enumerate(segments):
        data = bytes([number]) * length
        waiting.add(start, data)
        for at in range(start, start + length):
            known.setdefault(at, number)
    assert waiting.size == len(known)
    assert sum(stop - start for start, stop in waiting.blocks()) == len(known)
    expected = bytearray()
    while offset + len(expected) in known:
        expected.append(known[offset + len(expected)])
    assert waiting.take(offset) == expected
