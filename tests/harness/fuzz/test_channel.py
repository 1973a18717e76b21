"""A connection that tells how it ended, judged by what the kernel of the other side was told to do."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.fuzz.channel import Broken, Channel, Ended, Event, Received, Refused, bound_socket, connect
from harness.fuzz.secure import TlsSession
from harness.fuzz.target import TlsOptions
from tests.harness.conftest import Pki, StartServer
from tests.helpers.system import PATIENCE, eventually

LOOPBACK = "127.0.0.1"


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel and the plain socket at its other end."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        address = listener.getsockname()
        channel = connect(bound_socket(LOOPBACK), (LOOPBACK, address[1]), None, PATIENCE, time.monotonic)
        assert isinstance(channel, Channel)
        far, _ = listener.accept()
        far.settimeout(PATIENCE)
        with closing(far):
            yield channel, far
        channel.reset()


def events(channel: Channel) -> list[Event]:
    """Everything until the connection is over."""
    found: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not channel.over and time.monotonic() < end:
        found += channel.pump(0.1)
    return found


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_an_end_is_no_reset(ends: tuple[Channel, socket.socket]) -> None:
    """FIN, after everything that was sent."""
    channel, far = ends
    far.sendall(b"last words")
    far.close()
    assert events(channel) == [Received(b"last words"), Ended("connection closed")]


def test_a_reset_is_no_end(ends: tuple[Channel, socket.socket]) -> None:
    """RST."""
    channel, far = ends
    reset(far)
    assert events(channel) == [Broken("connection reset")]


def test_an_answer_before_a_reset_is_read(ends: tuple[Channel, socket.socket]) -> None:
    """A server that answers 513 and resets has answered, although our sending failed first."""
    channel, far = ends
    far.sendall(b"513")
    reset(far)
    eventually("the reset has come", lambda: _state(channel) != 1)
    channel.write(b"x" * 100)
    assert events(channel) == [Received(b"513"), Broken("connection reset")]


def test_an_end_that_our_bytes_turn_into_a_reset_is_an_end(ends: tuple[Channel, socket.socket]) -> None:
    """The server closed first; that its kernel resets what comes after does not change who did what."""
    channel, far = ends
    far.close()
    eventually("the end has come", lambda: _state(channel) == 8)
    for _ in range(3):
        channel.write(b"x" * 100)
        channel.pump(0.01)
    assert channel.over


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_who_closed_while_we_were_sending(ends: tuple[Channel, socket.socket], pause: float) -> None:
    """End first, then our bytes meet a socket that is gone: closed, however late we look."""
    channel, far = ends
    far.close()
    eventually("the end has come", lambda: _state(channel) == 8)
    channel._socket.send(b"meets nobody")
    time.sleep(pause)
    channel.write(b"x" * 100)
    assert events(channel) == [Ended("connection closed")]


def _state(channel: Channel) -> int:
    """TCP's state by the kernel: 1 established, 7 closed, 8 close wait."""
    return channel._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def test_each_write_is_a_segment(ends: tuple[Channel, socket.socket]) -> None:
    """What waits until the one before it is on its way is not joined with it."""
    channel, far = ends
    sizes = []
    for size in (1, 500, 3, 1400):
        eventually("it is on its way", lambda: channel.drained)
        channel.write(b"x" * size)
        channel.service()
        sizes.append(len(far.recv(65536)))
    assert sizes == [1, 500, 3, 1400]


def test_more_than_the_kernel_takes(ends: tuple[Channel, socket.socket]) -> None:
    """Sending and receiving go on side by side."""
    channel, far = ends
    size = 20 << 20
    channel.write(b"x" * size)
    far.sendall(b"y" * 100_000)
    sent = received = 0
    far.settimeout(0.01)
    end = time.monotonic() + PATIENCE
    while (sent < size or received < 100_000) and time.monotonic() < end:
        received += sum(len(event.data) for event in channel.pump(0.01) if isinstance(event, Received))
        try:
            sent += len(far.recv(1 << 20))
        except TimeoutError:
            continue
    assert (sent, received) == (size, 100_000)
    assert not channel.pending


def test_closing_in_order(ends: tuple[Channel, socket.socket]) -> None:
    """The far end sees an end, not a reset, after all bytes."""
    channel, far = ends
    channel.write(b"bye")
    channel.service()
    far.shutdown(socket.SHUT_WR)
    channel.close(PATIENCE, time.monotonic)
    assert far.recv(10) == b"bye"
    assert far.recv(10) == b""


def test_a_far_end_that_does_not_close_is_reset(ends: tuple[Channel, socket.socket]) -> None:
    """Nothing is left half open."""
    channel, far = ends
    channel.close(0.05, time.monotonic)
    assert far.recv(10) == b""
    eventually("it is reset", lambda: far.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 7)


def test_refused() -> None:
    """Nobody listens there."""
    with closing(bound_socket(LOOPBACK)) as nobody:
        port = nobody.getsockname()[1]
        refused = connect(bound_socket(LOOPBACK), (LOOPBACK, port), None, PATIENCE, time.monotonic)
        assert refused == Refused("Connection refused")


def test_nobody_takes_the_call() -> None:
    """A listener whose queue is full answers no SYN."""
    with socket.socket() as full:
        full.bind((LOOPBACK, 0))
        full.listen(0)
        address = (LOOPBACK, full.getsockname()[1])
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(address)
            waiting.append(sock)
        eventually("the queue is full", lambda: waiting[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1)
        refused = connect(bound_socket(LOOPBACK), address, None, 0.1, time.monotonic)
        assert refused == Refused("no connection after 0.1 s")
        for sock in waiting:
            sock.close()


def tls(pki: Pki, options: TlsOptions, port: int, name: str = "127.0.0.1") -> Channel | Refused:
    """A connection through TLS."""
    context = options.client_context()
    session = lambda: TlsSession(context, name=name)  # noqa: E731 - what connect calls
    return connect(bound_socket(LOOPBACK), (LOOPBACK, port), session, PATIENCE, time.monotonic)


def test_tls(pki: Pki, start_server: StartServer) -> None:
    """A handshake that the standard library's server takes."""
    server = start_server(context=pki.server_context(mutual=True))
    channel = tls(pki, TlsOptions(str(pki.client), None, str(pki.ca), verify=True), server.port)
    assert isinstance(channel, Channel)
    assert channel.established
    channel.close(1.0, time.monotonic)


def test_tls_that_fails_is_refused(pki: Pki, start_server: StartServer) -> None:
    """A name that is not in the certificate: no connection to send anything on."""
    server = start_server(context=pki.server_context())
    refused = tls(pki, TlsOptions(ca=str(pki.ca), verify=True), server.port, "other.example")
    assert isinstance(refused, Refused)
    assert "certificate verify failed" in refused.reason


def test_tls_with_somebody_who_speaks_none(start_server: StartServer, pki: Pki) -> None:
    """A plain SIP server waits for the end of a message; the handshake does not wait as long."""
    refused = connect(
        bound_socket(LOOPBACK),
        (LOOPBACK, start_server().port),
        lambda: TlsSession(TlsOptions().client_context()),
        0.1,
        time.monotonic,
    )
    assert refused == Refused("TLS: handshake timed out")
