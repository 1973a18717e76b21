"""Several taps on one connection."""

from __future__ import annotations

from alg.direction import Direction
from harness.peers.taps import Taps
from tests.harness.peers.middle import Seen

LEG = Direction.OUTWARD
HELLO = bytes.fromhex("16 0301 002f 01 00002b 0303" + "11" * 32 + "00 0002 c02f 01 00 0000")  # fmt: skip


def test_each_is_told_everything() -> None:
    """In the same words, as if it were alone."""
    seen = Seen(LEG), Seen(LEG)
    taps = Taps(*seen)
    taps.opened(LEG, ("127.0.0.2", 1), ("127.0.0.3", 2), True)
    taps.received(LEG, HELLO)
    taps.sent(LEG.opposite, HELLO)
    taps.terminated()
    taps.revealed()
    taps.ended(LEG, True)
    taps.reset(LEG.opposite, False)
    for each in seen:
        assert [len(each.sightings[leg]) for leg in (LEG, LEG.opposite)] == [1, 1]
        assert (each.ends, each.resets) == ([(LEG, True)], [(LEG.opposite, False)])
