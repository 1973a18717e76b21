"""Legs: who watches them, and what is seen there, whoever it is."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from harness.scenarios.hybrid.legs import COURSES, Leg, Sight, strange, watcher
from harness.scenarios.hybrid.messages import Messages
from harness.sip.flow import Loss
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request, response


@pytest.mark.parametrize(
    ("strangers", "watchers"),
    [
        ((), ("expressway-c", "expressway-e", "expressway-e")),
        (("cucm", "webex"), ("expressway-c", "expressway-e", "expressway-e")),
        (("expressway-c",), ("cucm", "expressway-e", "expressway-e")),
        (("expressway-e",), ("expressway-c", "expressway-c", "webex")),
        (("expressway-c", "expressway-e"), ("cucm", "", "webex")),
        (("cucm", "expressway-c"), ("", "expressway-e", "expressway-e")),
    ],
)
def test_who_watches(strangers: tuple[str, ...], watchers: tuple[str, ...]) -> None:
    """One of us at one of the ends, an Expressway if that is possible; nobody between two strangers."""
    assert tuple(watcher(leg, strangers) for leg in Leg) == watchers


def test_strange_legs() -> None:
    """One stranger is enough; calls take the legs in either order."""
    assert [strange(leg, ("expressway-c",)) for leg in Leg] == [True, True, False]
    assert COURSES[Direction.INWARD] == COURSES[Direction.OUTWARD][::-1]


@pytest.mark.parametrize("name", ["expressway-c", "cucm"])
def test_either_end_sees_the_same(name: str) -> None:
    """An INVITE to CUCM, its answer, and a reset by CUCM."""
    messages, flow, invite = Messages(), FakeFlow(), request()
    sight = Sight.of(Leg.INSIDE, name, messages)
    outer = name == "expressway-c"
    (messages.sent if outer else messages.received)(flow, invite.to_bytes())
    for status in (180, 488):
        (messages.received if outer else messages.sent)(flow, response(invite, status).to_bytes())
    messages.closed(flow, Loss.RESET if outer else Loss.OVERSIZE, "")
    assert sight.requests("INVITE", Direction.INWARD) == [invite]
    assert sight.requests("INVITE", Direction.OUTWARD) == []
    assert [each.status for each in sight.responses("INVITE", Direction.OUTWARD)] == [180, 488]
    assert [each.status for each in sight.finals("INVITE", Direction.OUTWARD)] == [488]
    assert sight.largest(Direction.INWARD) == len(invite.to_bytes())
    size = len(invite.to_bytes())
    assert sight.was_reset(Direction.OUTWARD, size - 1)
    assert not sight.was_reset(Direction.OUTWARD, size), "nothing large was sent"
    assert not sight.was_reset(Direction.INWARD, 0)
