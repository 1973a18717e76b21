"""What `sipalg inline` does as a plain NAT router between two kernels: UDP, ICMP, media, TCP that is not its own."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from harness.lab.topology import OUTSIDE as OUTSIDE_SIDE
from harness.lab.topology import Side
from tests.e2e.inline_lab import (
    INSIDE,
    MAPPED,
    NETWORK,
    OUTSIDE,
    POOL,
    POOLED,
    InlineLab,
    datagram_socket,
    exchange,
    inline_lab,
    unacknowledged,
)
from tests.edge.messages import request
from tests.helpers.system import PATIENCE, eventually
from tests.tcp.endpoint import reference_checksum

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_RECVERR = 10, 0, 11
"""<linux/in.h>"""
NEIGHBOUR, NEIGHBOUR_OUTSIDE = "10.0.30.3", "203.0.113.11"


@pytest.fixture(scope="module")
def lab() -> Iterator[InlineLab]:
    """A lab with two inside hosts, without a router yet."""
    with inline_lab(sides=(Side.parse("inside", (f"{INSIDE}/24", f"{NEIGHBOUR}/24")), OUTSIDE_SIDE)) as one:
        yield one


@pytest.fixture(scope="module")
def pooled() -> Iterator[InlineLab]:
    """A lab whose router is the ALG, with a pool."""
    with inline_lab() as one, one.inline(*POOLED):
        yield one


def test_udp_both_ways(pooled: InlineLab) -> None:
    """The outside sees the pool's address, and answers from any of its ports reach the inside (RFC 4787 REQ-1)."""
    with (
        pooled.inside(lambda: datagram_socket(INSIDE, 40000)) as inside,
        pooled.outside(lambda: datagram_socket(OUTSIDE, 7000)) as outside,
        pooled.outside(lambda: datagram_socket(OUTSIDE)) as stranger,
    ):
        inside.sendto(b"ping", (OUTSIDE, 7000))
        data, seen = outside.recvfrom(100)
        assert (data, seen) == (b"ping", (POOL, 40000))
        outside.sendto(b"pong", seen)
        assert inside.recvfrom(100) == (b"pong", (OUTSIDE, 7000))
        stranger.sendto(b"hello", seen)
        assert inside.recvfrom(100) == (b"hello", stranger.getsockname())


def test_udp_in_fragments(pooled: InlineLab) -> None:
    """A datagram of 20 kB arrives both ways, although only its first fragment shows ports."""
    with (
        pooled.inside(lambda: datagram_socket(INSIDE)) as inside,
        pooled.outside(lambda: datagram_socket(OUTSIDE, 7000)) as outside,
    ):
        for end in (inside, outside):
            end.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        large = bytes(range(256)) * 80
        inside.sendto(large, (OUTSIDE, 7000))
        data, seen = outside.recvfrom(1 << 16)
        assert data == large
        outside.sendto(large, seen)
        assert inside.recv(1 << 16) == large


def test_an_unused_port_is_reported(pooled: InlineLab) -> None:
    """The inside application hears of it as if there were no NAT: its connected socket is refused."""
    with pooled.inside(lambda: datagram_socket(INSIDE)) as inside:
        inside.connect((OUTSIDE, 7999))
        inside.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            inside.recv(100)


def test_an_unused_port_inside_is_reported(pooled: InlineLab) -> None:
    """The same for the outside, once the inside port behind a binding is closed."""
    with pooled.outside(lambda: datagram_socket(OUTSIDE, 7000)) as outside:
        with pooled.inside(lambda: datagram_socket(INSIDE)) as inside:
            inside.sendto(b"ping", (OUTSIDE, 7000))
            _, seen = outside.recvfrom(100)
        outside.connect(seen)
        outside.send(b"still there?")
        with pytest.raises(ConnectionRefusedError):
            outside.recv(100)


