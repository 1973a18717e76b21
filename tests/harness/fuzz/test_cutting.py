"""The segmentations that are tried."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.fuzz.cutting import AROUND, KINDS, Cuttings
from harness.fuzz.segments import pieces
from harness.fuzz.sizes import Message, Tokens
from tests.harness.fuzz.messages import HERE


def cuttings(method: str = "OPTIONS", *kinds: str) -> Cuttings:
    """Of a built-in method."""
    message = Message.choose(method, None, ("127.0.0.1", 5060), False, Tokens("0123456789"))
    return Cuttings(message, 0.01, HERE[0], frozenset(kinds))


def segments(made: Cuttings) -> list[list[int]]:
    """Lengths of the segments of every case."""
    probes = [case.compose((HERE[0], 65535)) for case in made.cases()]
    return [[len(part) for part in pieces(probe.data, probe.segmentation.cuts(len(probe.data)))] for probe in probes]


def test_every_offset() -> None:
    """As many cases as there are places to cut, each another one."""
    found = segments(cuttings("OPTIONS", "cut"))
    length = sum(found[0])
    assert found == [[at, length - at] for at in range(1, length)]


def test_pairs_around_the_boundaries() -> None:
    """Every pair around the empty line and around the end, each once."""
    probe = cuttings("INVITE", "boundary").cases()[0].compose((HERE[0], 65535))
    body, end = probe.data.index(b"\r\n\r\n") + 4, len(probe.data)
    near = [*range(body - AROUND, body + AROUND + 1), *range(end - AROUND, end)]
    cuts = [
        case.compose((HERE[0], 65535)).segmentation.cuts(len(probe.data))
        for case in cuttings("INVITE", "boundary").cases()
    ]
    assert cuts == [(first, second) for index, first in enumerate(near) for second in near[index + 1 :]]


def test_neighbours() -> None:
    """Two and three messages in a segment, cut in the first, between, and in the second."""
    found = segments(cuttings("OPTIONS", "coalesced"))
    length = found[0][0] // 2
    assert found[:2] == [[2 * length], [3 * length]]
    assert [length, length] in found
    assert any(first < length for first, *_ in found)
    assert any(length < first < 2 * length for first, *_ in found[2:])


def test_every_message_of_a_case_is_awaited() -> None:
    """And differs from the others."""
    for case in cuttings("OPTIONS", "coalesced").cases():
        probe = case.compose(HERE)
        assert b"".join(each.request for each in probe.transactions) == probe.data
        assert len({each.branch for each in probe.transactions}) == len(probe.transactions)


def test_byte_by_byte() -> None:
    """Every segment is a byte."""
    (found,) = segments(cuttings("OPTIONS", "bytes"))
    assert set(found) == {1}


def test_slow_ones_wait_longer() -> None:
    """At the landmarks, the empty line's middle among them."""
    made = [case.compose((HERE[0], 65535)) for case in cuttings("OPTIONS", "slow").cases()]
    assert {probe.pause for probe in made} == {0.2}
    assert made[0].data.index(b"\r\n\r\n") + 2 in {cut for probe in made for cut in probe.segmentation.cuts(10**6)}


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "MESSAGE"])
def test_all_kinds_by_default(method: str) -> None:
    """Names tell the cases apart."""
    cases = cuttings(method).cases()
    assert len(cases) == sum(len(cuttings(method, kind).cases()) for kind in KINDS)
    assert [name for name, count in Counter(case.name for case in cases).items() if count > 1] == []
