"""Sockets: messages arrive whole, connections are used again, and every end is told."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.sip.connection import Connection
from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.stream import Oversize
from tests.harness.peers.turning import Turned
from tests.harness.sip.samples import request, response, wire
from tests.harness.sip.sockets import HOST, Node, dial
from tests.helpers.system import PATIENCE
from tests.test_torture import BEYOND_FRAMING, INSIDE, WELL_FORMED, filled

Make = Callable[..., Node]


@pytest.fixture
def make(turned: Turned) -> Iterator[Make]:
    """Makes nodes, which are gone when the test is over."""
    made: list[Node] = []

    def make_node(**settings: Any) -> Node:
        made.append(Node(turned, **settings))
        return made[-1]

    yield make_node
    for node in made:
        node.close()


@pytest.mark.parametrize("kind", ["UDP", "TCP"])
def test_there_and_back(make: Make, kind: str) -> None:
    """A request, and a response on the same flow."""
    alice, bob = make(), make()
    target = Target(kind, *bob.transport.listen(kind, (HOST, 0)))
    alice.transport.listen(kind, (HOST, 0))
    flow = alice.flow(target)
    assert (flow.kind, flow.remote, flow.reliable, flow.open) == (kind, target.address, kind == "TCP", True)
    assert flow.send(request("OPTIONS"))
    (asked,) = bob.got(1)
    assert asked.to_bytes() == request("OPTIONS").to_bytes()
    back = bob.messages[0][1]
    assert (back.remote, back.serves) == (flow.local, kind == "TCP")
    assert back.send(response(asked, 200))
    alice.got(1)
    assert (alice.tap.said[-2:], bob.tap.said[-2:]) == (
        ["sent OPTIONS", "received SIP/2.0"],
        ["received OPTIONS", "sent SIP/2.0"],
    )


def test_connection_is_used_again(make: Make) -> None:
    """By both ends, and by those who ask for it while it is being made."""
    alice, bob = make(), make()
    target = Target("TCP", *bob.transport.listen("TCP", (HOST, 0)))
    waiting = [alice.transport.flow_to(target) for _ in range(3)]
    flows = [alice.turned.result(each) for each in waiting] + [alice.flow(target)]
    assert len({id(flow) for flow in flows}) == 1
    bob.turned.until("it is accepted", lambda: bool(bob.transport.connections))
    assert bob.flow(Target("TCP", *flows[0].local)) is bob.transport.connections[0]
    assert alice.tap.said == ["connecting", "connected"]


def test_refused(make: Make) -> None:
    """Is told to whoever waits, and to taps with the port it would have come from."""
    alice, bob = make(), make()
    address = bob.transport.listen("TCP", (HOST, 0))
    bob.close()
    with pytest.raises(FlowFailed, match="could not be made"):
        alice.flow(Target("TCP", *address))
    with pytest.raises(FlowFailed, match="no SCTP here"):
        alice.flow(Target("SCTP", *address))
    with pytest.raises(FlowFailed, match="no TLS here"):
        alice.flow(Target("TLS", *address))
    assert alice.tap.said == ["connecting", "failed: could not be made"]


def test_silence(make: Make, turned: Turned) -> None:
    """A connection that is never answered times out: nobody accepts, and the backlog is full."""
    alice = make(connect_timeout=0.3)
    with socket.socket() as full:
        full.bind((HOST, 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(FlowFailed, match="timed out"):
            alice.flow(Target("TCP", *address))
        for each in waiting:
            each.close()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_lost(make: Make, how: str) -> None:
    """FIN and RST are told apart."""
    bob = make()
    client = dial(bob.transport.listen("TCP", (HOST, 0)))
    client.sendall(request("OPTIONS").to_bytes())
    bob.got(1)
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    bob.turned.until("it is gone", lambda: bool(bob.losses))
    assert bob.losses == [Loss.EOF if how == "close" else Loss.RESET]
    assert not bob.messages[0][1].open
    assert not bob.messages[0][1].send(request())


def test_half_a_message(make: Make) -> None:
    """Is none, wherever the connection ends."""
    bob = make()
    address = bob.transport.listen("TCP", (HOST, 0))
    data = request().with_body(b"v=0\r\n").to_bytes()
    places = range(0, len(data), 23)
    for place in places:
        with dial(address) as client:
            client.sendall(data[:place])
    bob.turned.until("all are gone", lambda: len(bob.losses) == len(places))
    assert bob.messages == []
    assert set(bob.losses) == {Loss.EOF}


def test_keep_alive(make: Make) -> None:
    """A ping gets its pong (RFC 5626 3.5.1), and a datagram of line ends is nothing."""
    bob = make()
    with dial(bob.transport.listen("TCP", (HOST, 0))) as client:
        client.sendall(b"\r\n\r\n")
        assert bob.turned.meanwhile(lambda: client.recv(10)) == b"\r\n"
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"\r\n\r\n", bob.transport.listen("UDP", (HOST, 0)))
        client.sendto(request().to_bytes(), bob.transport.addresses[1][1])
        bob.got(1)
    assert "ping" in bob.tap.said
    assert "malformed" not in "".join(bob.tap.said)


@pytest.mark.parametrize("size", [4990, 5001])
def test_limit(make: Make, size: int) -> None:
    """Past it the connection is reset without an answer, as a CUCM does; up to it nothing happens."""
    bob = make(max_message=5000)
    bare = request().drop("Content-Length").put("Content-Length", "4000")
    message = bare.to_bytes() + b"x" * 4000
    padded = message.replace(b"Call-ID: call-1", b"Call-ID: call-1" + b"0" * (size - len(message)))
    assert len(padded) == size
    with dial(bob.transport.listen("TCP", (HOST, 0))) as client:
        client.sendall(padded)
        if size <= 5000:
            bob.got(1)
            return
        bob.turned.until("it is gone", lambda: bool(bob.losses))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert (bob.losses, bob.messages) == ([Loss.OVERSIZE], [])
    assert bob.tap.said == ["connected", f"oversize {size}", Loss.OVERSIZE.value]


def test_limit_by_another_rule(make: Make) -> None:
    """What happens past the limit is the element's rule."""
    seen: list[Oversize] = []

    def close(connection: Connection, message: Oversize) -> None:
        seen.append(message)
        connection.send_bytes(b"SIP/2.0 513 Message Too Large\r\n\r\n")
        connection.hang_up()

    bob = make(max_message=100, on_oversize=close)
    with dial(bob.transport.listen("TCP", (HOST, 0))) as client:
        client.sendall(request().to_bytes())
        assert bob.turned.meanwhile(lambda: client.recv(1000)).startswith(b"SIP/2.0 513")
    bob.turned.until("it is gone", lambda: bool(bob.losses))
    assert len(seen) == 1


