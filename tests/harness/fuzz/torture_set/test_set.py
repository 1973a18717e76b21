"""The torture set as a whole: what is true of every case, and what our own ALG makes of each."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.fuzz.classification import Kind
from harness.fuzz.torture_set import TOPICS
from tests.harness.fuzz.torture_set.filled import ALL, FILLING, HERE, NEXT_TOKEN, TARGET, TOKEN, sent
from tests.helpers.feed import UNMAPPED, one_by_one, through

_SUBJECTS_4475 = (
    *(f"3.1.1.{number}" for number in range(1, 14)),
    *(f"3.1.2.{number}" for number in range(1, 20)),
    *("3.2.1", "3.4.1"),
    *(f"3.3.{number}" for number in (*range(1, 13), 15)),
)
"""Sections of RFC 4475 with a message each. 3.3.13 and 3.3.14 are about registrations, which this set does not make."""
_SUBJECTS_5118 = tuple(f"4.{number}" for number in range(1, 11))
_ADDRESS = re.compile(rb"(?<![\d.:])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_NOBODY = re.compile(rb"127\.|192\.0\.2\.|999\.|256\.|0177\.|255\.255\.255\.255")

each = pytest.mark.parametrize("name", ALL)


def test_names_are_unique_and_good_for_directories() -> None:
    """A name means one case, and no topic."""
    names = [case.name for cases in TOPICS.values() for case in cases]
    assert len(names) == len(set(names)) >= 100
    assert not set(names) & set(TOPICS)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


def test_every_subject_has_a_message() -> None:
    """The subjects of both RFCs, section by section."""
    sources = {case.source for case in ALL.values()}
    wanted = {f"RFC 4475 {section}" for section in _SUBJECTS_4475} | {
        f"RFC 5118 {section}" for section in _SUBJECTS_5118
    }
    assert wanted <= sources


@each
def test_a_case_is_whole(name: str) -> None:
    """It says why, expects something that can be, awaits an answer, and has no field left open."""
    case = ALL[name]
    assert case.why
    assert case.expectation.kinds | case.expectation.statuses
    probe = case.probe(FILLING, NEXT_TOKEN)
    assert len(probe.transactions) == (not case.unanswered) + case.sequel >= 1
    assert not re.search(rb"\{[a-z_]+\}", probe.data)
    assert (b"\r\n" in probe.data) or name == "line-feeds-alone"


@each
def test_nobody_else_is_reached(name: str) -> None:
    """Hosts are those of the run, or nobody's: loopback, documentation, numbers that are no address."""
    for address in _ADDRESS.findall(sent(ALL[name])):
        assert _NOBODY.match(address), address
    start = sent(ALL[name]).lstrip(b" \r\n").partition(b"\r\n")[0]
    routes = re.findall(rb"(?im)^route[ \t]*:.*$", sent(ALL[name]))
    target = b"%s:%d" % (TARGET[0].encode(), TARGET[1])
    assert all(target in route for route in routes)
    if b"sip:" in start and name != "ipv6-without-brackets":
        assert target in start


@each
def test_the_next_message_is_another(name: str) -> None:
    """Two fillings differ in identity and in nothing else, so that no server takes one for the other again."""
    data, other = (replace(FILLING, token=token).fill(ALL[name].message) for token in (TOKEN, NEXT_TOKEN))
    assert data != other
    assert data.replace(TOKEN.encode(), NEXT_TOKEN.encode()) == other


@each
@pytest.mark.parametrize("direction", ["out", "in"])
def test_our_own_alg_passes_it_as_it_came(name: str, direction: str) -> None:
    """No message is too odd for the ALG: without a mapped address every byte leaves as it came, however it is cut."""
    data = sent(ALL[name])
    assert through([data], UNMAPPED, direction) == data
    assert through(one_by_one(data), UNMAPPED, direction) == data


@each
def test_our_own_alg_maps_it_without_complaint(name: str) -> None:
    """With its sender mapped as well: it comes back whole when it is mapped back."""
    data = sent(ALL[name])
    there = through([data], ((HERE[0], "64.100.0.10"),), "out")
    assert through([there], ((HERE[0], "64.100.0.10"),), "in") == data


def test_no_expectation_excuses_a_server_that_failed() -> None:
    """500 says that the message was too much; only a loop of routes may end so."""
    excused = [case.name for case in ALL.values() if case.expectation.allows(Kind.REJECTED, 500)]
    assert excused == ["route-through-the-target-again-and-again"]
