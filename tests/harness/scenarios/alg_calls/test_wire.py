"""What the two legs of the ALG show, told by hand."""

from __future__ import annotations

from alg.direction import Direction
from harness.scenarios.alg_calls.wire import Wire

INSIDE, OUTSIDE = Direction.OUTWARD, Direction.INWARD
INVITE = b"INVITE sip:b@192.0.2.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: 2\r\n\r\nv="
RINGING = b"SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"


class Deaf:
    """A tap that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> object:
        return lambda *args, **more: self.told.append(name)


def test_messages_by_side_and_sender() -> None:
    """In whatever pieces they came; what is not whole is none."""
    wire, then = Wire(), Deaf()
    tap = wire.tap(then)  # type: ignore[arg-type]
    tap.received(INSIDE, INVITE[:30])
    assert wire.messages(INSIDE, from_peer=True) == []
    tap.received(INSIDE, INVITE[30:] + INVITE[:10])
    tap.sent(OUTSIDE, INVITE)
    tap.received(OUTSIDE, RINGING)
    assert [each.to_bytes() for each in wire.requests(INSIDE, True, "INVITE")] == [INVITE]
    assert len(wire.requests(OUTSIDE, False, "INVITE")) == 1
    assert wire.requests(OUTSIDE, True, "INVITE") == []
    assert wire.requests(INSIDE, True, "ACK") == []
    assert len(wire.messages(OUTSIDE, from_peer=True)) == 1
    assert wire.came_in(INSIDE) == len(INVITE) + 10
    assert then.told == ["received", "received", "sent", "received"]


def test_resets() -> None:
    """By the side whose endpoint sent them."""
    wire = Wire()
    tap = wire.tap(Deaf())  # type: ignore[arg-type]
    tap.reset(INSIDE, by_peer=False)
    assert not wire.reset_by(INSIDE)
    tap.reset(OUTSIDE, by_peer=True)
    assert (wire.reset_by(INSIDE), wire.reset_by(OUTSIDE)) == (False, True)


def test_who_lost_a_connection() -> None:
    """Whoever did not end it first; a leg that never stood tells that the other end cannot be reached."""
    wire = Wire()
    tap = wire.tap(Deaf())  # type: ignore[arg-type]
    tap.opened(INSIDE, ("192.0.2.2", 4000), ("192.0.2.3", 5060), by_peer=True)
    assert wire.unreached(INSIDE)
    tap.opened(OUTSIDE, ("192.0.2.4", 5060), ("192.0.2.5", 4001), by_peer=False)
    assert not wire.unreached(INSIDE)
    assert [leg.ours for leg in wire.on(OUTSIDE)] == [("192.0.2.5", 4001)]
    tap.ended(INSIDE, by_peer=True)
    tap.ended(OUTSIDE, by_peer=False)
    tap.ended(INSIDE, by_peer=False)
    assert (wire.lost_by(INSIDE), wire.lost_by(OUTSIDE)) == (False, True)
    assert (wire.ended_by(INSIDE), wire.ended_by(OUTSIDE)) == (True, False)
    tap.reset(INSIDE, by_peer=False)
    assert wire.lost_by(INSIDE)


def test_pieces_and_keep_alives() -> None:
    """Where each read begins; pings and pongs by who sent them."""
    wire = Wire()
    tap = wire.tap(Deaf())  # type: ignore[arg-type]
    for piece in (INVITE[:20], INVITE[20:], b"\r\n\r\n"):
        tap.received(INSIDE, piece)
    tap.sent(INSIDE, RINGING + b"\r\n")
    assert wire.on(INSIDE)[0].pieces == [0, 20, len(INVITE)]
    assert wire.size == len(INVITE) + 4 + len(RINGING) + 2
    assert (wire.pings(INSIDE, from_peer=True), wire.pings(OUTSIDE, from_peer=False)) == (1, 0)
    assert (wire.pongs(INSIDE, from_peer=False), wire.pongs(OUTSIDE, from_peer=True)) == (1, 0)
