"""One leg on its own: what it sends, how it ends, what it tells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alg.tls.contexts import Contexts
from alg.tls.endpoint import TlsFailure
from alg.tls.legs import Alert, Ending, Leg, LegUp, Output, StreamEnded
from alg.tls.policy import BridgePolicy, OnFailure
from alg.tls.side import Side
from tests.tls.far_ends import NAME, FarEnd, papers, server

ALERT = bytes.fromhex("15030300020250")
CONTEXTS = Contexts(BridgePolicy(), papers().authority)


def side_to(far_end: FarEnd, complete: bool = True) -> Side:
    """A server leg, up or with its ClientHello sent."""
    side = Side(Leg.SERVER, None)
    side.open(CONTEXTS.server_leg(side.notes, datetime.now(UTC), NAME, None, []), NAME)
    for _ in range(3 if complete else 1):
        output = Output()
        side.shake(output)
        side.announce(output)
        far_end.take(output.to_send[Leg.SERVER])
        if complete:
            side.take(far_end.step())
    assert side.up is complete
    return side


def test_bytes_wait_for_the_leg_to_open() -> None:
    """What came before is not lost, and is no longer kept."""
    side = Side(Leg.SERVER, None)
    side.take(b"220 ")
    side.take(b"ready")
    assert side.early == b"220 ready"
    side.open(CONTEXTS.server_leg(side.notes, datetime.now(UTC), None, None, []), None)
    assert side.early == b""
    with pytest.raises(TlsFailure, match="wrong version number"):
        side.shake(Output())


@pytest.mark.parametrize(("said", "sent"), [(b"", b""), (b"\x16", ALERT)])
def test_alert_for_a_client_who_has_greeted(said: bytes, sent: bytes) -> None:
    """Who has said nothing is told nothing."""
    side, output = Side(Leg.CLIENT, None), Output()
    side.take(said)
    side.finish(OnFailure.ALERT, output)
    assert output.to_send == [sent, b""]
    assert output.endings == [Ending.FIN, None]
    assert output.events == ([Alert(Leg.CLIENT, True, "fatal", "internal_error")] if sent else [])


def test_alert_for_a_server_that_was_greeted() -> None:
    """In clear, which is all that it can read."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = side_to(far_end, complete=False)
    side.finish(OnFailure.ALERT, output)
    assert output.to_send == [b"", ALERT]


def test_nothing_for_a_server_in_the_middle() -> None:
    """There is no alert that it could read and OpenSSL would write."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = side_to(far_end, complete=False)
    side.take(far_end.step()[:50])
    side.shake(output)
    assert side.midway
    side.finish(OnFailure.ALERT, output)
    assert (output.to_send, output.endings) == ([b"", b""], [None, Ending.FIN])


@pytest.mark.parametrize(
    ("how", "ending", "alerted"),
    [
        (OnFailure.ALERT, Ending.FIN, True),
        (OnFailure.CLOSE, Ending.FIN, False),
        (OnFailure.RESET, Ending.RESET, False),
    ],
)
def test_end_of_a_leg_that_is_up(how: OnFailure, ending: Ending, alerted: bool) -> None:
    """With close_notify or without, or at once; once, but a reset goes through."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = side_to(far_end)
    side.finish(how, output)
    assert output.endings == [None, ending]
    assert bool(output.to_send[Leg.SERVER]) is alerted
    again = Output()
    side.finish(OnFailure.ALERT, again)
    assert again == Output()
    side.finish(OnFailure.RESET, again)
    assert again.endings == [None, Ending.RESET]


def test_nothing_is_sent_behind_the_ending() -> None:
    """OpenSSL may have more to say, as to a client's request for new keys; the stream is closed."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = side_to(far_end)
    side.finish(OnFailure.CLOSE, output)
    assert side.end is not None
    side.end.write(b"late")
    side.collect(output)
    assert output.to_send == [b"", b""]


def test_leg_tells_that_it_is_up_once() -> None:
    """With what its peer has shown."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = Side(Leg.SERVER, None)
    side.open(CONTEXTS.server_leg(side.notes, datetime.now(UTC), NAME, None, []), NAME)
    for _ in range(3):
        side.shake(output)
        side.announce(output)
        far_end.take(output.to_send[Leg.SERVER])
        output.to_send[Leg.SERVER] = b""
        side.take(far_end.step())
    (event,) = output.events
    assert isinstance(event, LegUp)
    assert (event.leg, event.peer_subject, event.server_name) == (Leg.SERVER, f"CN={NAME}", NAME)


def test_end_of_the_stream_is_told_once() -> None:
    """Behind the clear text."""
    far_end, output = FarEnd(server(), True, None), Output()
    side = side_to(far_end)
    far_end.say(b"BYE")
    far_end.say_goodbye()
    side.take(far_end.step())
    side.read(output)
    side.deliver(output)
    side.deliver(output)
    assert output.clear == [b"", b"BYE"]
    assert [event for event in output.events if isinstance(event, StreamEnded)] == [StreamEnded(Leg.SERVER, True)]
    assert not side.truncated


def test_end_before_the_leg_is_open() -> None:
    """Nobody waits for more then."""
    side = Side(Leg.CLIENT, None)
    with pytest.raises(TlsFailure, match="unexpected eof while reading"):
        side.take_eof()
    assert side.eof
