"""Elements on a network in memory: time is turned by hand, and what travels is written down.

Strategy: each element gets a transport that hands messages over as bytes, one tick of the clock later; the real one is
tested on sockets. A test may have any message lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import defer
from twisted.internet.task import Clock

from harness.sip.agent import Agent, AgentSettings
from harness.sip.capabilities import audio_phone
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.message import Message, Request, parse
from harness.sip.offer_answer import Capabilities
from harness.sip.timers import Timers
from harness.sip.tokens import Tokens
from harness.sip.uri import Address

TICK = 0.001
"""Seconds that a message takes."""
T1 = 0.5
PORT = 5060


@dataclass(eq=False)
class MemoryFlow:
    """A Flow."""

    network: Network
    kind: str
    local: Address
    remote: Address
    serves: bool = False
    open: bool = True
    peer: MemoryFlow | None = None
    """The other end of a connection."""

    @property
    def reliable(self) -> bool:
        """Everything but UDP is."""
        return self.kind != "UDP"

    def send(self, message: Message) -> bool:
        """To the element at the other end."""
        if self.open:
            self.network.carry(self, message.with_length().to_bytes())
        return self.open


@dataclass
class MemoryTransport:
    """A Transport."""

    network: Network
    host: str
    kinds: tuple[str, ...]
    element: Element
    taps: list[Any] = field(default_factory=list)
    flows: list[MemoryFlow] = field(default_factory=list)

    @property
    def addresses(self) -> list[tuple[str, Address]]:
        """All kinds at the same port."""
        return [(kind, (self.host, PORT)) for kind in self.kinds]

    def listening(self, kind: str, host: str = "") -> Address | None:
        """At the one port."""
        return (self.host, PORT) if kind in self.kinds else None

    def flow_to(self, target: Target, source: str = "") -> defer.Deferred[Any]:
        """To a host of the network that listens."""
        for flow in self.flows:
            if flow.open and (flow.kind, flow.remote) == (target.transport, target.address):
                return defer.succeed(flow)
        other = self.network.elements.get(target.host)
        if target.transport == "UDP":
            return defer.succeed(MemoryFlow(self.network, "UDP", (self.host, PORT), target.address))
        if other is None or target.address != (other.transport.host, PORT):
            return defer.fail(FlowFailed(target, Loss.REFUSED))
        here = MemoryFlow(self.network, target.transport, (self.host, self.network.next_port()), target.address)
        here.peer = MemoryFlow(self.network, target.transport, here.remote, here.local, True, True, here)
        self.flows.append(here)
        other.transport.flows.append(here.peer)
        return defer.succeed(here)

    async def close(self) -> None:
        """Nothing to do."""


class Network:
    """All of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.elements: dict[str, Any] = {}
        self.log: list[str] = []
        """`HOST > HOST: INVITE` and `HOST > HOST: 200 INVITE`, lost ones too."""
        self.messages: list[Any] = []
        self.lost: Callable[[Any], bool] = lambda message: False
        self._port = 40000

    def next_port(self) -> int:
        """Of a connection."""
        self._port += 1
        return self._port

    def element(self, host: str, *kinds: str, **settings: Any) -> Element:
        """An element at a host; it listens on UDP unless kinds are said."""
        seed = int(host.rpartition(".")[2])
        timers = settings.pop("timers", Timers(T1, 4.0, 5.0))
        element: Any = Element(self.clock, ElementSettings(timers=timers, **settings), Tokens(seed))
        element.transport = MemoryTransport(self, host, kinds or ("UDP",), element)
        self.elements[host] = element
        return element

    def agent(self, host: str, *kinds: str, able: Capabilities | None = None, **settings: Any) -> Agent:
        """A user agent at a host, with the host as its domain."""
        element = self.element(host, *kinds)
        agent = Agent(element, AgentSettings(f"sip:user@{host}", able or audio_phone(host), **settings))
        element.core = agent
        return agent

    def carry(self, flow: MemoryFlow, data: bytes) -> None:
        """Hand a message over, a tick later."""
        message = parse(data)
        title = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
        self.log.append(f"{flow.local[0]} > {flow.remote[0]}: {title}")
        self.messages.append(message)
        if not self.lost(message):
            self.clock.callLater(TICK, self._deliver, flow, data)

    def cut(self, host: str) -> None:
        """Every connection of a host is gone."""
        for flow in self.elements[host].transport.flows:
            for end in (flow, flow.peer):
                end.open = False
                owner = self.elements[end.local[0]]
                owner.flow_lost(end, Loss.RESET)

    def close(self) -> list[Any]:
        """Close all elements; the timers that are left, beside messages on their way."""
        for element in self.elements.values():
            defer.Deferred.fromCoroutine(element.close())
        return [call for call in self.clock.getDelayedCalls() if call.func != self._deliver]

    def run(self, seconds: float = 0.1) -> None:
        """Let time pass."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            due = [call.getTime() for call in self.clock.getDelayedCalls() if call.getTime() <= end]
            self.clock.advance(max(min(due, default=end) - self.clock.seconds(), 0) or min(TICK, seconds))

    def count(self, entry: str) -> int:
        """How often something is in the log."""
        return self.log.count(entry)

    def last(self, title: str) -> Any:
        """The last message of a method, or the last response of a status."""
        wanted = [
            each for each in self.messages if title in (getattr(each, "method", ""), str(getattr(each, "status", "")))
        ]
        return wanted[-1]

    def _deliver(self, flow: MemoryFlow, data: bytes) -> None:
        receiver = self.elements.get(flow.remote[0])
        back = flow.peer or MemoryFlow(self, "UDP", flow.remote, flow.local)
        if receiver is not None and back.open:
            for tap in receiver.transport.taps:
                tap.received(back, data)
            receiver.receive(parse(data), back)


def seconds_of(network: Network, title: str, run: float) -> list[float]:
    """When messages of a title leave, while so many seconds pass."""
    times: list[float] = []
    end = network.clock.seconds() + run
    seen = len(network.log)
    while network.clock.seconds() < end:
        times += [round(network.clock.seconds(), 3) for entry in network.log[seen:] if entry.endswith(f": {title}")]
        seen = len(network.log)
        network.run(TICK * 10)
    return times
