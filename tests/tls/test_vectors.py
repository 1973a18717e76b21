"""Fields of TLS messages, and how names from the wire are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.tls.vectors import MOST_LISTED, FieldReader, TlsSyntaxError, listed, shown


def test_fields_are_taken_in_order() -> None:
    """Numbers, bytes and vectors, until nothing is left."""
    reader = FieldReader(bytes.fromhex("0102 03 616263 0002 0304 0001 ff 09"))
    assert reader.number(2) == 0x0102
    assert reader.opaque(1) == b"abc"
    assert list(reader.vector(2).numbers(1)) == [3, 4]
    assert list(FieldReader(reader.take(3)).opaques(2)) == [b"\xff"]
    assert reader
    assert reader.number(1) == 9
    assert not reader


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x02\xaa"])
def test_a_field_that_is_cut(data: bytes) -> None:
    """A vector that is not all there is an error of ours, which says how much was missing."""
    with pytest.raises(TlsSyntaxError, match=r"a field of 2 bytes where [01] are left"):
        FieldReader(data).opaque(2)


def test_a_list_that_ends_in_a_piece() -> None:
    """Numbers that do not come out even are an error."""
    with pytest.raises(TlsSyntaxError):
        list(FieldReader(b"\0\1\2").numbers(2))


@given(st.binary(max_size=400))
def test_shown_text_can_be_printed(raw: bytes) -> None:
    """Whatever a peer calls itself, no terminal is moved by it, and two different short names look different."""
    text = shown(raw)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 4 * 256 + 3
    if len(raw) <= 256:
        plain = text.encode().decode("unicode_escape").encode("latin-1")
        assert plain == raw


def test_long_names_are_cut() -> None:
    """What is longer than any name ends in dots."""
    assert shown(b" ~") == " ~"
    assert shown(b"a" * 256) == "a" * 256
    assert shown(b"a" * 257) == "a" * 256 + "..."


def test_long_lists_are_cut() -> None:
    """A list that goes on says so in its last entry."""
    whole = [str(number) for number in range(MOST_LISTED)]
    assert listed(whole) == whole
    assert listed([*whole, "more", "yet more"]) == [*whole, "..."]
