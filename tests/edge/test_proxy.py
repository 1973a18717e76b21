"""Bytes through `sipalg proxy`: what is rewritten and what is not, whatever the segmentation."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.conftest import OpenLink
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive, receive_all, silent
from tests.helpers.system import ProxyProcess, eventually, running_proxy
from tests.helpers.vectors import VECTORS, Vector

ADDRESSES_ONLY = ("--media", "rewrite")


def whole(data: bytes) -> Iterator[bytes]:
    """In one piece."""
    yield data


def in_segments(data: bytes) -> Iterator[bytes]:
    """In pieces of 1000 bytes."""
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    """In pieces of one byte."""
    for start in range(len(data)):
        yield data[start : start + 1]


Cut = Callable[[bytes], Iterator[bytes]]
every_cut = pytest.mark.parametrize("cut", [whole, in_segments, byte_by_byte])


def send(connection: socket.socket, pieces: Iterator[bytes]) -> None:
    """Send pieces, each as a segment of its own as far as the kernel goes along."""
    for piece in pieces:
        connection.sendall(piece)


@every_cut
def test_outward_requests_carry_the_outside_address(link: OpenLink, cut: Cut) -> None:
    """What a client inside sends reaches the server with every address mapped, and nothing else changed."""
    crossing = link()
    sent = request(INSIDE) + request(INSIDE, call="c2", size=1500) + options(INSIDE)
    due = request(OUTSIDE) + request(OUTSIDE, call="c2", size=1500) + options(OUTSIDE)
    send(crossing.client, cut(sent))
    crossing.client.shutdown(socket.SHUT_WR)
    assert receive_all(crossing.server) == due


@every_cut
def test_inward_responses_carry_the_inside_address(link: OpenLink, cut: Cut) -> None:
    """What the server answers reaches the client inside with its own address again."""
    crossing = link()
    send(crossing.server, cut(response(OUTSIDE) + response(OUTSIDE, call="c2", size=1500)))
    crossing.server.shutdown(socket.SHUT_WR)
    assert receive_all(crossing.client) == response(INSIDE) + response(INSIDE, call="c2", size=1500)


@every_cut
def test_clients_outside(link: OpenLink, cut: Cut) -> None:
    """With --side outside the client's bytes go inward and the server's outward."""
    crossing = link("--map", MAP, "--side", "outside", *ADDRESSES_ONLY)
    send(crossing.client, cut(request(OUTSIDE)))
    assert receive(crossing.server, len(request(INSIDE))) == request(INSIDE)
    send(crossing.server, cut(response(INSIDE)))
    crossing.server.shutdown(socket.SHUT_WR)
    assert receive_all(crossing.client) == response(OUTSIDE)
    crossing.client.shutdown(socket.SHUT_WR)
    assert receive_all(crossing.server) == b""


def test_both_directions_at_once(link: OpenLink) -> None:
    """A message that is half there in one direction holds nothing up in the other."""
    crossing = link()
    crossing.client.sendall(request(INSIDE)[:300])
    crossing.server.sendall(response(OUTSIDE)[:200])
    assert silent(crossing.client)
    assert silent(crossing.server)
    crossing.server.sendall(response(OUTSIDE)[200:])
    assert receive(crossing.client, len(response(INSIDE))) == response(INSIDE)
    assert silent(crossing.server)
    crossing.client.sendall(request(INSIDE)[300:])
    assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE)


Pairs = tuple[tuple[str, str], ...]


def _examples() -> list[object]:
    """The hand-written examples by mappings and direction, so that those of one group need one configuration."""
    groups: dict[tuple[Pairs, str], list[Vector]] = {}
    for vector in VECTORS:
        groups.setdefault((vector.maps, vector.direction), []).append(vector)
    return [
        pytest.param(found, id=f"{direction}-{'-'.join(f'{old}={new}' for old, new in maps) or 'no-map'}")
        for (maps, direction), found in groups.items()
    ]


class Reconfigurable:
    """A proxy with a listener for clients inside and one for clients outside, whose mappings can be changed."""

    proxy: ProxyProcess

    def __init__(self, config: Path, upstream: Upstream) -> None:
        self.upstream = upstream
        self._config = config
        self._maps: Pairs | None = None
        self._reloads = 0
        self._write(())

    def _write(self, maps: Pairs) -> None:
        text = '[media]\nmode = "rewrite"\n'
        for side in ("inside", "outside"):
            text += f'[[listener]]\nlisten = "{LOOPBACK}:0"\nto = "{self.upstream.address}"\nside = "{side}"\n'
        for old, new in maps:
            text += f'[[map]]\ninside = "{old}"\noutside = "{new}"\n'
        self._config.write_text(text)

    def use(self, maps: Pairs) -> None:
        """Map as this says from now on."""
        if maps == self._maps:
            return
        self._maps = maps
        self._write(maps)
        self._reloads += 1
        self.proxy.signal(signal.SIGHUP)
        eventually("reloaded", lambda: self.proxy.errors.count("configuration reloaded") == self._reloads)


@pytest.fixture(scope="module")
def reconfigurable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reconfigurable]:
    """One proxy for all examples."""
    config = tmp_path_factory.mktemp("examples") / "sipalg.toml"
    with closing(Upstream()) as target:
        made = Reconfigurable(config, target)
        with running_proxy("--config", str(config), listeners=2) as made.proxy:
            yield made


@pytest.mark.parametrize("vectors", _examples())
def test_hand_written_examples(reconfigurable: Reconfigurable, vectors: list[Vector]) -> None:
    """Each example that holds for the core holds on the wire, on a connection of its own in pieces of 100 bytes."""
    reconfigurable.use(vectors[0].maps)
    port = reconfigurable.proxy.ports[("out", "in").index(vectors[0].direction)]
    for vector in vectors:
        with closing(connect(port)) as client, closing(reconfigurable.upstream.accept()) as server:
            for start in range(0, len(vector.data), 100):
                client.sendall(vector.data[start : start + 100])
            client.shutdown(socket.SHUT_WR)
            assert receive_all(server) == vector.expected, vector.name


def test_without_l4f_nothing_is_touched(link: OpenLink) -> None:
    """With --no-l4f SIP is plain TCP: both directions pass as they are, without waiting for whole messages."""
    crossing = link("--map", MAP, "--no-l4f")
    for start, stop in ((0, 10), (10, 400), (400, len(request(INSIDE)))):
        crossing.client.sendall(request(INSIDE)[start:stop])
        assert receive(crossing.server, stop - start) == request(INSIDE)[start:stop]
    crossing.server.sendall(response(OUTSIDE))
    assert receive(crossing.client, len(response(OUTSIDE))) == response(OUTSIDE)


def test_no_sip_port_nothing_is_touched(link: OpenLink) -> None:
    """A connection with none of the SIP ports at either end passes as it is."""
    crossing = link("--map", MAP, "--sip-port", "5060", "--sip-port", "5070")
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(INSIDE))) == request(INSIDE)
    crossing.server.sendall(response(OUTSIDE)[:100])
    assert receive(crossing.client, 100) == response(OUTSIDE)[:100]


def test_remote_port_is_a_sip_port(start_proxy: StartProxy, upstream: Upstream) -> None:
    """--sip-port counts for the port the proxy connects to as well as for the one it listens on."""
    target = ("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--map", MAP, *ADDRESSES_ONLY)
    proxy = start_proxy(*target, "--sip-port", str(upstream.port))
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        client.sendall(request(INSIDE))
        assert receive(server, len(request(OUTSIDE))) == request(OUTSIDE)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2, id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 10.0.30.2\r\nContact: <sip:10.0.30.2>\r\n\r\n", id="HTTP"),
        pytest.param(b"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.30.2\r\nl: -1\r\n\r\n", id="negative length"),
        pytest.param(bytes(4096), id="zeros"),
    ],
)
def test_bytes_that_are_no_sip_pass(link: OpenLink, data: bytes) -> None:
    """Bytes that are no SIP arrive at once and unchanged, and so does all that follows them in that direction only."""
    crossing = link()
    crossing.client.sendall(data)
    assert receive(crossing.server, len(data)) == data
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(INSIDE))) == request(INSIDE)
    crossing.server.sendall(response(OUTSIDE))
    assert receive(crossing.client, len(response(INSIDE))) == response(INSIDE)


@pytest.mark.parametrize("keep_alive", [b"\r\n\r\n", b"\r\n"], ids=["ping", "pong"])
def test_keep_alives_pass_at_once(link: OpenLink, keep_alive: bytes) -> None:
    """A keep-alive arrives though nothing follows it, in both directions, before and between messages."""
    crossing = link()
    for sender, receiver in ((crossing.client, crossing.server), (crossing.server, crossing.client)):
        sender.sendall(keep_alive)
        assert receive(receiver, len(keep_alive)) == keep_alive
    crossing.client.sendall(request(INSIDE) + keep_alive)
    due = request(OUTSIDE) + keep_alive
    assert receive(crossing.server, len(due)) == due


def test_messages_leave_one_by_one(link: OpenLink) -> None:
    """A whole message does not wait for the one that has begun behind it."""
    crossing = link()
    crossing.client.sendall(options(INSIDE) + request(INSIDE)[:50])
    assert receive(crossing.server, len(options(OUTSIDE))) == options(OUTSIDE)
    assert silent(crossing.server)


def test_pool_answers_through_its_binding(link: OpenLink) -> None:
    """An address of the pool stands for the inside host in requests, and back in the answers on another connection."""
    crossing = link("--pool", OUTSIDE, *ADDRESSES_ONLY)
    crossing.client.sendall(options(INSIDE))
    assert receive(crossing.server, len(options(OUTSIDE))) == options(OUTSIDE)
    later = link(through=crossing.proxy)
    later.server.sendall(options(OUTSIDE))
    assert receive(later.client, len(options(INSIDE))) == options(INSIDE)


def test_several_hundred_connections(start_proxy: StartProxy, upstream: Upstream) -> None:
    """400 connections at once each get their own bytes, in an order unlike that of their making."""
    proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--map", MAP, *ADDRESSES_ONLY)
    clients = [connect(proxy.port) for _ in range(400)]
    try:
        for number, client in enumerate(clients):
            client.sendall(request(INSIDE, call=f"call{number:04}")[:250])
        for number, client in reversed(list(enumerate(clients))):
            client.sendall(request(INSIDE, call=f"call{number:04}")[250:])
        for _ in clients:
            server = upstream.accept()
            size = len(request(OUTSIDE, call="call0000"))
            data = receive(server, size)
            call = data.partition(b"Call-ID: ")[2][:8].decode()
            assert data == request(OUTSIDE, call=call)
            server.sendall(response(OUTSIDE, call=call))
        for number, client in enumerate(clients):
            due = response(INSIDE, call=f"call{number:04}")
            assert receive(client, len(due)) == due
    finally:
        for client in clients:
            client.close()
