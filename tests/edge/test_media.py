"""Media doors as UDP sockets: where they listen, what they relay, and what they say about it.

Strategy: the doors run on a reactor of the test's own, turned by hand; the endpoints are blocking sockets on addresses
of 127.0.0.0/8. What a call makes of them is tested through the whole proxy in test_proxy_media.py.
"""

from __future__ import annotations

import errno
import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from twisted.internet import error, udp
from twisted.internet.epollreactor import EPollReactor

from alg.direction import Direction
from alg.edge.media import UdpDoors
from alg.nat.media import Door, MediaDoors
from alg.nat.table import Endpoint
from tests.edge.sockets import free_port_pair, udp_socket

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket.*type=2:ResourceWarning")
"""Twisted leaves the socket that could not be bound to the garbage collector."""
HERE = "127.0.0.102"
"""Where doors listen that face the caller's side."""
THERE = "127.0.0.103"
"""Where doors listen that face the callee's side."""
CALLER, CALLEE, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.9"


class Turned:
    """A reactor that is turned by hand, with a clock that is set by hand."""

    def __init__(self) -> None:
        self.reactor = EPollReactor()
        self.now = 0.0

    def listenUDP(self, *args: Any, **kwargs: Any) -> Any:
        """A real port."""
        return self.reactor.listenUDP(*args, **kwargs)

    def seconds(self) -> float:
        """The time that the test says it is."""
        return self.now

    def ports(self) -> list[udp.Port]:
        """The UDP ports that it reads."""
        return [reader for reader in self.reactor.getReaders() if isinstance(reader, udp.Port)]

    def turn(self) -> None:
        """Let it do all that is due."""
        for _ in range(4):
            self.reactor.iterate(0.005)


@pytest.fixture(scope="module")
def turned() -> Turned:
    """One reactor for all tests of this file."""
    return Turned()


class Doors:
    """UDP doors, what they said, and the endpoints of a test."""

    def __init__(self, turned: Turned, stack: ExitStack) -> None:
        self.turned = turned
        self.told: list[tuple[str, Door | None, dict[str, Any]]] = []
        self.udp = UdpDoors(turned, lambda action, door, **fields: self.told.append((action, door, fields)))
        self.all = MediaDoors(self.udp, idle_timeout=60.0)
        self._stack = stack

    def endpoint(self, address: str, port: int = 0) -> socket.socket:
        """A socket of an endpoint."""
        return self._stack.enter_context(closing(udp_socket(address, port)))

    def door(
        self, direction: Direction, rtp: socket.socket, rtcp: socket.socket | None = None, call: str = "a"
    ) -> Endpoint:
        """A door for an endpoint; where it listens."""
        host = HERE if direction is Direction.OUTWARD else THERE
        where = endpoint(rtp)
        control = endpoint(rtcp) if rtcp else Endpoint(where.address, where.port + 1)
        wanted = Endpoint(host.encode(), free_port_pair(host))
        outer = self.all.door(direction, call, 0, where, control, wanted)
        assert outer is not None
        return outer

    def send(self, sender: socket.socket, data: bytes, outer: Endpoint, rtcp: bool = False) -> None:
        """Send to a door and let it work."""
        sender.sendto(data, (outer.address.decode(), outer.port + rtcp))
        self.turned.turn()


@pytest.fixture
def doors(turned: Turned) -> Iterator[Doors]:
    """Doors that are closed after the test."""
    with ExitStack() as stack:
        made = Doors(turned, stack)
        yield made
        for port in turned.ports():
            port.stopListening()
        turned.turn()
    del made
    gc.collect()


def endpoint(sock: socket.socket) -> Endpoint:
    """Where a socket listens."""
    host, port = sock.getsockname()
    return Endpoint(host.encode(), port)


def place(outer: Endpoint, rtcp: bool = False) -> tuple[str, int]:
    """A door as a socket's peer."""
    return outer.address.decode(), outer.port + rtcp


def assert_silent(sock: socket.socket) -> None:
    """Nothing has come."""
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(1)


def test_the_wanted_port(doors: Doors) -> None:
    """A free even port is taken as it is, with the next one for RTCP."""
    port = free_port_pair(HERE)
    assert doors.udp.open(Endpoint(HERE.encode(), port)) == Endpoint(HERE.encode(), port)
    for taken in (port, port + 1):
        with pytest.raises(OSError, match=str(errno.EADDRINUSE)):
            udp_socket(HERE, taken)


@pytest.mark.parametrize("which", [0, 1], ids=["RTP", "RTCP"])
def test_a_port_that_is_taken(doors: Doors, which: int) -> None:
    """When either port of the pair is taken, another even pair is found, and nothing of the first is left open."""
    port = free_port_pair(HERE)
    doors.endpoint(HERE, port + which)
    outer = doors.udp.open(Endpoint(HERE.encode(), port))
    assert outer is not None
    assert outer.port != port
    assert outer.port % 2 == 0
    doors.turned.turn()
    doors.endpoint(HERE, port + 1 - which)


