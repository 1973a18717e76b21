"""The messages of the benchmarks are what the benchmarks say they are."""

from __future__ import annotations

from harness.bench.messages import INSIDE, invite, options
from tests.helpers.reference import rewrite

MAP = [(INSIDE, "64.100.0.10")]


def test_invite_has_eight_places_to_rewrite() -> None:
    """The figure is for an INVITE of about 1.5 kB with eight mapped hosts."""
    message = invite(7)
    left_alone = 1
    assert message.count(INSIDE.encode()) - rewrite(message, MAP, "out").count(INSIDE.encode()) == 8
    assert rewrite(message, MAP, "out").count(INSIDE.encode()) == left_alone
    assert 1400 < len(message) < 1800


def test_messages_differ() -> None:
    """No two messages of a round are alike, so that nothing is remembered whole."""
    assert len({invite(number) for number in range(100)} | {options(number) for number in range(100)}) == 200
