"""`sipalg proxy --capture` with real connections; tshark tells what is in the file."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.edge.messages import INSIDE, OUTSIDE, options, request, response
from tests.edge.sockets import SMALL_BUFFER, Upstream, connect, ends_by_reset, receive, receive_all, reset
from tests.harness.capture.conftest import Record
from tests.harness.capture.wireshark import ACK, FIN, RST, SYN, dissect, flags_of, followed, sent

OPENED_TO_US = [(True, SYN), (False, SYN | ACK)]
OPENED_BY_US = [(False, SYN), (True, SYN | ACK)]


def test_a_conversation(record: Record) -> None:
    """Both legs with their own addresses and numbers, on their own interfaces; tshark finds nothing to remark."""
    recording = record()
    link = recording.link()
    client, proxy = link.client.getsockname()[1], recording.proxy.port
    local, server = link.server.getpeername()[1], recording.upstream.port
    asked, answered = request(INSIDE), response(INSIDE)
    link.client.sendall(asked)
    assert receive(link.server, len(request(OUTSIDE))) == request(OUTSIDE)
    link.server.sendall(response(OUTSIDE))
    assert receive(link.client, len(answered)) == answered
    link.client.close()
    assert receive_all(link.server) == b""
    link.server.close()
    recording.proxy.stop()
    frames = recording.frames()
    assert [fault for frame in frames for fault in frame.faults] == []
    ports = {(frame.interface, frame.inbound, frame.ports) for frame in frames}
    assert ports == {
        ("inside", True, (client, proxy)),
        ("inside", False, (proxy, client)),
        ("outside", True, (server, local)),
        ("outside", False, (local, server)),
    }
    assert sent(frames, "inside", inbound=True) == asked
    assert sent(frames, "outside", inbound=False) == request(OUTSIDE)
    assert sent(frames, "outside", inbound=True) == response(OUTSIDE)
    assert sent(frames, "inside", inbound=False) == answered
    messages = [(frame.interface, *frame.messages, *frame.content_lengths) for frame in frames if frame.messages]
    assert messages == [
        ("inside", "INVITE", _body(asked)),
        ("outside", "INVITE", _body(request(OUTSIDE))),
        ("outside", "200", _body(response(OUTSIDE))),
        ("inside", "200", _body(answered)),
    ]
    comments = [comment for frame in frames for comment in frame.comments]
    growth = len(request(OUTSIDE)) - len(asked)
    rules = "Via, Via received, From, Contact, Record-Route, Content-Length, SDP o=, SDP c=, SDP a=rtcp"
    assert comments[0] == f"INVITE rewritten by {rules}: +{growth} bytes"
    assert comments[1].startswith("200 rewritten by Via, From, Content-Length, SDP o=, ")
    assert {frame.inbound for frame in frames if frame.comments} == {False}
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    assert abs(float(times[0]) - time.time()) < 60


def _body(message: bytes) -> int:
    return len(message.partition(b"\r\n\r\n")[2])


def test_large_messages_in_any_segmentation(record: Record) -> None:
    """Messages of 65 kB, split ones, several at once: every byte is there, and tshark sees each message whole."""
    recording = record()
    link = recording.link()
    sizes = [0, 65_000, 1, 2000, 0]
    stream = b"".join(request(INSIDE, cseq=number, size=size) for number, size in enumerate(sizes))
    expected = b"".join(request(OUTSIDE, cseq=number, size=size) for number, size in enumerate(sizes))
    source, position = random.Random(11), 0
    while position < len(stream):
        step = source.choice([1, 7, 700, 1460, 9000])
        link.client.sendall(stream[position : position + step])
        position += step
    assert receive(link.server, len(expected)) == expected
    link.client.shutdown(socket.SHUT_WR)
    receive_all(link.server)
    link.server.close()
    receive_all(link.client)
    recording.proxy.stop()
    frames = recording.frames()
    assert [fault for frame in frames for fault in frame.faults] == []
    assert max(len(frame.payload) for frame in frames) == 1460
    for number, interface, inbound, whole, host in (
        (0, "inside", True, stream, INSIDE),
        (1, "outside", False, expected, OUTSIDE),
    ):
        assert sent(frames, interface, inbound) == whole
        assert followed(recording.path, number) == (whole, b"")
        lengths = [length for frame in frames if frame.interface == interface for length in frame.content_lengths]
        assert lengths == [_body(request(host, cseq=cseq, size=size)) for cseq, size in enumerate(sizes)]
        assert {name for frame in frames for name in frame.messages} == {"INVITE"}
        assert len(request(host, cseq=1, size=65_000)) in {frame.reassembled for frame in frames}
    for frame in frames:
        assert bool(frame.comments) == (frame.interface == "outside" and not frame.inbound and bool(frame.payload))


def test_connections_from_the_outside(record: Record) -> None:
    """With --side outside the client's leg is the outside one, and what is rewritten leaves inside."""
    recording = record("--side", "outside")
    link = recording.link()
    link.client.sendall(response(OUTSIDE))
    receive(link.server, len(response(INSIDE)))
    recording.proxy.stop()
    frames = recording.frames()
    assert sent(frames, "outside", inbound=True) == response(OUTSIDE)
    assert sent(frames, "inside", inbound=False) == response(INSIDE)
    assert {frame.interface for frame in frames if frame.comments} == {"inside"}
    assert flags_of(frames, "outside")[:2] == OPENED_TO_US
    assert flags_of(frames, "inside")[:2] == OPENED_BY_US