def test_datagram_past_the_limit(make: Make) -> None:
    """Is dropped, and told."""
    bob = make(max_message=100)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(request().to_bytes(), bob.transport.listen("UDP", (HOST, 0)))
    bob.turned.until("it is told", lambda: bool(bob.tap.said))
    assert bob.tap.said[0].startswith("oversize")
    assert bob.messages == []


@pytest.mark.parametrize("name", [*WELL_FORMED, *BEYOND_FRAMING])
def test_torture(make: Make, name: str) -> None:
    """After RFC 4475: by datagram and in pieces over a connection; the next message of another one arrives."""
    bob = make()
    streams, datagrams = bob.transport.listen("TCP", (HOST, 0)), bob.transport.listen("UDP", (HOST, 0))
    data = filled(WELL_FORMED.get(name, b"") or BEYOND_FRAMING[name], INSIDE)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(data[:60000], datagrams)
        client.sendto(request("OPTIONS").to_bytes(), datagrams)
    with dial(streams) as client:
        for piece in (data[:50], data[50:51], data[51:]):
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        bob.turned.until("it is gone", lambda: bool(bob.losses))
    bob.turned.until(
        "the next one", lambda: any(getattr(message, "method", "") == "OPTIONS" for message, _ in bob.messages)
    )


def test_garbage(make: Make) -> None:
    """What is no SIP ends its connection, and is told."""
    bob = make()
    with dial(bob.transport.listen("TCP", (HOST, 0))) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert bob.turned.meanwhile(lambda: client.recv(10)) == b""
    bob.turned.until("it is gone", lambda: bool(bob.losses))
    assert bob.losses == [Loss.UNFRAMED]
    assert "malformed: start-line" in bob.tap.said


def test_message_that_cannot_be_read(make: Make) -> None:
    """Between others over a connection it is left out."""
    bob = make()
    with dial(bob.transport.listen("TCP", (HOST, 0))) as client:
        client.sendall(wire("OPTIONS sip:a SIP/2.0\nno field\n\n") + request("OPTIONS").to_bytes())
        bob.got(1)
    bob.turned.until("it is gone", lambda: bool(bob.losses))
    assert bob.tap.said.count("malformed: header-field") == 1


def test_source(make: Make) -> None:
    """Connections and datagrams come from the address of the listener."""
    alice, bob = make(), make()
    alice.transport.listen("UDP", ("127.0.0.9", 0))
    for kind in ("TCP", "UDP"):
        flow = alice.flow(Target(kind, *bob.transport.listen(kind, (HOST, 0))))
        assert flow.local[0] == "127.0.0.9"


def test_several_listeners(make: Make) -> None:
    """By kind, and by address where there is one of that address."""
    bob = make()
    first = bob.transport.listen("TCP", ("127.0.0.8", 0))
    second = bob.transport.listen("TCP", ("127.0.0.9", 0))
    listening = bob.transport.listening
    assert (listening("TCP"), listening("TCP", "127.0.0.9"), listening("TCP", "127.0.0.7")) == (first, second, first)
    assert listening("UDP") is None


def test_close_while_connecting(make: Make) -> None:
    """Who waits is told."""
    alice = make()
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        with socket.socket() as other, socket.socket() as another:
            for each in (other, another):
                each.setblocking(False)
                each.connect_ex(listener.getsockname())
            failures: list[Any] = []
            alice.transport.flow_to(Target("TCP", *listener.getsockname())).addErrback(failures.append)
            alice.close()
            alice.turned.until("it is told", lambda: bool(failures))
    assert isinstance(failures[0].value, FlowFailed)
    assert PATIENCE
