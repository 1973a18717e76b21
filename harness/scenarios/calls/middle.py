"""The ALG between two endpoints: the real proxy, in this process, with a capture and an event log of what it does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from twisted.internet import task

from alg.config import AlgConfig, MediaMode, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.edge.entrance import Entrance, Listener
from alg.edge.media import UdpDoors
from alg.edge.proxy import AlgProxy
from alg.faults.spec import FaultSpec
from alg.nat.media import MediaDoors
from harness.capture.recorder import Recorder, open_recorder
from harness.console import ConsoleObserver, say
from harness.events import EventLog, open_events
from harness.scenarios.calls.ground import SIP_PORT, Ground
from harness.scenarios.calls.wire import Wire
from harness.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Device:
    """What the ALG does, right or wrong."""

    faults: tuple[str, ...] = ()
    """As `--fault` takes them."""
    l4f: bool = True
    sip_ports: frozenset[int] = field(default=frozenset({SIP_PORT}))

    def config(self, ground: Ground) -> AlgConfig:
        """For the addresses of a call."""
        return AlgConfig(
            nat=NatConfig(ground.maps),
            l4f=self.l4f,
            sip_ports=self.sip_ports,
            media=MediaMode.RELAY,
            faults=tuple(FaultSpec.parse(text) for text in self.faults),
        )


class Middle:
    """The ALG at work."""

    def __init__(self, stage: Stage, ground: Ground, device: Device) -> None:
        self.wire = Wire()
        self._reactor = stage.reactor
        self._events = open_events(str(stage.directory / "events.jsonl"))
        recorder = open_recorder(str(stage.directory / "capture.pcapng"), None, say)
        assert recorder is not None, "a file was named"
        self._recorder: Recorder = recorder
        observer = ConsoleObserver(EventLog(self._events, time.time), None, [recorder])
        self._alg = Alg(device.config(ground), MediaDoors(UdpDoors(stage.reactor, observer.door)))
        self._proxy = AlgProxy(
            stage.reactor, self._alg, observer, tap=lambda number: self.wire.tap(recorder.tap(number))
        )

    def open(self, *entrances: Entrance) -> None:
        """Let connections in. Raises CannotListenError."""
        for entrance in entrances:
            self._proxy.listen(entrance)

    async def quiet(self) -> None:
        """Until no connection stands any more."""
        while len(self._proxy):
            await task.deferLater(self._reactor, 0.01)

    async def close(self) -> None:
        """End everything, and close the files."""
        await self._proxy.stop()
        self._recorder.close()
        self._events.close()


def outward(ground: Ground) -> Listener:
    """The way to the callee."""
    return Listener((ground.callee_inside, ground.port), ground.callee, Direction.OUTWARD)


def inward(ground: Ground) -> Listener:
    """The way to the caller."""
    return Listener((ground.caller_outside, ground.port), (ground.caller, ground.port), Direction.INWARD)
