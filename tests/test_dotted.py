"""Addresses from packets into the table, and back."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from alg.dotted import dotted, in_packet, octets
from alg.nat.table import Endpoint


@given(st.binary(min_size=4, max_size=4))
def test_both_forms(address: bytes) -> None:
    """As the standard library has them."""
    text = str(IPv4Address(address)).encode()
    assert dotted(address) == text
    assert octets(text) == address


def test_an_end() -> None:
    """Its port stays."""
    assert in_packet(Endpoint(b"10.0.30.2", 5060)) == (bytes((10, 0, 30, 2)), 5060)
