"""The finder, against a search that looks at every byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.nat.finder import address_finder
from tests.helpers.strategies import streams
from tests.helpers.strategies_header import INSIDE, OUTSIDE

ANY_ADDRESS = re.compile(rb"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])")
"""An address with nothing around it that could belong to it."""

octets = st.one_of(st.integers(0, 255), st.sampled_from([10, 0, 30, 2, 192, 168]))
addresses = st.lists(octets, min_size=4, max_size=4).map(lambda four: b".".join(b"%d" % octet for octet in four))
texts = st.lists(
    st.one_of(addresses, st.sampled_from([b" ", b"sip:", b".", b"1", b"10.", b"@", b"\r\n"])), max_size=20
).map(b" ".join)


def check_hits(data: bytes, literals: set[bytes]) -> None:
    """All of the literals that stand alone are found; every hit is an address that stands there, in order."""
    hits = address_finder(literals)(data)
    assert hits == sorted(hits)
    for start, stop, address in hits:
        assert data[start:stop] == address
        assert re.fullmatch(rb"\d{1,3}(\.\d{1,3}){3}", address)
    standing = {match.span() for match in ANY_ADDRESS.finditer(data) if match[0] in literals}
    assert standing <= {(start, stop) for start, stop, _ in hits}


@given(texts, st.sets(addresses, max_size=12))
def test_no_address_is_overlooked(data: bytes, literals: set[bytes]) -> None:
    """However many addresses are mapped, and whatever they share, each of them is found where it stands."""
    check_hits(data, literals | set(list(ANY_ADDRESS.findall(data))[::2]))


@given(streams(), st.sets(st.sampled_from(INSIDE + OUTSIDE), max_size=8))
def test_no_address_of_a_message_is_overlooked(stream: bytes, literals: set[bytes]) -> None:
    """The same in real messages, with addresses that begin alike."""
    check_hits(stream, literals)


@pytest.mark.parametrize("count", [1, 2, 6, 7, 50, 3000])
def test_tables_of_any_size(count: int) -> None:
    """A table of thousands finds what a table of one finds."""
    literals = [b"10.%d.%d.%d" % (number % 3, number // 256, number % 256) for number in range(count)]
    data = b"Via: " + b", ".join(literals) + b" 203.0.113.1 1.2.3"
    found = [address for _, _, address in address_finder(literals)(data)]
    assert [address for address in found if address in literals] == literals


def test_unrelated_addresses() -> None:
    """Addresses that share nothing are all found."""
    literals = [b"%d.1.1.1" % first for first in range(1, 40)]
    data = b" ".join(literals)
    assert [address for _, _, address in address_finder(literals)(data)] == literals


def test_addresses_that_begin_alike() -> None:
    """`10.0.30.2` is not found in `10.0.30.21` if both are mapped, and each is found as itself."""
    data = b"10.0.30.21 10.0.30.2 10.0.30.211"
    hits = address_finder([b"10.0.30.2", b"10.0.30.21"])(data)
    assert [address for _, _, address in hits] == [b"10.0.30.21", b"10.0.30.2", b"10.0.30.211"]


def test_networks() -> None:
    """A pool's networks are searched by their leading octets, beside single addresses."""
    find = address_finder([b"192.0.2.1"], [b"10.", b"172.16."])
    assert [hit[2] for hit in find(b"10.1.1.1 172.16.0.1 172.17.0.1 192.0.2.1 10.x 10.1.1.1")] == [
        *(b"10.1.1.1", b"172.16.0.1", b"192.0.2.1", b"10.1.1.1"),
    ]
    assert [hit[2] for hit in address_finder([], [b""])(b"1.2.3.4 5.6.7.8")] == [b"1.2.3.4", b"5.6.7.8"]


def test_nothing_to_find() -> None:
    """An ALG without any map looks for nothing."""
    assert address_finder([])(b"10.0.30.2") == []
