"""Faults of a connection at work: when they strike, together and in turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alg.config import AlgConfig
from alg.faults import FAULTS
from alg.faults.spec import FaultSpec
from tests.faults.rig import INWARD, OUTSIDE, OUTWARD, Rig, request, right, session

SENT = request("INVITE", body=session("m=audio 49170 RTP/AVP 0"))


def test_the_nth_message_of_a_connection() -> None:
    """Counted among those for which all else holds, in both directions together."""
    rig = Rig(("contact-forgotten:method=INVITE,nth=2",))
    assert rig.send(request(), SENT, SENT, SENT) == right(request(), SENT) + Rig(("contact-forgotten",)).send(
        SENT
    ) + right(SENT)


def test_faults_add_up() -> None:
    """Each hook runs through all of them."""
    after = Rig(("contact-forgotten", "stale-content-length")).send(SENT)
    assert after == Rig(("stale-content-length",)).send(SENT).replace(b"alice@64.100.0.10", b"alice@10.0.30.2")


def test_faults_are_switched_live() -> None:
    """From the next message boundary on, and off again."""
    rig = Rig(())
    assert rig.send(SENT[:50]) == b""
    config = rig.alg.config
    faulty = AlgConfig(config.nat, media=config.media, faults=(FaultSpec.parse("contact-forgotten"),))
    rig.alg.reconfigure(faulty)
    assert rig.send(SENT[50:]) == right(SENT)
    assert rig.send(SENT) == Rig(("contact-forgotten",)).send(SENT)
    rig.alg.reconfigure(config)
    assert rig.send(SENT) == right(SENT)


def test_conditions_of_messages_spare_keepalives() -> None:
    """A keep-alive has no method."""
    assert Rig(("keepalive-swallowed:method=INVITE",)).send(b"\r\n\r\n") == b"\r\n\r\n"


def test_chance_spares_some() -> None:
    """Neither all nor none."""
    rig = Rig(("keepalive-swallowed:probability=0.5,seed=3",))
    left = rig.send(*[b"\r\n\r\n"] * 100)
    assert 20 < len(left) // 4 < 80


def test_what_left_is_in_the_deltas() -> None:
    """A dropped message is a stretch that leaves as nothing."""
    rig = Rig(("unknown-method-dropped:known=BYE",))
    rig.send(request("SERVICE"), request("BYE"))
    assert rig.connection.offsets(OUTWARD)[1] == len(right(request("BYE")))
    assert rig.connection.deltas(OUTWARD)


@given(
    st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=4),
    st.lists(st.binary(max_size=60) | st.sampled_from([SENT, SENT[:90], SENT[90:], b"\r\n\r\n"]), max_size=8),
)
def test_no_bytes_and_no_mixture_upset_it(faults: list[str], pieces: list[bytes]) -> None:
    """Nothing is raised, in either direction, and the counts of bytes that came stay right."""
    rig = Rig(tuple(faults))
    for piece in pieces:
        rig.send(piece)
        rig.send(piece.replace(b"10.0.30.2", OUTSIDE.encode()), direction=INWARD)
    came = sum(map(len, pieces))
    assert rig.connection.offsets(OUTWARD)[0] + rig.connection.held(OUTWARD) == came
