"""Requests that are swallowed."""

from __future__ import annotations

from tests.faults.rig import OUTWARD, Rig, request, right


def test_methods_that_are_not_on_the_list_are_dropped() -> None:
    """SERVICE disappears; what is around it passes, and the counts of bytes agree."""
    rig = Rig(("unknown-method-dropped",))
    sent = (request("OPTIONS"), request("SERVICE"), request("BYE"))
    assert rig.send(*sent) == right(sent[0], sent[2])
    assert rig.struck == ["unknown-method-dropped"]
    assert rig.connection.offsets(OUTWARD) == (sum(map(len, sent)), len(right(sent[0], sent[2])))


def test_a_list_of_ones_own() -> None:
    """In any case; responses always pass."""
    rig = Rig(("unknown-method-dropped:known=service+ack",))
    assert rig.send(request("SERVICE")) == right(request("SERVICE"))
    assert rig.send(request("OPTIONS")) == b""
    response = request("OPTIONS").replace(b"OPTIONS sip:bob@192.0.2.7 SIP/2.0", b"SIP/2.0 200 OK", 1)
    assert rig.send(response) == right(response)
