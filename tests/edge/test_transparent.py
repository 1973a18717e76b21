"""`sipalg proxy --transparent` on a router between two namespaces: real kernel TCP on both sides."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import receive, receive_all
from tests.helpers.lab import CLIENT, SERVER, Address, Opened, Stage, leftovers, segments, stage

NET = ("--inside", "10.0.30.0/24")
ROUTER_OUTSIDE = "203.0.113.1"
ROUTER_INSIDE = "10.0.30.1"
SIP = 5060
UAS: Address = (SERVER, SIP)

METHODS = ("tproxy", "redirect")
SOURCES = ("client", "mapped", "own")
_ports = itertools.count(40000)


@pytest.fixture(scope="module")
def labs() -> Iterator[dict[str, Stage]]:
    """One lab with offload and one without; nothing is left of them."""
    with stage("-on") as on, stage("-off", offload=False) as off:
        clean = on.router_state(), off.router_state()
        yield {"on": on, "off": off}
        assert (on.router_state(), off.router_state()) == clean
    assert leftovers() == []


@pytest.fixture
def opened() -> Iterator[Opened]:
    """What this test opens."""
    with Opened() as everything:
        yield everything


def send(connection: socket.socket, data: bytes, size: int) -> None:
    """Send in pieces, each a segment of its own as far as the kernel goes along."""
    for start in range(0, len(data), size):
        connection.sendall(data[start : start + size])


def exchange(client: socket.socket, server: socket.socket) -> None:
    """Messages of every shape in both directions, until each side has ended its stream."""
    shapes = [
        (request(INSIDE), request(OUTSIDE)),
        (options(INSIDE) * 20, options(OUTSIDE) * 20),
        (request(INSIDE, size=3500), request(OUTSIDE, size=3500)),
        (request(INSIDE, size=65000), request(OUTSIDE, size=65000)),
    ]
    for size in (1 << 20, 1000, 700, 1):
        for sent, due in shapes:
            if size > 1 or len(sent) < 3000:
                send(client, sent, size)
                assert receive(server, len(due)) == due
        send(server, response(OUTSIDE) * 2, size)
        assert receive(client, 2 * len(response(INSIDE))) == response(INSIDE) * 2
    client.sendall(request(INSIDE) + request(INSIDE)[:400])
    client.shutdown(socket.SHUT_WR)
    assert receive_all(server) == request(OUTSIDE) + request(INSIDE)[:400]
    server.sendall(response(OUTSIDE, size=3000))
    server.close()
    assert receive_all(client) == response(INSIDE, size=3000)
    client.close()


@dataclass(frozen=True)
class Standing:
    """A proxy that maps INSIDE to OUTSIDE, and how it was told to."""

    lab: Stage
    source: str

    def host(self, client: str, mapped: str, own: str) -> str:
        """Whom a server sees, by the source that was asked for."""
        return {"client": client, "mapped": mapped, "own": own}[self.source]


@pytest.fixture(scope="module", params=list(itertools.product(("on", "off"), METHODS, SOURCES)), ids="-".join)
def standing(labs: dict[str, Stage], request: pytest.FixtureRequest) -> Iterator[Standing]:
    """Every way to intercept, with every source, with offload and without."""
    offload, method, source = request.param
    proxy = labs[offload].proxy(*NET, "--map", MAP, "--intercept", method, "--source", source)
    yield Standing(labs[offload], source)
    proxy.stop()


def test_messages_of_every_shape(standing: Standing, opened: Opened) -> None:
    """Every message arrives byte-exact, whatever its segmentation."""
    listening = opened.listen(standing.lab, "outside", UAS)
    client = opened.connect(standing.lab, "inside", (CLIENT, next(_ports)), UAS)
    exchange(client, opened.accept(listening)[0])


def test_both_wires_show_the_addresses_asked_for(standing: Standing, opened: Opened, tmp_path: Path) -> None:
    """The client's capture shows the server, the server's shows whom it was to see, and neither shows anybody else."""
    lab, inside, outside = standing.lab, tmp_path / "inside.pcap", tmp_path / "outside.pcap"
    listening = opened.listen(lab, "outside", UAS)
    source = (CLIENT, next(_ports))
    with lab.captured("inside", inside), lab.captured("outside", outside):
        client = opened.connect(lab, "inside", source, UAS)
        server, seen = opened.accept(listening)
        client.sendall(request(INSIDE, size=3000))
        receive(server, len(request(OUTSIDE, size=3000)))
        client.close()
        server.close()
    assert seen[0] == standing.host(CLIENT, OUTSIDE, ROUTER_OUTSIDE)
    assert seen[1] == source[1] or standing.source == "own"
    for capture, address in ((inside, source), (outside, seen)):
        found = segments(capture)
        assert {(each.source, each.destination) for each in found} == {(address, UAS), (UAS, address)}
        assert [each for each in found if each.remark] == []
        assert "INVITE" in {each.method for each in found}


def test_connections_from_outside_reach_the_inside_endpoint(standing: Standing, opened: Opened) -> None:
    """Who calls the outside address gets the endpoint behind it, which sees the caller as it is."""
    listening = opened.listen(standing.lab, "inside", (CLIENT, SIP))
    caller = (SERVER, next(_ports))
    client = opened.connect(standing.lab, "outside", caller, (OUTSIDE, SIP))
    server, seen = opened.accept(listening)
    assert seen[0] == standing.host(SERVER, SERVER, ROUTER_INSIDE)
    assert seen[1] == caller[1] or standing.source == "own"
    client.sendall(request(OUTSIDE))
    assert receive(server, len(request(INSIDE))) == request(INSIDE)
    server.sendall(response(INSIDE))
    assert receive(client, len(response(OUTSIDE))) == response(OUTSIDE)