def test_a_host_that_cannot_be_reached(pooled: InlineLab) -> None:
    """The router's own kernel knows no way; the inside application hears of it."""
    pooled.ip("router", "route add unreachable 203.0.113.99")
    with pooled.inside(lambda: datagram_socket(INSIDE)) as inside:
        inside.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        inside.connect(("203.0.113.99", 7000))
        inside.send(b"anybody?")
        with pytest.raises(OSError, match="No route to host"):
            inside.recv(100)


@pytest.mark.parametrize("target", [OUTSIDE, "10.0.30.1", "203.0.113.1"])
def test_echo(pooled: InlineLab, target: str) -> None:
    """The outside answers a ping, and so does the router itself."""
    with pooled.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)) as sock:
        sock.settimeout(PATIENCE)
        sock.bind((INSIDE, 0))
        sock.connect((target, 0))
        body = struct.pack("!HH", 0x1234, 1) + b"echo"
        checksum = reference_checksum(b"\x08\0\0\0" + body)
        sock.send(struct.pack("!BBH", 8, 0, checksum) + body)
        answer = sock.recv(100)
    assert (answer[20], answer[24:]) == (0, body)


def test_a_narrow_path(pooled: InlineLab) -> None:
    """Where the outside link takes 1300 bytes a packet, messages arrive, also those that outgrow their segment."""
    pooled.ip("router", "link set outside mtu 1300")
    try:
        sizes = [0, 500, 600, 620, 640, 700, 3000] * 5
        said = [request(INSIDE, size=size) for size in sizes]
        with pooled.connection() as ends:
            heard = exchange(ends, (said, [b""]))
    finally:
        pooled.ip("router", "link set outside mtu 1500")
    assert heard[1] == b"".join(request(POOL, size=size) for size in sizes)


def test_media_reach_the_caller(pooled: InlineLab) -> None:
    """The SDP of an INVITE opens bindings: RTP and RTCP from outside arrive before the inside has sent any."""
    with (
        pooled.connection() as (client, server),
        pooled.inside(lambda: datagram_socket(INSIDE, 49170)) as rtp,
        pooled.inside(lambda: datagram_socket(INSIDE, 49171)) as rtcp,
        pooled.outside(lambda: datagram_socket(OUTSIDE, 6000)) as callee,
    ):
        client.sendall(request(INSIDE))
        assert server.recv(1 << 16) == request(POOL)
        callee.sendto(b"rtp", (POOL, 49170))
        callee.sendto(b"rtcp", (POOL, 49171))
        assert rtp.recvfrom(100) == (b"rtp", (OUTSIDE, 6000))
        assert rtcp.recvfrom(100) == (b"rtcp", (OUTSIDE, 6000))


def test_other_ports_are_translated_only(pooled: InlineLab) -> None:
    """What looks like SIP on port 8080 passes as it is; the addresses of its packets change."""
    with pooled.connection(8080) as ends:
        assert ends[1].getpeername()[0] == POOL
        heard = exchange(ends, ([request(INSIDE)], [request(POOL)]))
    assert heard == (request(POOL), request(INSIDE))


def test_without_l4f(lab: InlineLab) -> None:
    """The same for port 5060 with L4F off."""
    with lab.inline(*POOLED, "--no-l4f"), lab.connection() as ends:
        assert ends[1].getpeername()[0] == POOL
        assert exchange(ends, ([request(INSIDE)], [b""]))[1] == request(INSIDE)


def received(end: socket.socket, size: int) -> bytes:
    """So many bytes, in as many pieces as they come."""
    data = b""
    while len(data) < size and (piece := end.recv(size - len(data))):
        data += piece
    return data


