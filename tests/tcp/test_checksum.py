"""Checksums against RFC 1071 word by word, and the examples of RFC 1624."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alg.tcp.checksum import internet_checksum, updated_checksum
from tests.tcp.endpoint import reference_checksum


@given(st.one_of(st.binary(max_size=64), st.sampled_from([b"\0" * 4, b"\xff" * 6, b"\xff\xfe\0\1"])))
def test_checksum_is_that_of_the_rfc(data: bytes) -> None:
    """Odd lengths and both zeros included."""
    assert internet_checksum(data) == reference_checksum(data)


def test_example_of_rfc_1624() -> None:
    """RFC 1624 4: the result is 0x0000, where RFC 1141 gave 0xffff."""
    assert updated_checksum(0xDD2F, b"\x55\x55", b"\x32\x85") == 0


@given(st.binary(min_size=4, max_size=40), st.binary(min_size=2, max_size=2), st.integers(0, 19))
def test_update_equals_a_checksum_anew(data: bytes, new: bytes, word: int) -> None:
    """Whatever word changes, the updated checksum is the one computed in full."""
    data = data[: len(data) & ~1]
    at = word * 2 % len(data)
    changed = data[:at] + new + data[at + 2 :]
    if any(data) and any(changed):
        assert updated_checksum(reference_checksum(data), data[at : at + 2], new) == reference_checksum(changed)


def test_a_wrong_checksum_stays_wrong() -> None:
    """A damaged packet must not leave as a sound one."""
    assert updated_checksum(0x1234 ^ 1, b"\0\1", b"\0\2") != updated_checksum(0x1234, b"\0\1", b"\0\2")
