"""The file of a capture: times, sides, and what happens when it cannot be written."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from alg.direction import Direction
from alg.errors import ConfigError
from harness.capture.capture_file import open_capture
from harness.capture.pcapng import Flow
from harness.capture.reader import read_capture
from tests.harness.capture.disk import Disk
from tests.helpers.captures import file_comment

PACKET = bytes.fromhex("45000014000040004000000000000000 00000000")


def test_sides() -> None:
    """Outward packets come in inside, inward ones outside; each says which way it went there."""
    disk = Disk()
    disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND, ["one", "two"])
    disk.capture.write(Direction.INWARD, PACKET, Flow.OUTBOUND)
    assert [(packet.interface.name, packet.flow, packet.comments) for packet in disk.packets()] == [
        ("inside", Flow.INBOUND, ("one", "two")),
        ("outside", Flow.OUTBOUND, ()),
    ]


def test_times_always_increase() -> None:
    """A clock that stands still, or goes back, gives later timestamps all the same."""
    disk = Disk()
    for now in (1_000_000_000, 1_000_000_000, 500, 3_000_000_000, 2_000_000_000):
        disk.now = now
        disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    times = [packet.timestamp for packet in disk.packets()]
    assert times == [1_000_000_000, 1_000_000_001, 1_000_000_002, 3_000_000_000, 3_000_000_001]


def test_a_disk_that_is_full() -> None:
    """One complaint; what was written stays readable, and whoever has more packets notices nothing."""
    disk = Disk()
    disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    disk.full = True
    for _ in range(3):
        disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    disk.full = False
    disk.capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    assert disk.complaints == ["No space left on device"]
    assert disk.closed
    assert len(disk.packets()) == 1


def test_which_file(tmp_path: Path) -> None:
    """The flag wins over the configuration; without either there is none."""
    flag, file = tmp_path / "flag.pcapng", tmp_path / "file.pcapng"
    assert open_capture(None, None, "sipalg test", pytest.fail) is None
    capture = open_capture(str(flag), str(file), "sipalg test", pytest.fail)
    assert capture is not None
    capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    assert not file.exists()
    assert len(list(read_capture(str(flag)))) == 1
    capture.close()


def test_it_says_that_it_is_synthesised(tmp_path: Path) -> None:
    """Whoever gets the file reads it in Wireshark's properties of the file, unless its packets were real ones."""
    paths = tmp_path / "sockets.pcapng", tmp_path / "packets.pcapng"
    for path, comment in zip(paths, ({}, {"comment": ""}), strict=True):
        capture = open_capture(str(path), None, "sipalg test", pytest.fail, **comment)
        assert capture is not None
        capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
        capture.close()
    assert [file_comment(path) for path in paths] == [
        "synthesised by sipalg from what its sockets sent and received; "
        "IP and transport headers are not those of the wire",
        None,
    ]


@pytest.mark.parametrize(("flag", "setting"), [("/none/f", "--capture"), (None, "[capture] file")])
def test_a_file_that_cannot_be_written(flag: str | None, setting: str) -> None:
    """The error names whoever named the file."""
    with pytest.raises(ConfigError) as refusal:
        open_capture(flag, "/none/f", "sipalg test", pytest.fail)
    assert str(refusal.value) == f"{setting} /none/f: No such file or directory"


def test_a_file_that_may_grow_no_more(tmp_path: Path) -> None:
    """Whoever captures hears once which setting, which file, and why; packets before that can be read."""
    path, said = tmp_path / "f.pcapng", list[str]()
    capture = open_capture(str(path), None, "sipalg test", said.append)
    assert capture is not None
    empty = path.stat().st_size
    capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    room = empty + 5 * (path.stat().st_size - empty)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        for _ in range(50):
            capture.write(Direction.OUTWARD, PACKET, Flow.INBOUND)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said == [f"sipalg test: --capture {path}: File too large; capturing ends, traffic goes on"]
    assert len(list(read_capture(str(path)))) == 5