def test_how_connections_end(record: Record) -> None:
    """A half-close, a reset from either side, an orderly shutdown: each leg ends in the capture as it did."""
    recording = record()
    half = recording.link()
    half.client.shutdown(socket.SHUT_WR)
    assert receive_all(half.server) == b""
    half.server.sendall(response(OUTSIDE))
    assert receive(half.client, len(response(INSIDE))) == response(INSIDE)
    half.server.close()
    assert receive_all(half.client) == b""
    recording.wait_for(18)
    by_client = recording.link()
    reset(by_client.client)
    assert ends_by_reset(by_client.server)
    recording.wait_for(26)
    by_server = recording.link()
    reset(by_server.server)
    assert ends_by_reset(by_server.client)
    recording.wait_for(34)
    last = recording.link()
    last.client.sendall(request(INSIDE)[:100])
    recording.wait_for(42)
    recording.proxy.stop()
    frames = recording.frames()
    assert [fault for frame in frames for fault in frame.faults] == []
    fin, rst = FIN | ACK, RST | ACK
    assert flags_of(frames, "inside") == [
        *(*OPENED_TO_US, (True, fin), (False, fin)),
        *(*OPENED_TO_US, (True, rst)),
        *(*OPENED_TO_US, (False, rst)),
        *(*OPENED_TO_US, (False, fin)),
    ]
    assert flags_of(frames, "outside") == [
        *(*OPENED_BY_US, (False, fin), (True, fin)),
        *(*OPENED_BY_US, (False, rst)),
        *(*OPENED_BY_US, (True, rst)),
        *(*OPENED_BY_US, (False, fin)),
    ]
    assert sent(frames, "outside", inbound=False) == request(INSIDE)[:100]


def test_a_target_that_refuses(record: Record) -> None:
    """The client's handshake, and the reset that we sent; nothing on the other leg."""
    recording = record()
    recording.upstream.close()
    with connect(recording.proxy.port) as client:
        assert ends_by_reset(client)
    recording.wait_for(4)
    frames = dissect(recording.path)
    assert [(frame.interface, frame.inbound, frame.flags) for frame in frames] == [
        ("inside", True, SYN),
        ("inside", False, SYN | ACK),
        ("inside", True, ACK),
        ("inside", False, RST | ACK),
    ]
    assert [fault for frame in frames for fault in frame.faults] == []


@pytest.fixture
def stalling() -> Iterator[Upstream]:
    """A server whose kernel does not take much."""
    with closing(Upstream(buffer=SMALL_BUFFER)) as here:
        yield here


def test_bytes_that_never_left_are_not_in_the_capture(record: Record, stalling: Upstream) -> None:
    """A server that does not read, and a client that gives up: what the kernel did not take was not sent."""
    recording = record(upstream=stalling)
    link = recording.link()
    message, pushed = request(INSIDE, size=50_000), 0
    link.client.settimeout(0.5)
    with suppress(TimeoutError):
        while True:
            pushed += link.client.send(message)
    recording.settle()
    reset(link.client)
    received = bytearray()
    with suppress(ConnectionResetError):
        while piece := link.server.recv(1 << 20):
            received += piece
    recording.settle()
    frames = recording.frames()
    went, came = sent(frames, "outside", inbound=False), sent(frames, "inside", inbound=True)
    assert [fault for frame in frames for fault in frame.faults] == []
    assert went.startswith(received)
    assert len(received) <= len(went) < len(came) <= pushed


def test_the_file_can_be_read_while_it_grows(record: Record) -> None:
    """What has crossed is in the file at once, whole blocks up to its end."""
    recording = record()
    link = recording.link()
    assert recording.packets() == 6
    for number in range(1, 4):
        link.client.sendall(options(INSIDE, number))
        receive(link.server, len(options(OUTSIDE, number)))
        recording.wait_for(6 + 4 * number)
        assert recording.packets() == 6 + 4 * number
    assert not [fault for frame in recording.frames() for fault in frame.faults]


def test_two_connections_at_once(record: Record) -> None:
    """Each is a stream of its own on either interface."""
    recording = record()
    links = [recording.link(), recording.link()]
    for turn in range(3):
        for number, link in enumerate(links):
            message = options(INSIDE, 10 * number + turn)
            link.client.sendall(message)
            receive(link.server, len(message) + 2)
    recording.proxy.stop()
    for stream, host, first in ((0, INSIDE, 0), (1, OUTSIDE, 0), (2, INSIDE, 10), (3, OUTSIDE, 10)):
        whole = b"".join(options(host, first + turn) for turn in range(3))
        assert followed(recording.path, stream) == (whole, b"")
    assert not [fault for frame in recording.frames() for fault in frame.faults]


def test_l4f_off(record: Record) -> None:
    """With L4F off bytes are captured as they pass, without a comment."""
    recording = record("--no-l4f")
    link = recording.link()
    link.client.sendall(request(INSIDE))
    receive(link.server, len(request(INSIDE)))
    recording.proxy.stop()
    frames = recording.frames()
    assert sent(frames, "outside", inbound=False) == sent(frames, "inside", inbound=True) == request(INSIDE)
    assert not [comment for frame in frames for comment in frame.comments]
