"""`sipalg pcap`: files that are cut, that are no captures, that cannot be written, and pipes."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from harness.capture.reader import read_capture
from harness.cli import main
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.harness.capture.wireshark import followed
from tests.harness.commands.pcap_runs import REMOTE, conversation, run
from tests.helpers.captures import START, Conversation, pcap
from tests.helpers.ipv4 import udp
from tests.helpers.system import (
    PATIENCE,
    eventually,
    require_system,
    run_sipalg,
    sipalg_command,
    sipalg_environment,
)


def test_a_file_that_is_cut(tmp_path: Path) -> None:
    """What was complete is written; a line says where the file ends, and so does the status."""
    data = pcap(conversation()[:6])
    target, said = run(tmp_path, data[:-100], "--map", MAP, status=3)
    assert len(list(read_capture(str(target)))) == 5
    last = len(pcap(conversation()[:5]))
    size = len(pcap(conversation()[:6])) - last - 16
    assert said[-1] == (
        f"sipalg pcap: {tmp_path}/in.pcap: file ends inside a packet of {size} bytes (offset {last}); "
        "what comes before is written"
    )


def test_a_capture_that_ends_inside_a_message(tmp_path: Path) -> None:
    """The bytes that have not left are counted, and the status says so."""
    talk = Conversation((INSIDE, 40000), (REMOTE, 5060))
    talk.open()
    talk.send(0, options(INSIDE), request(INSIDE)[:300])
    target, said = run(tmp_path, pcap(talk.packets), "--map", MAP, status=3)
    assert followed(target, 0)[0] == options(OUTSIDE)
    assert said[-1] == "sipalg pcap: 300 bytes left out: the capture has not the rest of their messages"


def test_fragments_that_are_missing(tmp_path: Path) -> None:
    """They are counted."""
    half = udp((INSIDE, 9), (REMOTE, 9), bytes(96), word=0x2000)
    _, said = run(tmp_path, pcap([(START, half)]), "--map", MAP)
    assert said[-1] == "sipalg pcap: 1 fragments left out: the capture has not the rest of their packets"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GIF89a and more", "neither a pcap nor a pcapng file (offset 0)"),
        (b"", "empty, no capture file (offset 0)"),
        (pcap([])[:20], "file ends inside its header (offset 0)"),
    ],
)
@pytest.mark.parametrize("side", [(), ("--side", "inside")])
def test_no_capture(tmp_path: Path, data: bytes, complaint: str, side: tuple[str, ...]) -> None:
    """Status 2, one line with the file and the place; nothing is written."""
    target, said = run(tmp_path, data, "--map", MAP, *side, status=2)
    assert said == [f"sipalg: {tmp_path}/in.pcap: {complaint}"]
    assert not target.exists()


def test_a_capture_without_packets(tmp_path: Path) -> None:
    """It gives one without packets."""
    target, said = run(tmp_path, pcap([]), "--map", MAP)
    assert list(read_capture(str(target))) == []
    assert said[0] == "sipalg pcap: no packet has an address that is mapped: taken for a capture of the inside"


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what and where."""
    source, target = tmp_path / "in.pcap", tmp_path / "out"
    source.write_bytes(pcap(conversation(OUTSIDE)))
    link = tmp_path / "link"
    link.symlink_to(source)
    for args, complaint in (
        ((source,), "sipalg pcap: Missing argument 'OUT'."),
        ((tmp_path / "none", target), f"sipalg: {tmp_path}/none: No such file or directory"),
        ((tmp_path, target), f"sipalg: {tmp_path}: Is a directory"),
        ((source, tmp_path, "--map", MAP), f"sipalg: {tmp_path}: Is a directory"),
        ((source, source, "--map", MAP), f"sipalg: {source}: is what is read, and not to be written over"),
        ((source, link, "--map", MAP), f"sipalg: {link}: is what is read, and not to be written over"),
        ((source, "-", "--json"), "sipalg: --json: standard output is taken by the capture"),
        ((source, target, "--map", "nonsense"), "sipalg: --map: 'nonsense' is not INSIDE=OUTSIDE"),
        ((source, target, "--events", "/nowhere/e"), "sipalg: --events /nowhere/e: No such file or directory"),
        (
            (source, target, "--pool", OUTSIDE),
            "sipalg: --side outside: no --map to undo; what is behind the ports of a pool is not in a capture",
        ),
    ):
        assert main(["pcap", *map(str, args)]) == 2
        assert capsys.readouterr().err.splitlines()[-1] == complaint
    assert source.read_bytes() == pcap(conversation(OUTSIDE))


