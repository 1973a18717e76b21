"""Session descriptions without doors."""

from __future__ import annotations

from alg.nat.media import Door, MediaDoors
from alg.nat.table import Endpoint
from tests.faults.rig import Rig, request, right, session


class Opened:
    """Opens every door that is asked for."""

    def __init__(self) -> None:
        self.count = 0

    def open(self, wanted: Endpoint) -> Endpoint:
        """It listens where it should."""
        self.count += 1
        return wanted

    def opened(self, door: Door) -> None:
        """It stands."""

    def joined(self, door: Door, partner: Door) -> None:
        """It has a partner."""

    def closed(self, door: Door, reason: str) -> None:
        """It is gone."""


def test_addresses_are_mapped_and_nothing_listens() -> None:
    """The message looks right; with a condition that does not hold the door is there."""
    sent = request("INVITE", body=session("m=audio 49170 RTP/AVP 0"))
    for fault, doors in (("pinhole-missing", 0), ("pinhole-missing:method=UPDATE", 1)):
        opener = Opened()
        assert Rig((fault,), MediaDoors(opener)).send(sent) == right(sent)
        assert opener.count == doors
