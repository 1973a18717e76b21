"""Somebody else's peer, as the firewall's leg towards it has it; records are written by hand here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred

from alg.direction import Direction
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_stranger import Leg, TlsStranger

OUTSIDE, INSIDE = Direction.INWARD, Direction.OUTWARD
THEIRS, OURS = ("192.0.2.7", 40000), ("127.0.0.4", 5062)
CCS, DATA = bytes.fromhex("14 0303 0001 01"), bytes.fromhex("17 0303 0004 00112233")
ALERT = bytes.fromhex("15 0303 0002 02 2e")
"""Fatal, certificate_unknown."""
HELLO = bytes.fromhex("16 0301 002f 01 00002b 0303" + "11" * 32 + "00 0002 c02f 01 00 0000")  # fmt: skip
ANSWER = bytes.fromhex("16 0303 002a 02 000026 0303" + "22" * 32 + "00 c02f 00")  # fmt: skip


def webex(came: bool = True) -> TlsStranger:
    """Who is outside, and does what it is asked for or not."""

    async def expect(what: str, happened: Callable[[], bool]) -> bool:
        return came

    return TlsStranger("webex", THEIRS, OUTSIDE, expect)


@pytest.fixture
def met() -> tuple[TlsStranger, Leg]:
    """It has connected."""
    stranger = webex()
    leg = stranger.tap(1)
    leg.opened(OUTSIDE, THEIRS, OURS, by_peer=True)
    leg.opened(INSIDE, ("127.0.0.2", 5062), ("127.0.0.4", 40001), by_peer=False)
    return stranger, leg


def test_its_meeting(met: tuple[TlsStranger, Leg]) -> None:
    """Its own end first; what happens on the other leg is none of its business."""
    stranger, leg = met
    leg.received(INSIDE, ALERT)
    leg.ended(INSIDE, by_peer=False)
    leg.reset(INSIDE, by_peer=True)
    assert stranger.meetings == [Meeting(False, THEIRS, OURS)]
    assert not stranger.concluded.called


def test_data_both_ways(met: tuple[TlsStranger, Leg]) -> None:
    """A request and its response, however encrypted; one way is not enough."""
    stranger, leg = met
    leg.received(OUTSIDE, HELLO)
    leg.sent(OUTSIDE, ANSWER)
    leg.received(OUTSIDE, CCS + DATA)
    assert not stranger.meetings[0].answered
    leg.sent(OUTSIDE, CCS + DATA)
    assert stranger.meetings[0].answered
    assert stranger.concluded.called


def test_alert_and_reset(met: tuple[TlsStranger, Leg]) -> None:
    """Its alert is its own; the reset behind it dismisses nobody."""
    stranger, leg = met
    leg.received(OUTSIDE, ALERT)
    leg.reset(OUTSIDE, by_peer=True)
    meeting = stranger.meetings[0]
    assert (meeting.alert, meeting.dismissed, meeting.loss) == ((True, "certificate_unknown"), False, Loss.NOT)
    assert stranger.concluded.called


@pytest.mark.parametrize(
    ("happens", "by_peer", "dismissed", "loss"),
    [
        ("reset", True, True, Loss.NOT),
        ("reset", False, False, Loss.RESET),
        ("ended", True, False, Loss.NOT),
        ("ended", False, False, Loss.EOF),
    ],
)
def test_ends(met: tuple[TlsStranger, Leg], happens: str, by_peer: bool, dismissed: bool, loss: Loss) -> None:
    """Who resets has dismissed the other one; what reaches it is its loss."""
    stranger, leg = met
    getattr(leg, happens)(OUTSIDE, by_peer)
    assert (stranger.meetings[0].dismissed, stranger.meetings[0].loss) == (dismissed, loss)
    assert stranger.concluded.called


def test_server() -> None:
    """The firewall connects to it, where it listens."""
    stranger = webex()
    assert stranger.listen(("127.0.0.3", 5062)) == THEIRS
    leg = stranger.tap(1)
    leg.opened(OUTSIDE, THEIRS, OURS, by_peer=False)
    leg.sent(OUTSIDE, ALERT)
    assert stranger.meetings[0].serves
    assert stranger.meetings[0].alert == (False, "certificate_unknown")


@pytest.mark.parametrize("came", [True, False])
def test_asked_in_vain(came: bool) -> None:
    """Whoever does not come is not waited for any longer."""
    stranger = webex(came)
    asked: list[object] = []
    stranger.connect("127.0.0.3", OURS, 1.0).addCallback(asked.append)
    assert asked == [None]
    assert stranger.concluded.called is not came


def test_order() -> None:
    """It says to whom to connect, and how."""
    asked: list[tuple[str, Callable[[], bool]]] = []
    answer: Deferred[bool] = Deferred()

    async def expect(what: str, happened: Callable[[], bool]) -> bool:
        asked.append((what, happened))
        return await answer

    stranger = TlsStranger("webex", THEIRS, OUTSIDE, expect)
    connecting = stranger.connect("127.0.0.3", OURS, 1.0)
    (order, happened), *_ = asked
    assert order == "webex: connect to 127.0.0.4:5062 with mutual TLS 1.2, and send a SIP request"
    assert not happened()
    stranger.tap(1).opened(OUTSIDE, THEIRS, OURS, by_peer=True)
    assert happened()
    assert not connecting.called
    answer.callback(True)
    assert connecting.called
