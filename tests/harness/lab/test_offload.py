"""Offload of a veth device, judged by the size of the packets that it carries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.lab.namespace import within
from harness.lab.offload import offloads
from tests.helpers.lab import CLIENT, SERVER, Opened, Stage, stage

MTU = 1500


@pytest.fixture(scope="module")
def lab() -> Iterator[Stage]:
    """A lab whose offload a test chooses."""
    with stage("-offload") as up:
        yield up


@pytest.mark.parametrize("on", [True, False])
def test_packets_are_larger_than_a_wire_takes_with_offload_only(lab: Stage, tmp_path: Path, on: bool) -> None:
    """Without offload every packet is one that could have crossed a wire."""
    lab.lab.up(offload=on)
    assert within(lab.lab.namespace("router"), partial(offloads, ("inside", "outside"))) == {
        "inside": on,
        "outside": on,
    }
    capture = tmp_path / "outside.pcap"
    with Opened() as opened:
        listening = opened.listen(lab, "outside", (SERVER, 5060))
        opened.enter_context(lab.captured("outside", capture))
        client = opened.connect(lab, "inside", (CLIENT, 0), (SERVER, 5060))
        server, _ = opened.accept(listening)
        client.sendall(bytes(200_000))
        left = 200_000
        while left:
            left -= len(server.recv(left))
        client.close()
        server.close()
    assert (largest_packet(capture) > MTU) is on


def largest_packet(capture: Path) -> int:
    """Bytes of IP in the largest packet of a little-endian pcap file of Ethernet frames."""
    data, largest, offset = capture.read_bytes(), 0, 24
    while offset < len(data):
        captured, original = (int.from_bytes(data[offset + at : offset + at + 4], "little") for at in (8, 12))
        largest = max(largest, original - 14)
        offset += 16 + captured
    return largest