def test_a_connection_that_was_there_before(lab: InlineLab) -> None:
    """Requests and answers that acknowledge each other: after one of each, both directions are rewritten."""
    with ExitStack() as stack:
        with lab.inline(*MAPPED, "--no-l4f"):
            client, server = stack.enter_context(lab.connection())
            for end in (client, server):
                end.sendall(b"\r\n\r\n")
                assert (server if end is client else client).recv(100) == b"\r\n\r\n"
            eventually("both have each other's", lambda: not unacknowledged(client) + unacknowledged(server))
        with lab.inline(*MAPPED):
            for seen in (INSIDE, POOL, POOL):
                for source, end, expected in ((INSIDE, server, seen), (POOL, client, INSIDE if seen == POOL else POOL)):
                    (client if end is server else server).sendall(request(source))
                    assert received(end, len(request(expected))) == request(expected)


def test_a_message_that_the_end_cuts_off(lab: InlineLab) -> None:
    """What was acknowledged to its sender reaches the receiver, and the last line says how much that was."""
    with lab.inline(*POOLED) as process, lab.connection() as (client, server):
        client.sendall(request(INSIDE)[:400])
        eventually("all is acknowledged", lambda: not unacknowledged(client))
        process.stop()
        assert process.errors.endswith("\n400 bytes of 1 connections were given away unacknowledged\n")
        assert server.recv(1 << 16) == request(INSIDE)[:400]


def test_static_map_of_a_port(lab: InlineLab) -> None:
    """NAT reflection as in the field: the outside sees the mapped address and port, also in the messages."""
    with (
        lab.inline("--inside", NETWORK, "--map", f"{INSIDE}:27901={POOL}:4401"),
        lab.outside(lambda: socket.create_server((OUTSIDE, 5060))) as listener,
        lab.inside(lambda: socket.create_connection((OUTSIDE, 5060), PATIENCE, (INSIDE, 27901))) as client,
    ):
        listener.settimeout(PATIENCE)
        server, seen = listener.accept()
        with server:
            assert seen == (POOL, 4401)
            client.sendall(b"OPTIONS sip:b@203.0.113.20 SIP/2.0\r\nContact: <sip:10.0.30.2:27901>\r\n\r\n")
            expected = b"OPTIONS sip:b@203.0.113.20 SIP/2.0\r\nContact: <sip:203.0.113.10:4401>\r\n\r\n"
            assert server.recv(1000) == expected


def test_an_outside_connection_to_a_mapped_host(lab: InlineLab) -> None:
    """A static map lets the outside connect, to an address that nobody but the ALG answers for."""
    with (
        lab.inline("--inside", NETWORK, "--map", f"{INSIDE}={POOL}"),
        lab.inside(lambda: socket.create_server((INSIDE, 5060))) as listener,
        lab.outside(lambda: socket.create_connection((POOL, 5060), PATIENCE)) as client,
    ):
        listener.settimeout(PATIENCE)
        server, seen = listener.accept()
        with server:
            assert seen == client.getsockname()
            client.sendall(request(POOL))
            assert server.recv(1 << 16) == request(INSIDE)


def test_neighbours_meet_at_their_outside_addresses(lab: InlineLab) -> None:
    """RFC 4787 REQ-9: a hairpin; the called one sees the caller's outside address."""
    maps = ("--map", f"{INSIDE}={POOL}", "--map", f"{NEIGHBOUR}={NEIGHBOUR_OUTSIDE}")
    with (
        lab.inline("--inside", NETWORK, *maps),
        lab.inside(lambda: socket.create_server((NEIGHBOUR, 5060))) as listener,
        lab.inside(lambda: socket.create_connection((NEIGHBOUR_OUTSIDE, 5060), PATIENCE, (INSIDE, 0))) as client,
    ):
        listener.settimeout(PATIENCE)
        server, seen = listener.accept()
        with server:
            assert seen == (POOL, client.getsockname()[1])
            said = b"OPTIONS sip:b@203.0.113.11 SIP/2.0\r\nContent-Length: 4\r\n\r\nb", b"ody"
            assert exchange((client, server), (said, [b"no SIP"]), 0.01) == (
                b"no SIP",
                b"OPTIONS sip:b@10.0.30.3 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody",
            )
