"""An Expressway-E: it challenges, asks the Expressway-C, and lets through whom that knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.sip.call_states import End
from harness.sip.message import Response
from tests.harness.peers.mra import CORE, EDGE, MakeMra, Mra
from tests.harness.peers.sparring import abuse
from tests.harness.peers.turning import Turned


@pytest.fixture
def make_mra(turned: Turned) -> Iterator[MakeMra]:
    """Which is closed when the test is over."""
    made: list[Mra] = []

    def make(**options: object) -> Mra:
        made.append(Mra(turned, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_registers(turned: Turned, make_mra: MakeMra) -> None:
    """Challenge, SERVICE over the connection of the Expressway-C, REGISTER behind it; then a call."""
    mra = make_mra()
    outcome = turned.result(mra.phone.register(mra.where).first)
    assert isinstance(outcome, Response)
    assert outcome.status == 200
    assert mra.at_edge.titles()[0] == "OPTIONS"
    assert mra.at_core.titles() == ["200 OPTIONS", "SERVICE", "REGISTER", "200 REGISTER"]
    assert mra.at_phone.titles() == ["407 REGISTER", "200 REGISTER"]
    ours = mra.core.element.transport.connections[0].local
    route = f"<sip:{CORE}:{ours[1]};transport=tcp;apparent;ds;lr>"
    service, register = (mra.at_core.last(each) for each in ("SERVICE", "REGISTER"))
    assert (service.values("Route")[0], register.values("Route")) == (route, [route])
    assert [via.host for via in service.vias] == [EDGE, "127.0.0.1"]
    assert register.first("Proxy-Authorization") is None
    assert list(mra.cucm.registrations) == ["sip:5011@cucm02.example.local"]
    call = mra.phone.call("sip:5010@cucm02.example.local", mra.where)
    assert turned.result(call.established)
    call.hang_up()
    assert turned.result(call.ended).end is End.HUNG_UP
    assert mra.at_core.titles().count("BYE") == 1


def test_wrong_password(turned: Turned, make_mra: MakeMra) -> None:
    """What the Expressway-C says goes to the phone, and the REGISTER goes nowhere."""
    mra = make_mra(password="other")
    outcome = turned.result(mra.phone.register(mra.where).first)
    assert isinstance(outcome, Response)
    assert outcome.status == 403
    assert mra.at_core.titles() == ["200 OPTIONS", "SERVICE"]
    assert mra.cucm.registrations == {}


def test_no_zone(turned: Turned, make_mra: MakeMra) -> None:
    """Without the Expressway-C nobody can register."""
    mra = make_mra(connects=False)
    outcome = turned.result(mra.phone.register(mra.where).first)
    assert isinstance(outcome, Response)
    assert outcome.status == 503


def test_not_registered(turned: Turned, make_mra: MakeMra) -> None:
    """A call of a phone that has not registered is forbidden."""
    mra = make_mra()
    ended = turned.result(mra.phone.call("sip:5010@cucm02.example.local", mra.where).ended)
    assert ended.response is not None
    assert ended.response.status == 403


def test_zone_is_lost(turned: Turned, make_mra: MakeMra) -> None:
    """While the SERVICE waits for its answer: the phone is told 408."""
    mra = make_mra()
    mra.core.element.core = None
    mra.core.element.transactions.receive = lambda message, flow: mra.core.element.transport.connections[0].abort()  # type: ignore[method-assign]
    outcome = turned.result(mra.phone.register(mra.where).first)
    assert isinstance(outcome, Response)
    assert outcome.status == 408


def test_survives(turned: Turned, make_mra: MakeMra) -> None:
    """Torture, garbage, connections cut anywhere: an OPTIONS is answered behind all of it."""
    mra = make_mra()
    assert abuse(turned, mra.where[0].address).startswith(b"SIP/2.0 403 ")
