"""The recorder of inline mode by itself: which packets have which comments, and what is kept."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.errors import ConfigError
from alg.router import NatRouter
from alg.tcp.packet import TCP, Ipv4Packet, TcpSegment
from harness.capture.packet_recorder import OURS, PacketRecorder, open_packet_recorder
from harness.capture.pcapng import Flow
from tests.edge.messages import options, request
from tests.harness.capture.disk import Disk
from tests.helpers.captures import file_comment
from tests.helpers.ipv4 import tcp, udp
from tests.tcp.endpoint import ACK, RST, SYN

INSIDE, POOL, REMOTE = "10.0.30.2", "203.0.113.10", "192.0.2.1"


class Session:
    """A router that is captured, with one connection from the inside."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.recorder = PacketRecorder(self.disk.capture)
        network = IPNetwork("10.0.30.0/24")
        alg = Alg(AlgConfig(nat=NatConfig((), (IPAddress(POOL),), (network,))))
        self.router = NatRouter(alg, (network,), self.recorder.sink, tap=self.recorder)
        self.now = 0.0
        self.outward(at=-1, flags=SYN)
        self.inward(at=-1, flags=SYN | ACK)
        self.outward()

    def outward(self, payload: bytes = b"", at: int = 0, flags: int = ACK) -> None:
        """The inside sends; offsets count from behind the SYN."""
        self.take(tcp((INSIDE, 40000), (REMOTE, 5060), 1 + at, 1, flags, payload))

    def inward(self, payload: bytes = b"", at: int = 0, ack: int = 0, flags: int = ACK) -> None:
        """The outside sends."""
        self.take(tcp((REMOTE, 5060), (POOL, 40000), 1 + at, 1 + ack, flags, payload))

    def take(self, data: bytes) -> None:
        """A packet comes."""
        self.router.handle(data, self.now)

    def written(self) -> list[tuple[str, str, int, tuple[str, ...]]]:
        """Of all packets but the handshake's: interface, which way, bytes of payload, comments."""
        found = []
        for each in self.disk.packets()[6:]:
            packet = Ipv4Packet(each.data)
            size = TcpSegment(each.data).payload_length if packet.protocol == TCP else len(packet.data) - 28
            way = "in" if each.flow is Flow.INBOUND else "out"
            found.append((each.interface.name, way, size, each.comments))
        return found


@pytest.fixture
def session() -> Session:
    """A connection that stands."""
    return Session()


def comment(number: int = 1) -> str:
    """On an OPTIONS request."""
    assert len(options(POOL, number)) == len(options(INSIDE, number)) + 3
    return "OPTIONS rewritten by Via: +3 bytes"


def test_what_crosses(session: Session) -> None:
    """A packet that is translated has nothing to be said about, a message that is rewritten has where it leaves."""
    session.outward(options(INSIDE))
    session.take(udp((INSIDE, 4000), (REMOTE, 53)))
    session.take(udp((REMOTE, 53), (POOL, 4001)))
    size = len(options(INSIDE))
    assert session.written() == [
        ("inside", "in", size, ()),
        ("outside", "out", size + 3, (comment(),)),
        ("inside", "in", 4, ()),
        ("outside", "out", 4, ()),
        ("outside", "in", 4, ("dropped: no binding",)),
    ]


def test_a_message_that_is_held(session: Session) -> None:
    """What comes in says that it is held, our acknowledgment that it is ours; the message leaves in two segments."""
    message, due = request(INSIDE, size=1000), request(POOL, size=1000)
    first = 700
    session.outward(message[:first])
    session.outward(message[first:], at=first)
    growth = len(due) - len(message)
    rules = "Via, Via received, From, Contact, Record-Route, Content-Length, SDP o=, SDP c=, SDP a=rtcp"
    rewritten = f"INVITE rewritten by {rules}: +{growth} bytes"
    held = f"hold: {first} bytes wait for the rest of their message"
    assert session.written() == [
        ("inside", "in", first, (held, f"spoofed-ack: {first} bytes are held")),
        ("inside", "out", 0, (OURS,)),
        ("inside", "in", len(message) - first, ()),
        ("outside", "out", 1460, (rewritten,)),
        ("outside", "out", len(due) - 1460, (rewritten,)),
    ]


def test_what_is_sent_again(session: Session) -> None:
    """By us or by its sender, it has the comment again, until it is acknowledged; of many messages each has its own."""
    message = options(INSIDE, 1) + options(INSIDE, 2)
    session.outward(message[:100])
    session.outward(message[100:], at=100)
    before = len(session.written())
    session.now = session.router.timer() or 0.0
    session.router.handle_timer(session.now)
    both = (comment(1), comment(2))
    grown = len(message) + 6
    assert session.written()[before:] == [("outside", "out", grown, (OURS, "retransmission: timeout", *both))]
    session.inward(ack=grown // 2)
    session.outward(message[len(message) // 2 :], at=len(message) // 2)
    assert session.written()[-1] == ("outside", "out", grown // 2, (comment(2),))


def test_nothing_is_kept(session: Session) -> None:
    """Not of what is acknowledged, and not of a connection that is over."""

    def kept(name: str) -> int:
        gc.collect()
        return sum(1 for thing in gc.get_objects() if type(thing).__name__ == name)

    at = grown = 0
    for number in range(100):
        message = options(INSIDE, number)
        session.outward(message, at=at)
        at, grown = at + len(message), grown + len(message) + 3
        session.inward(ack=grown)
    assert kept("Comment") <= 1
    session.outward(flags=RST, at=at)
    session.router.expire(1000.0)
    assert (kept("Comment"), kept("_ConnectionNotes")) == (0, 0)


def test_a_disk_that_is_full(session: Session) -> None:
    """Packets cross all the same."""
    session.disk.full = True
    for _ in range(3):
        assert session.router.handle(udp((INSIDE, 4000), (REMOTE, 53)), 0.0)
    session.recorder.close()
    assert session.disk.complaints == ["No space left on device"]
    assert session.written() == []


def test_its_packets_are_those_of_the_wire(tmp_path: Path) -> None:
    """Nothing says that they were synthesised."""
    path = tmp_path / "f.pcapng"
    recorder = open_packet_recorder(str(path), None, pytest.fail)
    assert recorder is not None
    recorder.came(Direction.OUTWARD, udp((INSIDE, 4000), (REMOTE, 53)), "")
    recorder.close()
    assert file_comment(path) is None


def test_where_it_is_written() -> None:
    """Nowhere unless somebody says so."""
    assert open_packet_recorder(None, None, pytest.fail) is None
    with pytest.raises(ConfigError, match=r"^--capture /none/f: No such file or directory$"):
        open_packet_recorder("/none/f", None, pytest.fail)
