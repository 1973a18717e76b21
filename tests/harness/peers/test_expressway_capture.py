"""The packets that a capture on an element has: connections, TLS as it is on the wire, and SYNs that nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BytesIO
from itertools import count

import pytest
from twisted.internet.task import Clock

from alg.direction import Direction
from alg.tcp.packet import ACK, FIN, RST, SYN, TcpSegment
from harness.capture.capture_file import CaptureFile, interfaces
from harness.capture.pcapng import PcapngWriter
from harness.capture.reader import read_packets
from harness.peers.expressway_capture import PacketTap, syn_repeated
from harness.scenarios.hybrid.silence import SilentPort
from harness.scenarios.stage import Network
from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.security import Ending, Step
from harness.sip.stream import KeepAlive
from harness.sip.uri import Address
from tests.harness.sip.fake_flow import FakeFlow
from tests.helpers.system import eventually

HERE, THERE = ("192.0.2.3", 41000), ("192.0.2.70", 5062)
TARGET = Target("TLS", *THERE)


class Captured:
    """A tap into memory."""

    def __init__(self, failed_only: bool = False) -> None:
        self.file = BytesIO()
        self.repeated = 0
        self.clock = Clock()
        self.times = count(1)
        writer = PcapngWriter(self.file, "test", interfaces("test"))
        capture = CaptureFile(writer, lambda: next(self.times), lambda failure: None)
        self.tap = PacketTap(self.clock, capture, self.side, lambda local, remote: self.repeated, failed_only)

    def side(self, local: Address, remote: Address) -> Direction | None:
        """Everything outside, but for one host."""
        return None if remote[0] == "192.0.2.99" else Direction.INWARD

    def packets(self) -> list[TcpSegment]:
        """All of them."""
        return [TcpSegment(each.data) for each in read_packets(BytesIO(self.file.getvalue()), "memory")]

    def told(self) -> list[str]:
        """Flags and payloads, with who sends."""
        names = {SYN: "SYN", ACK: "ACK", FIN: "FIN", RST: "RST"}
        found = []
        for each in self.packets():
            flags = "".join(name for bit, name in names.items() if each.flags & bit)
            payload = f" {bytes(each.payload).decode()}" if each.payload else ""
            found.append(f"{'<' if each.source_port == THERE[1] else '>'} {flags}{payload}")
        return found


@pytest.fixture
def captured() -> Captured:
    """Of everything."""
    return Captured()


def flow(serves: bool = False, kind: str = "TCP") -> FakeFlow:
    """A connection."""
    return FakeFlow(True, kind, HERE, THERE, serves)


HANDSHAKE = ["> SYN", "< SYNACK", "> ACK"]


def test_a_connection_from_start_to_end(captured: Captured) -> None:
    """Handshake, a message each way with its acknowledgment, and FINs, ours first."""
    captured.tap.connecting(HERE, TARGET)
    assert captured.told() == HANDSHAKE[:1]
    captured.tap.connected(flow())
    captured.tap.sent(flow(), b"OPTIONS")
    captured.tap.received(flow(), b"200")
    captured.tap.closed(flow(), Loss.HUNG_UP, "")
    assert captured.told() == [
        *HANDSHAKE,
        *("> ACK OPTIONS", "< ACK", "< ACK 200", "> ACK"),
        *("> ACKFIN", "< ACK", "< ACKFIN", "> ACK"),
    ]
    assert not captured.clock.getDelayedCalls()


def test_a_connection_that_comes_in(captured: Captured) -> None:
    """The other side begins; a keep-alive, and a reset."""
    captured.tap.connected(flow(serves=True))
    captured.tap.kept_alive(flow(serves=True), KeepAlive.PING)
    captured.tap.closed(flow(serves=True), Loss.RESET, "")
    assert captured.told() == ["< SYN", "> SYNACK", "< ACK", "< ACK \r\n\r\n", "> ACK", "< ACKRST"]


def test_nobody_listens(captured: Captured) -> None:
    """RST; where that was is remembered."""
    captured.tap.connecting(HERE, TARGET)
    captured.tap.failed(HERE, FlowFailed(TARGET, Loss.REFUSED))
    assert captured.told() == ["> SYN", "< ACKRST"]
    assert captured.tap.refused == [TARGET.address]


def test_nobody_answers(captured: Captured) -> None:
    """The SYN again as often as the kernel says, the same each time."""
    captured.tap.connecting(HERE, TARGET)
    captured.clock.advance(0.5)
    captured.repeated = 1
    captured.clock.advance(0.5)
    captured.repeated = 3
    captured.clock.advance(0.5)
    captured.tap.failed(HERE, FlowFailed(TARGET, Loss.TIMEOUT))
    assert captured.tap.refused == []
    assert captured.told() == ["> SYN"] * 4
    assert len({each.seq for each in captured.packets()}) == 1
    assert captured.tap.repeats == {THERE: 3}
    assert not captured.clock.getDelayedCalls()


def test_only_what_fails() -> None:
    """A connection that stands leaves nothing."""
    captured = Captured(failed_only=True)
    captured.tap.connecting(HERE, TARGET)
    captured.tap.connected(flow())
    captured.tap.sent(flow(), b"OPTIONS")
    captured.tap.closed(flow(), Loss.EOF, "")
    assert captured.told() == []
    captured.tap.connecting(HERE, TARGET)
    captured.tap.failed(HERE, FlowFailed(TARGET, Loss.REFUSED))
    assert captured.told() == ["> SYN", "< ACKRST"]


def test_what_failed_is_told_at_its_time() -> None:
    """Though it is written when all is over: a SYN when it left, its repetition when the kernel repeated it."""
    captured = Captured(failed_only=True)
    captured.tap.connecting(HERE, TARGET)
    before = next(captured.times)
    captured.repeated = 1
    captured.clock.advance(1.0)
    between = next(captured.times)
    captured.tap.failed(HERE, FlowFailed(TARGET, Loss.TIMEOUT))
    first, second = (each.timestamp for each in read_packets(BytesIO(captured.file.getvalue()), "memory"))
    assert first < before < second < between


def test_what_is_left_out(captured: Captured) -> None:
    """Connections that have no side."""
    other = FakeFlow(True, "TCP", HERE, ("192.0.2.99", 5060), True)
    captured.tap.connected(other)
    captured.tap.sent(other, b"OPTIONS")
    captured.tap.closed(other, Loss.EOF, "")
    assert captured.told() == []


class Echo:
    """A layer that says what it does."""

    up = True

    def opened(self, local: Address, remote: Address) -> Step:
        """Begins."""
        return Step(b"hello")

    def feed(self, data: bytes) -> Step:
        """Answers."""
        return Step(b"answer")

    def write(self, clear: bytes) -> Step:
        """Sealed."""
        return Step(b"sealed")

    def hang_up(self) -> Step:
        """Says goodbye."""
        return Step(b"bye", ending=Ending.CLOSE)

    def lost(self, loss: Loss) -> None:
        """Nothing."""


def test_tls_is_captured_as_it_is_on_the_wire(captured: Captured) -> None:
    """What the layer takes and gives, and no clear text."""
    tls = flow(kind="TLS")
    captured.tap.connecting(HERE, TARGET)
    captured.tap.connected(tls)
    layer = captured.tap.layer(Echo())
    layer.opened(HERE, THERE)
    captured.tap.sent(tls, b"clear")
    layer.feed(b"flight")
    layer.write(b"clear")
    assert (layer.up, layer.hang_up().ending) == (True, Ending.CLOSE)
    payloads = [text for text in captured.told() if text.count(" ") == 2]
    assert payloads == ["> ACK hello", "< ACK flight", "> ACK answer", "> ACK sealed", "> ACK bye"]


def test_a_long_message_takes_several_segments(captured: Captured) -> None:
    """None is larger than what fits."""
    captured.tap.connected(flow(serves=True))
    captured.tap.received(flow(serves=True), b"x" * 4000)
    assert [len(each.payload) for each in captured.packets() if each.payload] == [1460, 1460, 1080]


@pytest.fixture
def silent() -> Iterator[Address]:
    """A port that does not answer."""
    with Network() as network, SilentPort((network.host(5), 5062)):
        yield network.host(5), 5062


def test_what_the_kernel_says(silent: Address) -> None:
    """A SYN that nobody answers is repeated after a second; one that does not exist never is."""
    with socket.socket() as connecting:
        connecting.setblocking(False)
        connecting.bind((silent[0], 0))
        connecting.connect_ex(silent)
        local = connecting.getsockname()
        assert syn_repeated(local, silent) == 0
        eventually("the SYN is repeated", lambda: syn_repeated(local, silent) > 0)
    assert syn_repeated(local, silent) == 0
