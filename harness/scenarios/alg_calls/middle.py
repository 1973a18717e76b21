"""The ALG between two endpoints: the real proxy, in this process, with a capture and an event log of what it does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from twisted.internet import interfaces, task

from alg.config import AlgConfig, MediaMode, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.edge.entrance import Address, Listener, Path
from alg.edge.media import UdpDoors
from alg.edge.proxy import AlgProxy
from alg.faults.spec import FaultSpec
from alg.nat.media import MediaDoors
from harness.capture.recorder import Recorder, open_recorder
from harness.console import ConsoleObserver, say
from harness.events import EventLog, open_events
from harness.scenarios.alg_calls.ground import SIP_PORT, Ground
from harness.scenarios.alg_calls.relay import Relay
from harness.scenarios.alg_calls.wire import Wire
from harness.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Device:
    """What the ALG does, right or wrong."""

    faults: tuple[str, ...] = ()
    """As `--fault` takes them."""
    l4f: bool = True
    sip_ports: frozenset[int] = field(default=frozenset({SIP_PORT}))

    def config(self, ground: Ground) -> AlgConfig:
        """For the addresses of a call; what decides is the port that the caller connects to, and no other."""
        return AlgConfig(
            nat=NatConfig(ground.maps),
            l4f=self.l4f,
            sip_ports=self.sip_ports & {ground.port},
            media=MediaMode.RELAY,
            faults=tuple(FaultSpec.parse(text) for text in self.faults),
        )


class Middle:
    """The ALG at work."""

    def __init__(self, stage: Stage, ground: Ground, device: Device) -> None:
        self.ground = ground
        self.wire = Wire()
        self._reactor = stage.reactor
        self._events = open_events(str(stage.directory / "events.jsonl"))
        recorder = open_recorder(str(stage.directory / "capture.pcapng"), None, say)
        assert recorder is not None, "a file was named"
        self._recorder: Recorder = recorder
        observer = ConsoleObserver(EventLog(self._events, time.time), None, [recorder])
        self.relay = Relay(observer.door)
        self._alg = Alg(device.config(ground), MediaDoors(UdpDoors(stage.reactor, self.relay.door)))
        self._proxy = AlgProxy(
            stage.reactor, self._alg, observer, tap=lambda number: self.wire.tap(recorder.tap(number))
        )

    def open(self, *ways: Way) -> None:
        """Let connections in. Raises CannotListenError."""
        looked_into = self._alg.config.applies_to(frozenset((self.ground.port,)))
        for way in ways:
            self._proxy.listen(way if way.listen == self.ground.called else replace(way, sip=looked_into))

    async def quiet(self, patience: float) -> None:
        """Until no connection stands any more, or for so many seconds."""
        end = self._reactor.seconds() + patience
        while len(self._proxy) and self._reactor.seconds() < end:
            await task.deferLater(self._reactor, 0.01)

    def end_media(self) -> None:
        """Close what is open of the relay, which then tells what crossed it."""
        assert self._alg.doors is not None, "this ALG has a relay"
        self._alg.doors.close()

    async def close(self) -> None:
        """End everything, and close the files."""
        await self._proxy.stop()
        self._recorder.close()
        self._events.close()


@dataclass(frozen=True, slots=True)
class Way(Listener):
    """A listener whose connections leave from an address of their own."""

    source: Address = ("", 0)

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> interfaces.IConnector:
        """From there."""
        connector: interfaces.IConnector = reactor.connectTCP(
            *path.target, factory, timeout=timeout, bindAddress=self.source
        )
        return connector


def outward(ground: Ground, source_port: int = 0) -> Way:
    """The way to the callee, as whom the caller is outside; source port 0 is any."""
    return Way(ground.called, ground.callee, Direction.OUTWARD, source=(ground.caller_outside, source_port))


def inward(ground: Ground) -> Way:
    """The way to the caller."""
    listen = ground.caller_outside, ground.caller[1]
    return Way(listen, ground.caller, Direction.INWARD, source=(ground.callee_inside, 0))


def ways(ground: Ground) -> tuple[Way, ...]:
    """All of them; a callee that listens on a port of its own has it in its Contact."""
    there = outward(ground)
    own = replace(there, listen=(ground.callee_inside, ground.callee[1]))
    return (there, inward(ground), *([own] if own != there else []))
