"""The torture set against a server: what is chosen, and what a server that is too kind is told."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError
from harness.fuzz.classification import Kind
from harness.fuzz.probing import Prober
from harness.fuzz.sizes import Tokens
from harness.fuzz.torture import cases_for, choose
from harness.fuzz.torture_case import Names
from harness.fuzz.torture_set import TOPICS
from tests.harness.conftest import StartServer
from tests.harness.fuzz.probers import prober_for, target_of
from tests.harness.fuzz.servers import LimitedServer


def names(**choice: object) -> list[str]:
    """Of the cases that are chosen."""
    return [each.case.name for each in choose(**choice)]  # type: ignore[arg-type]


def test_all_in_order() -> None:
    """Without a choice."""
    assert names() == [case.name for cases in TOPICS.values() for case in cases]


def test_by_topic_and_by_name() -> None:
    """Both may be named; the order stays that of the set."""
    assert names(only=("via-missing", "addresses")) == ["via-missing", *(case.name for case in TOPICS["addresses"])]
    assert names(only=["addresses"], count=2) == ["ipv6-in-every-field", "ipv6-without-brackets"]


def test_a_name_that_nothing_has() -> None:
    """Says which, and where the names are."""
    with pytest.raises(ConfigError, match=r"--only nobody: .*--list"):
        choose(("nobody",))


def test_shuffled_by_a_seed() -> None:
    """The same seed, the same order; all of them, all the same."""
    assert names(shuffled_by=1) == names(shuffled_by=1) != names(shuffled_by=2)
    assert sorted(names(shuffled_by=1)) == sorted(names())
    assert names(shuffled_by=1, count=5) == names(shuffled_by=1)[:5]


def tried(server: LimitedServer, prober: Prober, *only: str) -> dict[str, tuple[Kind, bool]]:
    """What became of these cases, and whether that was expected."""
    found = {}
    for each in cases_for(choose(only), target_of(server), Tokens("0123456789"), Names()):
        trial = prober.run(each.case)
        found[each.case.name] = trial.outcome.kind, each.expectation.met_by(trial)
    return found


def test_a_server_that_only_frames(start_server: StartServer) -> None:
    """Reads one header field, copies five: good enough for what is right, too kind to what is wrong."""
    server = start_server()
    prober = prober_for(server, timeout=20.0)
    right = tried(server, prober, "user-of-every-character", "two-requests-at-once", "request-in-a-body", "via-stack")
    assert set(right.values()) == {(Kind.ACCEPTED, True)}
    wrong = tried(server, prober, "from-missing", "methods-that-differ", "sequence-number-negative")
    assert set(wrong.values()) == {(Kind.ACCEPTED, False)}
    prober.close()


def test_a_server_that_refuses_everything(start_server: StartServer) -> None:
    """Right about what is wrong, wrong about what is right; that it is well is seen by a small message."""
    server = start_server(250, counts="header", refuses="400")
    prober = prober_for(server, timeout=20.0)
    assert tried(server, prober, "single-fields-twice") == {"single-fields-twice": (Kind.REJECTED, True)}
    assert tried(server, prober, "via-stack") == {"via-stack": (Kind.REJECTED, False)}
    prober.close()
