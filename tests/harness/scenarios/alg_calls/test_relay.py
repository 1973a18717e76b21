"""What crossed the relay, told by doors."""

from __future__ import annotations

from typing import Any

from alg.direction import Direction
from alg.nat.media import Door
from alg.nat.table import Endpoint
from harness.scenarios.alg_calls.relay import Relay


def test_packets_by_endpoint() -> None:
    """Of all doors that an endpoint has had; what is heard is passed on."""
    told: list[tuple[str, dict[str, Any]]] = []
    relay = Relay(lambda action, door, **fields: told.append((action, fields)))
    rtp = Endpoint(b"192.0.2.2", 4000)
    door = Door(Direction.OUTWARD, rtp, Endpoint(b"192.0.2.2", 4001), Endpoint(b"198.51.100.2", 4000), 7.5)
    relay.door("opened", door)
    assert (relay.opened(Direction.OUTWARD), relay.opened(Direction.INWARD)) == (True, False)
    assert relay.last_used == 7.5
    assert relay.packets == {}
    for packets in (3, 4):
        relay.door("closed", door, reason="BYE", rtp={"in": packets, "back": 9}, rtcp={"in": 0, "back": 1})
    assert relay.packets == {("192.0.2.2", 4000): {"RTP": 7, "RTCP": 0}}
    relay.door("refused", None, address="198.51.100.2:4000", reason="no free port pair")
    assert [action for action, _ in told] == ["opened", "closed", "closed", "refused"]
