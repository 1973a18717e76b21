"""Everybody on a stage: who listens where, who may be somebody else, and what is captured."""

from __future__ import annotations

import socket
from dataclasses import replace
from random import Random

import pytest
from twisted.internet.defer import Deferred

from harness.capture.reader import read_capture
from harness.scenarios.stage import Stage
from harness.scenarios.traversal.acts import ANSWER, call_in
from harness.scenarios.traversal.cast import CUCM, WEBEX, Cast
from harness.scenarios.traversal.ground import Dial
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
    assert cast.facts == {"traversal zone": "active"}


def test_somebody_else_takes_part(turned: Turned, stage: Stage) -> None:
    """Nobody is played in their place."""
    peers = {CUCM: (stage.network.host(30), 5070), WEBEX: (stage.network.host(31), 5080)}
    cast = opened(turned, replace(stage, peers=peers), Dial())
    assert (cast.webex, cast.cucm) == (None, None)
    assert (stage.directory / "expressway-c.toml").read_text().count(stage.network.host(30)) == 1
    close(turned, cast)


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
    turned.until("all of them came", lambda: len(cast.at_expe.accepted) > len(ports) * len(pieces))
    turned.result(Deferred.fromCoroutine(_call_in(cast)))
    assert cast.facts[ANSWER] == "200 OK"
    close(turned, cast)


async def _call_in(cast: Cast) -> None:
    await call_in(cast)
