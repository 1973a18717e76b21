"""An L2SIP server: headers, codecs and sizes of its messages, and what it does when nobody acknowledges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.peers.webex import Webex, WebexSettings
from harness.sip.call import Call
from harness.sip.call_states import CallState, End
from harness.sip.flow import Target
from harness.sip.message import Request
from harness.sip.offer_answer import agreed
from tests.harness.peers.sparring import FAST, HOST, SLOW, Opponent, abuse, close, srtp_phone
from tests.harness.peers.turning import Turned


class Server:
    """Webex, listening."""

    def __init__(self, turned: Turned, settings: WebexSettings, fast: bool = False) -> None:
        self.webex = Webex(turned.reactor, settings, HOST, FAST if fast else SLOW)
        self.where = [Target("TCP", *self.webex.listen((HOST, 0)))]


def has_audio(call: Call) -> bool:
    """Whether both sides have agreed on some."""
    return all(said is not None and agreed(said) for said in (call.local, call.remote))


@pytest.fixture
def server(turned: Turned) -> Iterator[Server]:
    """With its defaults."""
    server = Server(turned, WebexSettings())
    yield server
    close(turned, server.webex)


@pytest.fixture
def opponent(turned: Turned) -> Iterator[Opponent]:
    """On-premises."""
    opponent = Opponent.make(turned, srtp_phone("PCMU", "G722", "DTMF"))
    yield opponent
    opponent.close(turned)


def test_calls(turned: Turned, server: Server, opponent: Opponent) -> None:
    """An INVITE has the Contact parameter by which Webex knows it again, an offer, and 4 to 5 kB."""
    call = server.webex.call("sip:5010@example.local", [Target("TCP", *opponent.at)])
    assert turned.result(call.established)
    assert has_audio(call)
    invite: Request = opponent.tap.last("INVITE")
    assert 4000 < len(invite.to_bytes()) < 5000
    host, port = server.where[0].address
    expected = f'"l2sip-UA" <sip:l2sip-UA@{host}:{port};transport=tcp>;call-type=squared'
    assert invite.first("Contact") == expected
    assert invite.first("User-Agent") == "Cisco-L2SIP"
    assert b"MP4A-LATM" in invite.body
    call.hang_up()
    assert turned.result(call.ended).end is End.HUNG_UP
    assert server.webex.declined == []


def test_is_called(turned: Turned, server: Server, opponent: Opponent) -> None:
    """Its 200 has Locus and Session-ID, and no call type; the call is not declined when it was acknowledged."""
    call = opponent.agent.call("sip:alice@example.call.ciscospark.com", where=server.where)
    assert turned.result(call.established)
    answer = opponent.tap.last("200 INVITE")
    assert answer.first("Locus-Type") == "CALL"
    assert answer.first("Session-ID").endswith(";remote=" + "0" * 32)
    assert "call-type" not in answer.first("Contact")
    (theirs,) = server.webex.agent.calls
    assert has_audio(theirs)
    call.hang_up()
    turned.result(call.ended)
    assert theirs.state is CallState.ENDED


def test_no_common_codec(turned: Turned, server: Server, opponent: Opponent) -> None:
    """G.729 alone: the call is answered all the same, its audio with port 0 and an asterisk."""
    opponent.agent.capabilities = srtp_phone("G729", "DTMF")
    call = opponent.agent.call("sip:alice@example.call.ciscospark.com", where=server.where)
    assert turned.result(call.established)
    assert b"m=audio 0 RTP/SAVP *\r\n" in opponent.tap.last("200 INVITE").body
    assert not has_audio(call)
    call.hang_up()
    turned.result(call.ended)


@pytest.mark.parametrize("participants", [0, 8])
def test_conference(turned: Turned, opponent: Opponent, participants: int) -> None:
    """Messages grow with those who take part."""
    server = Server(turned, WebexSettings(locus_participants=participants))
    call = opponent.agent.call("sip:alice@example.call.ciscospark.com", early=False, where=server.where)
    assert turned.result(call.established)
    assert (len(opponent.tap.last("200 INVITE").to_bytes()) > 5000) is (participants == 8)
    call.hang_up()
    turned.result(call.ended)
    close(turned, server.webex)


def test_nobody_acknowledges(turned: Turned) -> None:
    """Behind its 200, and as many repetitions as there is time for, comes 603 Decline, and then a BYE."""
    server = Server(turned, WebexSettings(), fast=True)
    opponent = Opponent.make(turned, srtp_phone("PCMU"), SLOW)
    opponent.agent.element.send_once = lambda request, where, finish: None  # type: ignore[method-assign]
    opponent.agent.call("sip:alice@example.call.ciscospark.com", where=server.where)
    turned.until("603", lambda: "603 INVITE" in opponent.tap.titles())
    assert opponent.tap.titles().count("200 INVITE") > 1
    assert opponent.tap.last("603 INVITE").to.tag == opponent.tap.last("200 INVITE").to.tag
    turned.until("BYE", lambda: "BYE" in opponent.tap.titles())
    assert len(server.webex.declined) == 1
    close(turned, server.webex)
    opponent.close(turned)


def test_hung_up_while_it_rings(turned: Turned, opponent: Opponent) -> None:
    """A call that is cancelled is not answered any more."""
    server = Server(turned, WebexSettings(ring=60.0))
    call = opponent.agent.call("sip:alice@example.call.ciscospark.com", where=server.where)
    turned.until("it rings", lambda: "180 INVITE" in opponent.tap.titles())
    call.hang_up()
    assert turned.result(call.ended).end is End.CANCELLED
    close(turned, server.webex)


def test_survives(turned: Turned, server: Server) -> None:
    """Torture, garbage, connections cut anywhere: an OPTIONS is answered behind all of it."""
    assert abuse(turned, server.where[0].address).startswith(b"SIP/2.0 200 ")


def test_flow_that_is_gone(turned: Turned) -> None:
    """Declining a call whose connection is gone ends it none the less."""
    server = Server(turned, WebexSettings(), fast=True)
    opponent = Opponent.make(turned, srtp_phone("PCMU"))
    opponent.agent.element.send_once = lambda request, where, finish: None  # type: ignore[method-assign]
    opponent.agent.call("sip:alice@example.call.ciscospark.com", where=server.where)
    turned.until("the 200", lambda: "200 INVITE" in opponent.tap.titles())
    for connection in opponent.agent.element.transport.connections:
        connection.abort()
    turned.until("it is declined", lambda: bool(server.webex.declined))
    close(turned, server.webex)
    opponent.close(turned)