def test_an_odd_port(doors: Doors) -> None:
    """RTP is even (RFC 3550 11): for an odd port an even one is found."""
    outer = doors.udp.open(Endpoint(HERE.encode(), 30001))
    assert outer is not None
    assert outer.port % 2 == 0


@pytest.mark.parametrize("port", [65534, 65535, 1])
def test_ports_at_the_edges(doors: Doors, port: int) -> None:
    """The last and the first ports are no trouble."""
    outer = doors.udp.open(Endpoint(HERE.encode(), port))
    assert outer is not None
    assert outer.port % 2 == 0
    assert 0 < outer.port < 65535


def test_two_doors_want_the_same_port(doors: Doors) -> None:
    """Two endpoints behind one address with the same port get a pair each."""
    port = free_port_pair(HERE)
    first, second = (doors.udp.open(Endpoint(HERE.encode(), port)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.port == port != second.port


def test_an_address_that_is_not_ours(doors: Doors) -> None:
    """It is refused with one record that names it, however often it is asked for."""
    for port in (30000, 30002, 30000):
        assert doors.udp.open(Endpoint(b"192.0.2.1", port)) is None
    ((action, door, fields),) = doors.told
    assert (action, door, fields["address"]) == ("refused", None, "192.0.2.1:30000")
    assert "assign requested address" in fields["reason"]
    assert doors.udp.open(Endpoint(HERE.encode(), free_port_pair(HERE))) is not None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE], ids=["privileged port", "no descriptors left"])
def test_one_port_that_cannot_be_had(number: int) -> None:
    """A port that may not be bound, or a moment without descriptors, does not make the whole address unusable."""

    class Refusing:
        """Refuses the first port it is asked for, then none."""

        refused = False

        def seconds(self) -> float:
            """No time passes."""
            return 0.0

        def listenUDP(self, port: int, _: object, interface: str, **__: object) -> object:
            """Twisted's error, then a port that needs nothing."""
            if not self.refused:
                self.refused = True
                raise error.CannotListenError(interface, port, OSError(number, "refused"))
            return object()

    doors = UdpDoors(Refusing())
    doors.open(Endpoint(HERE.encode(), 1000))
    assert doors.open(Endpoint(HERE.encode(), 30000)) == Endpoint(HERE.encode(), 30000)


def test_without_a_partner(doors: Doors) -> None:
    """What reaches a door goes to its endpoint, and what the endpoint answers back to where media last came from."""
    caller = doors.endpoint(CALLER)
    far, farther = doors.endpoint(STRANGER), doors.endpoint(STRANGER)
    outer = doors.door(Direction.OUTWARD, caller)
    doors.send(caller, b"too early", outer)
    for sender in (far, farther, far):
        doors.send(sender, b"media", outer)
        assert caller.recvfrom(100) == (b"media", place(outer))
        doors.send(caller, b"answer", outer)
        assert sender.recvfrom(100) == (b"answer", place(outer))
    assert_silent(farther)


@pytest.mark.parametrize("rtcp", [False, True], ids=["RTP", "RTCP"])
def test_with_partners(doors: Doors, rtcp: bool) -> None:
    """Each party sends to the other's door and hears the other from there, RTP and RTCP apart."""
    caller, callee = doors.endpoint(CALLER), doors.endpoint(CALLEE)
    caller_control, callee_control = doors.endpoint(CALLER), doors.endpoint(CALLEE)
    for_caller = doors.door(Direction.OUTWARD, caller, caller_control)
    for_callee = doors.door(Direction.INWARD, callee, callee_control)
    here, there = (caller_control, callee_control) if rtcp else (caller, callee)
    for number in range(3):
        doors.send(here, b"ping %d" % number, for_callee, rtcp)
        assert there.recvfrom(100) == (b"ping %d" % number, place(for_caller, rtcp))
        doors.send(there, b"pong %d" % number, for_caller, rtcp)
        assert here.recvfrom(100) == (b"pong %d" % number, place(for_callee, rtcp))
    for other in {caller, callee, caller_control, callee_control} - {here, there}:
        assert_silent(other)


def test_a_partner_that_comes_later(doors: Doors) -> None:
    """Early media crosses the only door there is; with the answer it leaves through the partner."""
    caller, callee = doors.endpoint(CALLER), doors.endpoint(CALLEE)
    for_caller = doors.door(Direction.OUTWARD, caller)
    doors.send(callee, b"early", for_caller)
    assert caller.recvfrom(100) == (b"early", place(for_caller))
    for_callee = doors.door(Direction.INWARD, callee)
    doors.send(callee, b"later", for_caller)
    assert caller.recvfrom(100) == (b"later", place(for_callee))


