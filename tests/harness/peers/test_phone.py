"""A phone: it registers with digest, calls, is called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.peers.phone import Phone, PhoneSettings
from harness.sip.call_states import End
from harness.sip.digest import Challenge, Credentials, proves
from harness.sip.flow import Target
from harness.sip.message import Request, Response
from harness.sip.server import ServerTransaction
from tests.harness.peers.sparring import HOST, SLOW, Opponent, abuse, close
from tests.harness.peers.turning import Turned

CHALLENGE = Challenge("expe.example.com", "abc")


@pytest.fixture
def opponent(turned: Turned) -> Iterator[Opponent]:
    """A registrar."""
    opponent = Opponent.make(turned)
    yield opponent
    opponent.close(turned)


@pytest.fixture
def phone(turned: Turned) -> Iterator[Phone]:
    """Not yet registered."""
    phone = Phone(turned.reactor, PhoneSettings(), HOST, SLOW)
    yield phone
    close(turned, phone)


@pytest.mark.parametrize(("password", "registered"), [("phone-secret", True), ("another", False)])
def test_registers(turned: Turned, phone: Phone, opponent: Opponent, password: str, registered: bool) -> None:
    """It answers a challenge with its password, once; it says which device it is."""
    who = Credentials("phone.user", password)

    def answer(request: Request, transaction: ServerTransaction) -> None:
        proof = request.first("Proxy-Authorization")
        if proof is not None and proves(proof, CHALLENGE, who, "REGISTER"):
            transaction.respond(Response.to_request(request, 200, fields=[("Expires", "60")], tag="a"))
        else:
            fields = [("Proxy-Authenticate", str(CHALLENGE))]
            transaction.respond(Response.to_request(request, 407, fields=fields, tag="a"))

    opponent.agent.handlers["REGISTER"] = answer
    registration = phone.register([Target("TCP", *opponent.at)])
    turned.result(registration.first)
    assert registration.registered is registered
    assert opponent.tap.titles() == ["REGISTER", "REGISTER"]
    contact = opponent.tap.last("REGISTER").first("Contact")
    assert ';+u.sip!devicename.ccm.cisco.com="CSFPHONEUSER"' in contact
    assert opponent.tap.last("REGISTER").uri == "sip:cucm02.example.local"


def test_calls(turned: Turned, phone: Phone, opponent: Opponent) -> None:
    """To somebody, and from somebody."""
    call = phone.call("sip:5010@cucm02.example.local", [Target("TCP", *opponent.at)])
    assert turned.result(call.established)
    call.hang_up()
    assert turned.result(call.ended).end is End.HUNG_UP
    back = opponent.agent.call("sip:5011@cucm02.example.local", where=[Target("TCP", *phone.listen((HOST, 0)))])
    assert turned.result(back.established)
    back.hang_up()
    turned.result(back.ended)


def test_survives(turned: Turned, phone: Phone) -> None:
    """Torture, garbage, connections cut anywhere: an OPTIONS is answered behind all of it."""
    assert abuse(turned, phone.listen((HOST, 0))).startswith(b"SIP/2.0 200 ")