def test_standard_input_and_output(tmp_path: Path) -> None:
    """Both may be pipes; input that cannot be read twice has to have its side named."""
    data = pcap(conversation())
    target, _ = run(tmp_path, data, "--map", MAP)
    done = run_sipalg("pcap", "-", "-", "--map", MAP, "--side", "inside", stdin=data)
    assert (done.returncode, done.stdout) == (0, target.read_bytes())
    done = run_sipalg("pcap", "-", "-", "--map", MAP, stdin=data)
    complaint = b"sipalg: --side: - can be read only once: say where it was captured\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", complaint)


def test_a_reader_that_leaves() -> None:
    """It ends with status 3, without a traceback."""
    command = sipalg_command("pcap", "-", "-", "--map", MAP, "--side", "inside")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=sipalg_environment()
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(pcap(conversation() * 50), 30)
        assert (process.returncode, errors) == (3, b"")


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and status 3."""
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(conversation()))
    done = run_sipalg("pcap", str(source), "/dev/full", "--map", MAP, "--side", "inside")
    assert (done.returncode, done.stderr) == (3, b"sipalg pcap: /dev/full: No space left on device\n")


def limited(*command: str) -> list[str]:
    """The command, which can write files of 4 kB and no more."""
    return [require_system("prlimit", "util-linux"), "--fsize=4096", *command]


@pytest.mark.parametrize("before", [None, b"a capture of yesterday"])
def test_a_disk_that_is_full(tmp_path: Path, before: bytes | None) -> None:
    """Nothing half-written is left, and what was there before is there still."""
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    source.write_bytes(pcap(conversation()))
    if before is not None:
        target.write_bytes(before)
    command = limited(*sipalg_command("pcap", str(source), str(target), "--map", MAP, "--side", "inside"))
    done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE, env=sipalg_environment())
    assert (done.returncode, done.stderr) == (3, f"sipalg pcap: {target}: File too large\n".encode())
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path != source}
    assert found == ({} if before is None else {"out.pcapng": before})


def test_an_interrupt(tmp_path: Path) -> None:
    """The user stops it while it reads a pipe: status 3, and nothing half-written is left."""
    target = tmp_path / "out.pcapng"
    command = sipalg_command("pcap", "-", str(target), "--map", MAP, "--side", "inside")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=sipalg_environment()
    ) as process:
        assert process.stdin is not None
        process.stdin.write(pcap(conversation()) + bytes(16) * 5000)
        process.stdin.flush()
        eventually("a part is written", lambda: any(path.stat().st_size > 4000 for path in tmp_path.iterdir()))
        assert not target.exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 3
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    """Neither by the capture nor by events, under whatever name."""
    source, target, link = tmp_path / "in.pcap", tmp_path / "out", tmp_path / "link"
    source.write_bytes(pcap(conversation()))
    link.hardlink_to(source)
    for args in ((link,), (target, "--events", source), (target, "--events", link)):
        done = run_sipalg("pcap", str(source), *map(str, args), "--map", MAP, "--side", "inside")
        complaint = f"sipalg: {args[-1]}: is what is read, and not to be written over\n"
        assert (done.returncode, done.stderr.decode()) == (2, complaint)
    assert source.read_bytes() == pcap(conversation())
    assert not target.exists()


def test_an_input_that_cannot_be_read(tmp_path: Path) -> None:
    """One line says so: the memory of a process begins with a page that is not there."""
    done = run_sipalg("pcap", "/proc/self/mem", str(tmp_path / "out"), "--map", MAP, "--side", "inside")
    assert (done.returncode, done.stderr) == (2, b"sipalg: /proc/self/mem: Input/output error\n")


def test_help() -> None:
    """With an example that works."""
    done = run_sipalg("pcap", "--help")
    assert b"sipalg pcap inside.pcap outside.pcapng --map 10.0.30.2=64.100.0.10" in done.stdout
