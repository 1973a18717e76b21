"""The kernel's own SIP ALG beside ours in the same lab: it rewrites what is whole in a packet, and nothing else.

Strategy: hand-written messages over real TCP. The connection comes from the port that they name, and each test's INVITE
has a media port of its own: the kernel is given no other reason to refuse.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise

import pytest

from tests.e2e.inline_lab import INSIDE, OUTSIDE, POOL, InlineLab, inline_lab, unacknowledged
from tests.e2e.routers import OURS, kernel
from tests.e2e.shapes import SEGMENT
from tests.edge.sockets import receive_all
from tests.helpers.lab import Opened, Stage
from tests.helpers.system import eventually

ROUTERS = {"kernel": kernel, **OURS}
PORT = 5060
_sources = count(40000)
_media_ports = count(20000, 2)


@pytest.fixture(scope="module", params=["offload", "no offload"])
def lab(request: pytest.FixtureRequest) -> Iterator[InlineLab]:
    """A lab without a router yet."""
    with inline_lab(request.param == "offload") as one:
        yield one


@dataclass(frozen=True)
class Router:
    """One that is the NAT of a lab."""

    name: str
    lab: InlineLab


@pytest.fixture(scope="module", params=ROUTERS)
def router(lab: InlineLab, request: pytest.FixtureRequest) -> Iterator[Router]:
    """Each of them in its turn."""
    with ROUTERS[request.param](lab):
        yield Router(request.param, lab)


def invite(host: str, port: int, media_port: int, note: str = "") -> bytes:
    """An INVITE that names its sender where every ALG looks."""
    session = (
        f"v=0\r\no=alice 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {media_port} RTP/AVP 0\r\na=note:{note}\r\n"
    )
    return (
        f"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP {host}:{port};branch=z9hG4bK1\r\n"
        f"From: <sip:alice@{host}:{port}>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: {media_port}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:alice@{host}:{port}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(session)}\r\n\r\n{session}"
    ).encode()


@dataclass(frozen=True)
class Passage:
    """What became of an INVITE."""

    sent: bytes
    arrived: bytes
    due: bytes
    """What the other side should have seen."""


def carry(lab: InlineLab, cuts: tuple[int, ...], note: str) -> Passage:
    """Send an INVITE from the inside, each piece once the one before is acknowledged, and end the stream."""
    stage, source, media_port = Stage(lab.lab), next(_sources), next(_media_ports)
    sent, due = (invite(host, source, media_port, note) for host in (INSIDE, POOL))
    with Opened() as opened:
        listening = opened.listen(stage, "outside", (OUTSIDE, PORT))
        client = opened.connect(stage, "inside", (INSIDE, source), (OUTSIDE, PORT))
        server, seen = opened.accept(listening)
        assert seen == (POOL, source)
        for start, stop in pairwise((0, *cuts, len(sent))):
            client.sendall(sent[start:stop])
            eventually("the segment is acknowledged", lambda: unacknowledged(client) == 0)
        client.shutdown(socket.SHUT_WR)
        return Passage(sent, receive_all(server), due)


def test_one_segment(router: Router) -> None:
    """All of them rewrite a message that one segment holds, the kernel's too: it is at work."""
    passage = carry(router.lab, (), "")
    assert passage.arrived == passage.due != passage.sent


@pytest.mark.parametrize(("cuts", "note"), [((200,), ""), ((SEGMENT,), "x" * 1400)], ids=["in the header", "when full"])
def test_two_segments(router: Router, cuts: tuple[int, ...], note: str) -> None:
    """From the kernel the outside gets the inside address, to which it can send nothing; ours rewrite as ever."""
    passage = carry(router.lab, cuts, note)
    assert passage.arrived == (passage.sent if router.name == "kernel" else passage.due)
    assert (INSIDE.encode() in passage.arrived) is (router.name == "kernel")
