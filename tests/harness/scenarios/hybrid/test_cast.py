"""Everybody on a stage: who listens where, who may be somebody else, and what is captured."""

from __future__ import annotations

import socket
from dataclasses import replace
from random import Random

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from harness.capture.reader import read_capture
from harness.scenarios.hybrid.acts import call_in
from harness.scenarios.hybrid.cast import TRACE, Cast
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.hybrid.legs import CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX, Leg
from harness.scenarios.hybrid.parties import Stranger
from harness.scenarios.hybrid.seeing import ANSWER, zone_stands
from harness.scenarios.stage import Stage
from tests.harness.peers.turning import Turned


def opened(turned: Turned, stage: Stage, dial: Dial) -> Cast:
    """A cast at work."""
    cast = Cast(stage, dial)
    turned.result(Deferred.fromCoroutine(cast.open()))
    return cast


def close(turned: Turned, cast: Cast) -> None:
    """To the last connection."""
    turned.result(Deferred.fromCoroutine(cast.close()))


def state(address: tuple[str, int]) -> str:
    """Of a port, as somebody sees it who connects."""
    try:
        with socket.create_connection(address, timeout=0.3):
            return "open"
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "closed"


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        (Dial(), {"mtls": "open", "public": "closed", "webex": "open", "b2b": "closed"}),
        (Dial(mtls=False), {"mtls": "closed", "public": "closed", "webex": "open", "b2b": "closed"}),
        (Dial(static_nat=True), {"mtls": "open", "public": "open", "webex": "open", "b2b": "closed"}),
        (
            Dial(static_nat=True, blocked_inbound=True),
            {"mtls": "open", "public": "silent", "webex": "open", "b2b": "closed"},
        ),
        (Dial(override=False), {"mtls": "open", "public": "closed", "webex": "open", "b2b": "silent"}),
        (Dial(blocked_outbound=True), {"mtls": "open", "public": "closed", "webex": "silent", "b2b": "closed"}),
    ],
)
def test_ports(turned: Turned, stage: Stage, dial: Dial, expected: dict[str, str]) -> None:
    """Open, closed or silent, as the dial says."""
    cast = opened(turned, stage, dial)
    here = cast.ground
    ports = {
        "mtls": (here.expe, 5062),
        "public": (here.public, 5062),
        "webex": (here.webex_hosts[0], 5062),
        "b2b": (here.webex_hosts[0], 5061),
    }
    assert turned.meanwhile(lambda: {name: state(address) for name, address in ports.items()}) == expected
    close(turned, cast)
    assert zone_stands(cast.sights)


def test_somebody_else_takes_part(turned: Turned, stage: Stage) -> None:
    """Nobody is played in their place, and nobody tells what they would have told."""
    peers = {CUCM: (stage.network.host(30), 5070), WEBEX: (stage.network.host(31), 5080)}
    cast = opened(turned, replace(stage, peers=peers), Dial())
    assert isinstance(cast.webex, Stranger)
    assert isinstance(cast.cucm, Stranger)
    assert (stage.directory / "expressway-c.toml").read_text().count(stage.network.host(30)) == 1
    assert set(cast.logs) == {"Expressway-C", "Expressway-E"}
    assert set(cast.strangers) == {CUCM, WEBEX}
    close(turned, cast)


def test_no_expressway_is_ours(turned: Turned, stage: Stage) -> None:
    """CUCM and Webex are, and see their legs; the one in between nobody sees."""
    address = stage.network.host(30), 5070
    cast = opened(turned, replace(stage, peers=dict.fromkeys((EXPRESSWAY_C, EXPRESSWAY_E), address)), Dial())
    assert set(cast.logs) == {TRACE}
    assert set(cast.strangers) == {EXPRESSWAY_C, EXPRESSWAY_E, Leg.ZONE.value}
    assert cast.trunk.address == address
    close(turned, cast)


def test_an_expressway_c_that_does_not_come(turned: Turned, stage: Stage) -> None:
    """It is asked, with the address of the zone, and waited for."""
    asked: list[str] = []
    waiting = replace(stage, peers={EXPRESSWAY_C: (stage.network.host(30), 5060)}, wait=0.2, tell=asked.append)
    cast = Cast(waiting, Dial())
    with pytest.raises(TimeoutError, match="expressway-c has not connected"):
        turned.result(Deferred.fromCoroutine(cast.open()))
    order = f"expressway-c: connect the traversal zone to {stage.network.host(3)}:7003 over TCP, and send OPTIONS"
    assert asked[0].startswith(order)
    close(turned, cast)


def test_what_webex_is_told(turned: Turned, stage: Stage) -> None:
    """Where DNS is, what to look up, and what is found there: nothing, if that is what is wrong."""
    for dial, found in ((Dial(), 3), (Dial(static_nat=True), 64), (Dial(published=False), None)):
        cast = Cast(stage, dial)
        wanted = "nothing" if found is None else f"{stage.network.host(found)}:5062"
        assert cast.destination == (
            "over TLS at the SRV record _sips._tcp.mtls.example.com, for which DNS at "
            f"{stage.network.host(53)}:5353 has {wanted}"
        )
        close(turned, cast)


def test_strangers_have_more_time_once(turned: Turned, stage: Stage) -> None:
    """What was used up of it is gone."""
    clock = Clock()
    cast = Cast(replace(stage, reactor=clock, wait=3.0), Dial())
    for longest in (5.0, 2.0):
        waiting = Deferred.fromCoroutine(cast.until(lambda: False, 2.0))
        clock.pump([0.25] * int(4 * longest - 1))
        assert not waiting.called
        clock.pump([0.25, 0.25])
        assert waiting.called
    turned.result(Deferred.fromCoroutine(cast.close()))


def test_what_is_kept(turned: Turned, stage: Stage) -> None:
    """Configurations, logs, and packets of the traversal zone with what decrypts them."""
    close(turned, opened(turned, stage, Dial()))
    assert "Handshake succeeded" in (stage.directory / "expressway-c.log").read_text()
    packets = list(read_capture(str(stage.directory / "capture.pcapng")))
    assert {packet.interface.name for packet in packets} == {"inside"}
    assert b"CLIENT_RANDOM" in (stage.directory / "capture.pcapng").read_bytes()


def test_garbage_at_ports_of_tls(turned: Turned, stage: Stage) -> None:
    """Bytes by chance, SIP in clear text, half a record, and a connection that is reset: calls come in afterwards."""
    cast = opened(turned, stage, Dial())
    chance = Random(7003)
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    pieces = [b"", hello, b"OPTIONS sip:expe.example.com SIP/2.0\r\n\r\n", *map(chance.randbytes, (5, 500, 5000))]
    ports = 5061, 5062, 7003

    def send() -> None:
        for port in ports:
            for piece in pieces:
                with socket.create_connection((cast.ground.expe, port), timeout=10) as connection:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    connection.sendall(piece)

    turned.meanwhile(send)
    seen = [cast.sights[leg].messages for leg in (Leg.OUTSIDE, Leg.ZONE)]
    wanted = len(ports) * len(pieces)
    turned.until("all of them came", lambda: sum(len(each.accepted) for each in seen) > wanted)
    turned.result(Deferred.fromCoroutine(_call_in(cast)))
    assert cast.facts[ANSWER] == "200 OK"
    close(turned, cast)


async def _call_in(cast: Cast) -> None:
    await call_in(cast)
