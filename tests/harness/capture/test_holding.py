"""Packets that wait for secrets."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from harness.capture.holding import HeldFile
from harness.capture.pcapng import Flow
from harness.capture.recorder import Recorder
from tests.harness.capture.disk import Disk
from tests.harness.capture.test_recorder import CLIENT, LOCAL, PROXY, SERVER

PACKET = bytes.fromhex("4500001400000000400600007f0000017f000001")


def test_held_packets_keep_their_time_and_order() -> None:
    """They come behind what was written meanwhile, with the times at which they crossed; none gets lost."""
    disk = Disk()
    file = HeldFile(disk.capture)
    file.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    file.hold()
    file.hold()
    for number in (1, 2):
        disk.now += 1000
        file.write(Direction.INWARD, PACKET, Flow.OUTBOUND, [f"held {number}"])
    assert len(disk.packets()) == 1
    disk.capture.secrets(b"CLIENT_RANDOM aa bb\n")
    disk.now += 1000
    disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND, ["meanwhile"])
    file.release()
    file.write(Direction.OUTWARD, PACKET, Flow.INBOUND, ["later"])
    file.release()
    first, *rest = disk.packets()
    assert [packet.comments for packet in rest] == [("meanwhile",), ("held 1",), ("held 2",), ("later",)]
    assert [packet.timestamp - first.timestamp for packet in rest] == [3000, 1000, 2000, 3001]
    assert [packet.interface.name for packet in rest] == ["inside", "outside", "outside", "inside"]


@pytest.mark.parametrize("end", ["revealed", "ended", "reset"])
def test_a_terminated_connection_waits_until_its_secrets_are_told(end: str) -> None:
    """Or until it ends without; one in clear does not wait."""
    disk = Disk()
    recorder = Recorder(disk.capture)
    clear, tap = recorder.tap(1), recorder.tap(2)
    for each in (clear, tap):
        each.opened(Direction.OUTWARD, CLIENT, PROXY, by_peer=True)
        each.opened(Direction.INWARD, SERVER, LOCAL, by_peer=False)
    before = len(disk.packets())
    tap.terminated()
    tap.received(Direction.OUTWARD, b"hello")
    assert len(disk.packets()) == before
    clear.received(Direction.OUTWARD, b"in clear")
    assert len(disk.packets()) == before + 2
    if end == "revealed":
        tap.revealed()
    elif end == "ended":
        tap.ended(Direction.OUTWARD, by_peer=True)
    else:
        tap.reset(Direction.INWARD, by_peer=True)
    assert len(disk.packets()) == before + {"revealed": 4, "ended": 6, "reset": 5}[end]
