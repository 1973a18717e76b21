"""What is read off the records that one side saw; they are bytes made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alg.tls.records import TlsObserver
from alg.tls.sightings import Message, Sender, Sighting
from harness.ca import Pki
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_rows import GOOD
from harness.peers.tls_trust import names_of
from tests.harness.peers.pair import Pair

CLIENT, SERVER = Sender.CLIENT, Sender.SERVER
HELLO = bytes.fromhex("16 0301 002f 01 00002b 0303" + "11" * 32 + "00 0002 c02f 01 00 0000")  # fmt: skip
UNKNOWN_CA, CERTIFICATE_UNKNOWN, CLOSE_NOTIFY = (
    bytes.fromhex(f"15 0303 0002 {alert}") for alert in ("02 30", "02 2e", "01 00")
)


def saw(serves: bool, *sent: tuple[Sender, bytes]) -> Meeting:
    """A side that saw this cross."""
    observer = TlsObserver()
    seen = [sighting for sender, data in ((CLIENT, HELLO), *sent) for sighting in observer.feed(sender, data)]
    return Meeting(serves, seen=seen)


@pytest.mark.parametrize(
    ("serves", "sender", "mine"),
    [(True, SERVER, True), (True, CLIENT, False), (False, CLIENT, True), (False, SERVER, False)],
)
def test_whose_alert_it_is(serves: bool, sender: Sender, mine: bool) -> None:
    """Told by the part that this side plays."""
    assert saw(serves, (sender, UNKNOWN_CA)).alert == (mine, "unknown_ca")


def test_the_first_alert_counts_and_a_goodbye_is_none() -> None:
    """What comes behind it does not matter any more."""
    meeting = saw(True, (SERVER, CLOSE_NOTIFY), (CLIENT, CERTIFICATE_UNKNOWN), (SERVER, UNKNOWN_CA))
    assert meeting.alert == (False, "certificate_unknown")
    assert saw(True, (SERVER, CLOSE_NOTIFY)).alert is None
    assert saw(True).alert is None


def test_nothing_was_seen() -> None:
    """Of a connection that never stood."""
    assert (Meeting(False).alert, Meeting(False).chains) == (None, (0, 0))


@pytest.mark.parametrize("serves", [True, False])
def test_finished(serves: bool) -> None:
    """One's own, not that of the other side."""
    for message, sender in ((Message.SERVER_FINISHED, SERVER), (Message.CLIENT_FINISHED, CLIENT)):
        meeting = Meeting(serves, seen=[Sighting(message, sender, 0, 1, {})])
        assert meeting.finished is (serves is (sender is SERVER))
    assert not Meeting(serves).finished


def test_own_names(pki: Pki) -> None:
    """As both sides saw them; none of who was not seen."""
    pair = Pair(pki, GOOD).run()
    assert pair.inside.meeting.own_names == names_of(pki["expressway-e"].certificate)
    assert pair.outside.meeting.own_names == names_of(pki["webex"].certificate)
    assert pair.inside.meeting.names == pair.outside.meeting.names
    assert Meeting(True).own_names is None


def test_chains_that_were_shown(pki: Pki) -> None:
    """This side's own first: three certificates of Expressway-E's, one of Webex's, whoever connects."""
    for inbound in (True, False):
        pair = Pair(pki, replace(GOOD, shown_outside="webex-leaf-only", verify_mode=inbound, inbound=inbound)).run()
        assert pair.inside.meeting.chains == (3, 1)
        assert pair.outside.meeting.chains == (1, 3)
