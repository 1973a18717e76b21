"""Taps on those who watch, and what each of them takes notice of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.capture.capture_file import open_capture
from harness.capture.reader import read_capture
from harness.scenarios.hybrid.ground import Ground
from harness.scenarios.hybrid.legs import CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX, Leg
from harness.scenarios.hybrid.watching import Watch
from harness.scenarios.stage import Stage
from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.transport import Transport, TransportSettings
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.samples import request


class Watching:
    """A watch on a stage, and transports of those who are watched."""

    def __init__(self, stage: Stage, *strangers: str) -> None:
        self.path = str(stage.directory / "capture.pcapng")
        file = open_capture(self.path, None, "test", print)
        assert file is not None
        self.file = file
        self.host = stage.network.host
        self.ground = Ground(stage.network, dict.fromkeys(strangers, (stage.network.host(30), 5060)))
        self.watch = Watch(stage.reactor, file, self.ground)
        self.transports = {name: self._transport(stage.reactor, name) for name in (EXPRESSWAY_E, EXPRESSWAY_C, WEBEX)}

    def _transport(self, reactor: Any, name: str) -> Transport:
        transport = Transport(reactor, None, TransportSettings())  # type: ignore[arg-type]
        self.watch.attach(name, transport)
        return transport

    def passes(self, name: str, local: tuple[str, int], remote: tuple[str, int], serves: bool = True) -> None:
        """A connection with an OPTIONS, as one of us has it."""
        flow = FakeFlow(True, "TCP", local, remote, serves)
        for tap in self.transports[name].taps:
            tap.connected(flow)
            tap.received(flow, request("OPTIONS").to_bytes())
            tap.closed(flow, Loss.EOF, "")

    def counts(self) -> dict[Leg, int]:
        """Messages by leg."""
        return {leg: len(sight.messages.crossed) for leg, sight in self.watch.sights.items()}

    def packets(self) -> list[str]:
        """Of the whole capture, by interface; each once."""
        self.watch.close()
        self.file.close()
        return [packet.interface.name for packet in read_capture(self.path)]


@pytest.fixture
def ours(stage: Stage) -> Iterator[Watching]:
    """Nobody is a stranger."""
    watching = Watching(stage)
    yield watching
    watching.packets()


def test_every_leg_once(ours: Watching) -> None:
    """Expressway-E has two of them, Expressway-C the trunk alone, though both see the zone."""
    host = ours.host
    ours.passes(EXPRESSWAY_E, (host(3), 7003), (host(2), 41000))
    ours.passes(EXPRESSWAY_C, (host(2), 41000), (host(3), 7003), serves=False)
    assert ours.counts() == {Leg.INSIDE: 0, Leg.ZONE: 1, Leg.OUTSIDE: 0}
    ours.passes(EXPRESSWAY_E, (host(3), 5062), (host(70), 41000))
    ours.passes(WEBEX, (host(70), 41000), (host(3), 5062), serves=False)
    assert ours.counts() == {Leg.INSIDE: 0, Leg.ZONE: 1, Leg.OUTSIDE: 1}
    ours.passes(EXPRESSWAY_C, (host(2), 5060), (host(21), 41000))
    assert ours.counts() == dict.fromkeys(Leg, 1)
    assert ours.watch.sights[Leg.OUTSIDE].messages.accepted == [5062]
    sides = ours.packets()
    assert (sides.count("inside"), sides.count("outside")) == (2 * len(sides) // 3, len(sides) // 3)


def test_what_webex_sees_instead(stage: Stage) -> None:
    """Of a real Expressway-E: the whole leg, in the capture as well."""
    watching = Watching(stage, EXPRESSWAY_E)
    watching.passes(WEBEX, (watching.host(70), 5062), (watching.host(30), 41000))
    assert watching.counts()[Leg.OUTSIDE] == 1
    assert watching.watch.unseen == ()
    assert "outside" in watching.packets()


def test_legs_that_nobody_sees(stage: Stage) -> None:
    """Are named."""
    watching = Watching(stage, CUCM, EXPRESSWAY_C)
    assert watching.watch.unseen == ("between CUCM and Expressway-C",)
    assert not watching.watch.watches(CUCM)
    assert watching.watch.watches(EXPRESSWAY_E, Leg.ZONE)
    watching.packets()


def test_connections_that_never_stood(ours: Watching) -> None:
    """Webex's SYN is in the capture, and its repetitions are counted by where it went."""
    target = Target("TLS", ours.host(64), 5062)
    tap = ours.watch.tap(WEBEX)
    tap.connecting((ours.host(70), 41000), target)
    tap.failed((ours.host(70), 41000), FlowFailed(target, Loss.TIMEOUT))
    tap.repeats[target.address] = 2
    assert ours.watch.repeats(target) == 2
    assert (ours.watch.unanswered(WEBEX), ours.watch.unanswered(EXPRESSWAY_E)) == ([target.address], [])
    assert ours.packets() == ["outside"]
