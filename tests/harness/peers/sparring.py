"""Whom SIP peers are tested against: elements of the test's own, taps that remember, and somebody with bad manners."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred

from harness.fuzz.sizes import Tokens
from harness.fuzz.target import Target as FuzzTarget
from harness.fuzz.torture import cases_for, choose
from harness.fuzz.torture_case import Names
from harness.sip.agent import Agent, AgentSettings
from harness.sip.capabilities import audio_phone, crypto_lines
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, Loss, Tap
from harness.sip.message import Request, Response, parse
from harness.sip.offer_answer import Capabilities
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from harness.sip.uri import Address
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE

HOST, OTHER = "127.0.43.2", "127.0.43.3"
"""The peer's, and the test's."""
FAST = Timers.scaled(0.05)
SLOW = Timers.scaled(1.0)
"""Where nothing may be repeated, however busy the machine is."""
OPTIONS = (
    b"OPTIONS sip:5010@example.local SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.43.9:5060;branch=z9hG4bKlast\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:5010@example.local>\r\nCall-ID: last\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
INVITE = (
    b"INVITE sip:5010@example.local SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.43.9:5060;branch=z9hG4bKcall\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=2\r\nTo: <sip:5010@example.local>\r\nCall-ID: cut\r\n"
    b"CSeq: 1 INVITE\r\nContact: <sip:a@127.0.43.9>\r\nContent-Length: 0\r\n\r\n"
)
_RESET = struct.pack("ii", 1, 0)
"""Linger not at all: closing resets."""


_KEYS = ("A" * 40, "B" * 40)


def srtp_phone(*codecs: str) -> Capabilities:
    """Audio over SRTP."""
    plain = audio_phone(OTHER, names=codecs)
    secure = replace(plain.streams[0], protocol="RTP/SAVP", crypto=crypto_lines(_KEYS))
    return replace(plain, streams=(secure,))


@dataclass
class Remembering(Tap):
    """What an element heard and said."""

    came: list[Request | Response] = field(default_factory=list)
    went: list[Request | Response] = field(default_factory=list)
    endings: list[Loss] = field(default_factory=list)

    def received(self, flow: Flow, data: bytes) -> None:
        """As Tap has it."""
        self.came.append(parse(data))

    def sent(self, flow: Flow, data: bytes) -> None:
        """As Tap has it."""
        self.went.append(parse(data))

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """As Tap has it."""
        self.endings.append(loss)

    def titles(self) -> list[str]:
        """Of what came: methods, and status with method."""
        return [each.method if isinstance(each, Request) else f"{each.status} {each.cseq.method}" for each in self.came]

    def last(self, title: str) -> Any:
        """The last that came of a title."""
        return self.came[len(self.titles()) - 1 - self.titles()[::-1].index(title)]


@dataclass
class Opponent:
    """A user agent of the test's own, and what it heard."""

    agent: Agent
    at: Address
    tap: Remembering

    @classmethod
    def make(cls, turned: Turned, able: Capabilities | None = None, timers: Timers = SLOW) -> Opponent:
        """At the test's address, on TCP."""
        element = Element(turned.reactor, ElementSettings(timers, TransportSettings(source=OTHER)))
        element.core = agent = Agent(element, AgentSettings("sip:test@example.com", able or audio_phone(OTHER)))
        tap = Remembering()
        element.transport.taps.append(tap)
        return cls(agent, element.transport.listen("TCP", (OTHER, 0)), tap)

    def close(self, turned: Turned) -> None:
        """End it."""
        for call in self.agent.calls:
            call.hang_up()
        close(turned, self.agent.element)


def close(turned: Turned, *peers: Any) -> None:
    """End peers, one after the other."""
    for peer in peers:
        turned.result(Deferred.fromCoroutine(peer.close()))


def wait(turned: Turned, seconds: float) -> None:
    """Let time pass."""
    turned.result(task.deferLater(turned.reactor, seconds))


def abuse(turned: Turned, at: Address) -> bytes:
    """Everything that should not happen to a TCP peer happens to it; what it says to an OPTIONS afterwards."""
    turned.meanwhile(lambda: _misbehave(at, [*torture(at), *_GARBAGE]))
    turned.meanwhile(lambda: _cut(at))
    return turned.meanwhile(lambda: talk(at, OPTIONS))


_GARBAGE = (b"\x16\x03\x01\x02\x00\x01\x00" * 40, b"\r\n" * 3000, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\xff" * 70000)


def torture(at: Address) -> list[bytes]:
    """The messages of RFC 4475's topics."""
    cases = cases_for(choose(), FuzzTarget(at, at[0]), Tokens("sparring00"), Names("127.0.43.9", "5010"))
    return [case.case.compose(("127.0.43.9", 5060)).data for case in cases]


def _misbehave(at: Address, messages: Iterable[bytes]) -> None:
    for message in messages:
        with socket.create_connection(at, timeout=PATIENCE) as sock:
            _send(sock, message)


def _cut(at: Address) -> None:
    """Connections that are reset within a message and right behind it."""
    for end in (1, 7, 40, 200, len(INVITE) - 1, len(INVITE)):
        with socket.create_connection(at, timeout=PATIENCE) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            _send(sock, INVITE.replace(b"cut", b"cut%d" % end).replace(b"hG4bKcall", b"hG4bKcall%d" % end)[:end])


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
    except OSError:
        return


def talk(at: Address, message: bytes) -> bytes:
    """The first bytes that come back."""
    with socket.create_connection(at, timeout=PATIENCE) as sock:
        sock.sendall(message)
        return sock.recv(65536)