@pytest.mark.parametrize("size", [0, 1, 160, 1472, 9000, 65507])
def test_sizes(doors: Doors, size: int) -> None:
    """Datagrams of any size cross whole, also an empty one and the largest there can be."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    outer = doors.door(Direction.OUTWARD, caller)
    data = bytes(number % 251 for number in range(size))
    doors.send(far, data, outer)
    assert caller.recv(65536) == data


def test_many_datagrams_keep_their_order(doors: Doors) -> None:
    """A burst arrives complete and in order."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    outer = doors.door(Direction.OUTWARD, caller)
    for number in range(50):
        far.sendto(b"%d" % number, place(outer))
    doors.turned.turn()
    assert [caller.recv(100) for _ in range(50)] == [b"%d" % number for number in range(50)]


def test_an_endpoint_that_is_gone(doors: Doors) -> None:
    """Port unreachable is no trouble, and media crosses again when the endpoint is back."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    port = caller.getsockname()[1]
    outer = doors.door(Direction.OUTWARD, caller)
    caller.close()
    for _ in range(3):
        doors.send(far, b"lost", outer)
    caller = doors.endpoint(CALLER, port)
    doors.send(far, b"media", outer)
    assert caller.recv(100) == b"media"


@pytest.mark.parametrize("port", [65536, 99999], ids=["behind the last", "five digits"])
def test_an_endpoint_that_cannot_be(doors: Doors, port: int) -> None:
    """RTCP for a port that there is not (m= port 65535, a=rtcp:99999) is counted as undeliverable."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    outer = doors.door(Direction.OUTWARD, caller)
    (door,) = (door for _, door, _ in doors.told if door is not None)
    door.rtcp = Endpoint(CALLER.encode(), port)
    relay = relay_on(doors, outer.port + 1)
    relay.datagramReceived(b"report", endpoint_address(far))
    assert relay.undeliverable == 1


def endpoint_address(sock: socket.socket) -> tuple[str, int]:
    """Where a socket listens, as Twisted says it."""
    host, port = sock.getsockname()
    return host, port


def relay_on(doors: Doors, port: int) -> Any:
    """The protocol of an open port."""
    (found,) = [entry.protocol for entry in doors.turned.ports() if entry.getHost().port == port]
    return found


def test_closing(doors: Doors) -> None:
    """A closed door's ports are free again, and its counters say what crossed it."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    caller_control = doors.endpoint(CALLER)
    outer = doors.door(Direction.OUTWARD, caller, caller_control)
    for _ in range(3):
        doors.send(far, b"four", outer)
    doors.send(caller, b"answer", outer)
    doors.send(far, b"report", outer, rtcp=True)
    doors.all.hang_up("a", "BYE")
    doors.turned.turn()
    action, door, fields = doors.told[-1]
    assert door is not None
    assert (action, door.outer, fields) == (
        "closed",
        outer,
        {
            "reason": "BYE",
            "rtp": {"in": 3, "back": 1, "bytes": 18, "undeliverable": 0},
            "rtcp": {"in": 1, "back": 0, "bytes": 6, "undeliverable": 0},
        },
    )
    assert doors.udp.packets == 5
    for port in (outer.port, outer.port + 1):
        doors.endpoint(HERE, port)


@pytest.mark.parametrize("rtcp", [False, True], ids=["RTP", "RTCP"])
def test_media_keeps_a_door_open(doors: Doors, rtcp: bool) -> None:
    """A door that media crosses does not expire; one that nothing crosses does, by the clock."""
    caller, far = doors.endpoint(CALLER), doors.endpoint(STRANGER)
    outer = doors.door(Direction.OUTWARD, caller)
    start = doors.turned.now
    doors.turned.now = start + 50.0
    doors.send(far, b"media", outer, rtcp)
    doors.all.expire(start + 109.0)
    assert len(doors.all) == 1
    doors.all.expire(start + 110.0)
    assert len(doors.all) == 0
    assert doors.told[-1][2]["reason"] == "inactivity"


def test_the_partner_is_closed_first(doors: Doors) -> None:
    """The door that is left relays through itself."""
    caller, callee = doors.endpoint(CALLER), doors.endpoint(CALLEE)
    for_caller = doors.door(Direction.OUTWARD, caller, call="a")
    doors.door(Direction.OUTWARD, caller, call="b")
    doors.door(Direction.INWARD, callee, call="a")
    doors.all.hang_up("a", "BYE")
    doors.turned.turn()
    assert len(doors.all) == 1
    doors.send(callee, b"media", for_caller)
    assert caller.recvfrom(100) == (b"media", place(for_caller))


def test_a_former_partner_is_closed(doors: Doors) -> None:
    """A door whose partner was given another partner and then closed relays through itself."""
    caller, moved, callee = doors.endpoint(CALLER), doors.endpoint(CALLER), doors.endpoint(CALLEE)
    first = doors.door(Direction.OUTWARD, caller, call="a")
    doors.door(Direction.OUTWARD, caller, call="b")
    doors.door(Direction.INWARD, callee, call="a")
    doors.door(Direction.OUTWARD, moved, call="a")
    doors.all.hang_up("a", "BYE")
    doors.turned.turn()
    relay = relay_on(doors, first.port)
    relay.datagramReceived(b"media", endpoint_address(callee))
    assert caller.recvfrom(100) == (b"media", place(first))
