"""Puts the real proxy between the two endpoints, and watches it."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

from twisted.internet import defer, error, task

from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address, Listener
from alg.edge.media import UdpDoors
from alg.edge.proxy import AlgProxy
from alg.nat.media import Door, MediaDoors
from alg.trace import AnyRecord, MessageRecord, Sink, StreamRecord, tee
from harness.demo.endpoint import CALLEE_ROLE, CALLER_ROLE, Endpoint, Role, Tally
from harness.demo.topology import (
    CALLEE_INSIDE,
    CALLER,
    CALLER_OUTSIDE,
    Hop,
    alg_config,
)
from harness.events import EventLog

_MOST_TRIES = 16
_GRAIN = 0.01
"""Seconds between two looks at whether the proxy has seen the end of its connections."""
_PATIENCE = {True: 3.0, False: 0.4}
"""Seconds, by whether L4F is on: for ACK, BYE and media, which do not come when it is off."""


class Watcher:
    """What the ALG told while it worked; an `alg.edge.proxy.Observer`."""

    def __init__(self, log: EventLog | None) -> None:
        self.messages: list[MessageRecord] = []
        self.mishaps: list[str] = []
        """Why bytes went by unread, or a target could not be reached."""
        self.doors: Counter[str] = Counter()
        """By what happened to them: `opened`, `closed`, `refused`."""
        self.relayed: Counter[tuple[str, Direction]] = Counter()
        """Packets through doors that are closed now, by `RTP` or `RTCP` and direction."""
        self._log = log

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """Both legs stand."""
        if self._log:
            self._log.connected(connection, client, listener, target)

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """The target could not be reached."""
        self.mishaps.append(f"the proxy cannot connect to {target[0]}:{target[1]}: {reason}")
        if self._log:
            self._log.refused(connection, client, target, reason)

    def sink(self, connection: int) -> Sink | None:
        """Who gets the records of one connection."""
        return tee(self._keep, *([self._log.sink(connection)] if self._log else []))

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """Both legs are gone."""
        if self._log:
            self._log.closed(connection, reason, alg)

    def door(self, action: str, door: Door | None, **fields: Any) -> None:
        """A media door opened, closed, or could not be opened."""
        self.doors[action] += 1
        if door is not None and action == "closed":
            for kind in ("rtp", "rtcp"):
                self.relayed[kind.upper(), door.direction.opposite] += fields[kind]["in"]
                self.relayed[kind.upper(), door.direction] += fields[kind]["back"]
        if self._log:
            self._log.door(action, door, **fields)

    def _keep(self, record: AnyRecord) -> None:
        if isinstance(record, MessageRecord):
            self.messages.append(record)
        elif isinstance(record, StreamRecord) and record.record.rule == "passthrough":
            self.mishaps.append(f"bytes passed unread: {record.record.reason}")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is over: what happened to each endpoint."""

    caller: Tally
    callee: Tally


class Stage:
    """The proxy, and whoever is on the phone."""

    def __init__(self, reactor: Any, log: EventLog | None) -> None:
        self.watcher = Watcher(log)
        self._reactor = reactor
        self._alg = Alg(alg_config(l4f=True), MediaDoors(UdpDoors(reactor, self.watcher.door)))
        self._proxy = AlgProxy(reactor, self._alg, self.watcher)
        self._endpoints: list[Endpoint] = []

    async def place_call(self, l4f: bool) -> Call:
        """One call from start to end, L4F being on or off."""
        self._alg.reconfigure(alg_config(l4f))
        name, patience = f"call with l4f {l4f}", _PATIENCE[l4f]
        caller = await self._open(CALLER_ROLE, name, patience)
        callee = await self._open(CALLEE_ROLE, name, patience)
        caller.peer = CALLEE_INSIDE, callee.port
        flows = [defer.Deferred.fromCoroutine(endpoint.run()) for endpoint in (caller, callee)]
        await defer.gatherResults(flows, consumeErrors=True)
        await self._close_endpoints()
        while len(self._proxy):
            await task.deferLater(self._reactor, _GRAIN)
        return Call(caller.tally, callee.tally)

    async def _open(self, role: Role, call: str, patience: float) -> Endpoint:
        """An endpoint that listens, and the proxy on the same port of the address that stands for it."""
        for attempt in itertools.count(1):
            endpoint = Endpoint(self._reactor, role, patience)
            self._endpoints.append(endpoint)
            hop = endpoint.open(call)
            try:
                self._proxy.listen(_listener(hop))
            except error.CannotListenError:
                if attempt == _MOST_TRIES:
                    raise
                await endpoint.close()
                self._endpoints.remove(endpoint)
            else:
                break
        return endpoint

    @property
    def outstanding(self) -> list[str]:
        """What the endpoints are busy with."""
        return [f"the {endpoint.name} {endpoint.waiting}" for endpoint in self._endpoints if endpoint.waiting]

    async def close(self) -> None:
        """Close every socket."""
        await self._close_endpoints()
        await self._proxy.stop()

    async def _close_endpoints(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()
        self._endpoints.clear()


def _listener(hop: Hop) -> Listener:
    """The way to an endpoint from the other side."""
    host, port = hop
    if host == CALLER:
        return Listener((CALLER_OUTSIDE, port), hop, Direction.INWARD, sip=True)
    return Listener((CALLEE_INSIDE, port), hop, Direction.OUTWARD, sip=True)
