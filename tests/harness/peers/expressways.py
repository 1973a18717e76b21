"""An Expressway-E and an Expressway-C with endpoints at both ends, over TCP, on a network of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from twisted.internet.defer import Deferred, succeed

from harness.expressway.loading import parse_expressway
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.peers.expressway import ExpresswayPeer, Surroundings
from harness.scenarios.hybrid.messages import Messages
from harness.scenarios.stage import Network
from harness.sip.agent import Agent, AgentSettings
from harness.sip.capabilities import audio_phone
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Target
from harness.sip.message import Request
from harness.sip.resolve import Service
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from tests.harness.peers.turning import Turned

TIMERS = Timers.scaled(0.05)
TRAVERSAL_PORT = 7001
OUTSIDE, WEST, EAST = 70, 21, 22
"""Host numbers of the endpoints: one outside, two in neighbor zones of Expressway-C."""

_E = """
[system]
"SystemUnit Name" = "expe"
"Ethernet 1 IP V4 Address" = "{net}.3"

[[zone]]
Type = "TraversalServer"
Name = "Traversal Zone"
"SIP Port" = 7001
"SIP Transport" = "TCP"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP ParameterPreservation Mode" = "On"

[[zone]]
Type = "Default"
"SIP PreloadedSipRoutes Accept" = "On"

[[zone]]
Type = "Neighbor"
Name = "Outside"
"Peer Address" = ["outside.example.com"]
"SIP Port" = 5060
"SIP Transport" = "TCP"
"SIP PreloadedSipRoutes Accept" = "On"

[[search_rule]]
Name = "in"
Priority = 10
Mode = "AliasPatternMatch"
"Pattern Type" = "Suffix"
"Pattern String" = "@example.com"
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "Traversal Zone"

[[search_rule]]
Name = "out"
Priority = 20
Mode = "AliasPatternMatch"
"Pattern Type" = "Suffix"
"Pattern String" = "@example.net"
"Pattern Behavior" = "Leave"
"Target Name" = "Outside"
"""

_C = """
[system]
"SystemUnit Name" = "expc"
"Ethernet 1 IP V4 Address" = "{net}.2"

[[zone]]
Type = "TraversalClient"
Name = "Traversal Zone"
"Peer Address" = ["{net}.3"]
"SIP Port" = 7001
"SIP Transport" = "TCP"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP ParameterPreservation Mode" = "On"

[[zone]]
Type = "Neighbor"
Name = "West"
"Peer Address" = ["{net}.21"]
"SIP Port" = 5060
"SIP Transport" = "TCP"
"SIP ParameterPreservation Mode" = "On"

[[zone]]
Type = "Neighbor"
Name = "East"
"Peer Address" = ["{net}.22"]
"SIP Port" = 5060
"SIP Transport" = "TCP"

[[transform]]
Priority = 1
"Pattern Type" = "Regex"
"Pattern String" = 'robert@example\\.com'
"Pattern Behavior" = "Replace"
"Pattern Replace" = "bob@example.com"

[[search_rule]]
Name = "west"
Priority = 10
Mode = "AliasPatternMatch"
"Pattern Type" = "Suffix"
"Pattern String" = "@example.com"
"Pattern Behavior" = "Leave"
Progress = "{progress}"
"Target Name" = "West"

[[search_rule]]
Name = "east"
Priority = 20
Mode = "AliasPatternMatch"
"Pattern Type" = "Suffix"
"Pattern String" = "@example.com"
"Pattern Behavior" = "Leave"
"Target Name" = "East"

[[search_rule]]
Name = "out"
Priority = 30
"Target Name" = "Traversal Zone"
"""


class Records:
    """A name server in memory."""

    def __init__(self, **hosts: str) -> None:
        self.hosts = dict(hosts)
        self.srv: dict[str, list[Service]] = {}

    def services(self, name: str) -> Deferred[list[Service]]:
        """As `Questions` has it."""
        return succeed(self.srv.get(name, []))

    def addresses(self, host: str) -> Deferred[list[str]]:
        """As `Questions` has it."""
        return succeed([self.hosts[host]] if host in self.hosts else [])


class Endpoint:
    """A user agent that keeps what crosses it."""

    def __init__(self, reactor: Any, host: str, address: str, **settings: Any) -> None:
        self.element = Element(reactor, ElementSettings(TIMERS, TransportSettings(source=host)))
        self.element.core = self.agent = Agent(self.element, AgentSettings(address, audio_phone(host), **settings))
        self.messages = Messages()
        self.element.transport.taps.append(self.messages)
        self.element.transport.listen("TCP", (host, 5060))

    def invites(self) -> list[Request]:
        """Those that came."""
        return self.messages.requests("INVITE", sent=False)


class Pair:
    """Everybody; `close` in any case."""

    def __init__(self, turned: Turned, network: Network, progress: str = "Continue", keep_alive: float = 20.0) -> None:
        self.turned = turned
        self.network = network
        self.records = Records(**{"outside.example.com": network.host(OUTSIDE)})
        self.logs = {"expe": StringIO(), "expc": StringIO()}
        self.keep_alive = keep_alive
        net = network.host(0).rpartition(".")[0]
        self._texts = {"expe": _E.format(net=net), "expc": _C.format(net=net, progress=progress)}
        self.expe, self.expc = self.expressway("expe"), self.expressway("expc")
        reactor = turned.reactor
        self.outside = Endpoint(reactor, network.host(OUTSIDE), "sip:alice@example.net")
        self.west = Endpoint(reactor, network.host(WEST), "sip:bob@example.com")
        self.east = Endpoint(reactor, network.host(EAST), "sip:bob@example.com")

    def expressway(self, name: str) -> ExpresswayPeer:
        """One of them, which does not listen yet."""
        log = DiagnosticLog(self.logs[name], name, lambda: datetime.now(UTC), X8_10)
        around = Surroundings(log, self.records, timers=TIMERS, connect_timeout=5.0, keep_alive=self.keep_alive)
        return ExpresswayPeer(self.turned.reactor, parse_expressway(self._texts[name], name), around)

    def open(self) -> Pair:
        """Listen, and have the traversal zone connected."""
        self.expe.listen()
        self.expc.listen()
        for peer in (self.expe, self.expc):
            assert self.turned.result(Deferred.fromCoroutine(peer.start()))
        return self

    def log(self, name: str) -> str:
        """What it has written."""
        return self.logs[name].getvalue()

    @property
    def into_expe(self) -> list[Target]:
        """Expressway-E's port for TCP."""
        return [Target("TCP", self.network.host(3), 5060)]

    @property
    def into_expc(self) -> list[Target]:
        """Expressway-C's port for TCP."""
        return [Target("TCP", self.network.host(2), 5060)]

    def close(self) -> None:
        """End everybody, and what calls there are."""
        for endpoint in (self.outside, self.west, self.east):
            for call in endpoint.agent.calls:
                call.hang_up()
        for closing in (self.outside.element, self.west.element, self.east.element, self.expc, self.expe):
            self.turned.result(Deferred.fromCoroutine(closing.close()))
