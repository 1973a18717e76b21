"""The two legs, and an output that asks for nothing."""

from __future__ import annotations

from alg.tls.legs import Ending, Failed, Leg, Output


def test_legs_have_each_other() -> None:
    """Each is the other's other, and both are indexes."""
    assert [leg.other.other for leg in Leg] == [Leg.CLIENT, Leg.SERVER]
    assert [leg.label for leg in Leg] == ["client", "server"]


def test_empty_output_is_nobody_elses() -> None:
    """What is written into one shows in no other."""
    written = Output()
    written.to_send[Leg.SERVER] += b"x"
    written.clear[Leg.CLIENT] += b"x"
    written.endings[Leg.CLIENT] = Ending.FIN
    written.events.append(Failed(Leg.CLIENT, "x"))
    assert Output() == Output([b"", b""], [b"", b""], [None, None], [])
