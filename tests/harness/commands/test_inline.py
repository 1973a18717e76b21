"""`sipalg inline` as a command: what it says, what it refuses, and what its options do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.capture.reader import read_capture
from harness.cli import main
from tests.e2e.inline_lab import (
    DEVICE,
    INSIDE,
    MAPPED,
    NETWORK,
    OUTSIDE,
    POOL,
    POOLED,
    InlineLab,
    datagram_socket,
    exchange,
    inline_lab,
)
from tests.edge.messages import options, request
from tests.helpers.ipv4 import UDP
from tests.helpers.system import PATIENCE, eventually, sipalg_command, sipalg_environment

TUN = ("--tun", DEVICE)


@pytest.fixture(scope="module")
def lab() -> Iterator[InlineLab]:
    """A lab without a router yet."""
    with inline_lab() as one:
        yield one


def refusal(lab: InlineLab, *args: str) -> str:
    """The one line that wrong usage gets, with status 2."""
    command = lab.lab.command("router", *sipalg_command("inline", *args))
    done = subprocess.run(command, capture_output=True, text=True, env=sipalg_environment(), check=False, timeout=20)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


def test_without_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so in one line."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["inline", *TUN, "--pool", POOL]) == 2
    assert capsys.readouterr().err == "sipalg: inline: needs root\n"


@pytest.mark.parametrize("name", ["", "sixteen-letters-", "a/b", "a b", "-a", "."])
def test_no_device_name(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that the kernel would cut off or refuse is refused before anything is made."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["inline", f"--tun={name}", "--pool", POOL]) == 2
    expected = f"sipalg: --tun: {name!r} is no device name (1 to 15 letters, digits, hyphens, dots)\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((*TUN, "--capture", "/nowhere/c"), "sipalg: --capture /nowhere/c: No such file or directory\n"),
        (("--tun", "outside"), "sipalg: --tun outside: a device of that name is there already, and no tun device\n"),
        ((), "sipalg inline: Missing option '--tun'.\n"),
        ((*TUN, "--pool", "nobody"), "sipalg: --pool: 'nobody' is no IPv4 address\n"),
        ((*TUN, "--events", "/nowhere/e"), "sipalg: --events /nowhere/e: No such file or directory\n"),
        ((*TUN, "--config", "/nowhere/c"), "sipalg: --config /nowhere/c: No such file or directory\n"),
    ],
)
def test_wrong_usage(lab: InlineLab, args: tuple[str, ...], complaint: str) -> None:
    """One line says what and where."""
    assert refusal(lab, *args) == complaint


def test_a_device_in_use(lab: InlineLab) -> None:
    """A second one with the same device is refused."""
    with lab.inline(*POOLED):
        assert refusal(lab, *TUN, *POOLED) == f"sipalg: --tun {DEVICE}: Device or resource busy\n"


def test_ready_and_done(lab: InlineLab) -> None:
    """One line when it is ready; at the end, how many packets met which fate."""
    with lab.inline(*MAPPED) as process:
        assert process.errors == f"inline on {DEVICE}\n"
        with lab.connection() as ends:
            exchange(ends, ([request(INSIDE)], [b""]))
        process.stop()
        assert set(process.counters) >= {"inward", "outward"}
        assert process.errors.startswith(f"inline on {DEVICE}\n")


def events_of(path: Path) -> list[dict[str, Any]]:
    """The events that were written."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_and_debug(lab: InlineLab, tmp_path: Path) -> None:
    """The connection, each message with its edits and delta, holds, the end; and IOS's lines."""
    path = tmp_path / "events.jsonl"
    said, heard = request(INSIDE), request(POOL)
    with lab.inline(*MAPPED, "--events", str(path), "--debug-ip-nat-sip") as process:
        with lab.connection() as ends:
            client = "{}:{}".format(*ends[0].getsockname())
            exchange(ends, ([said[:600], said[600:]], [b"\r\n"]), 0.02)
        eventually("the connection is over", lambda: events_of(path)[-1]["event"] == "closed")
        process.stop()
        assert f"NAT: SIP: [0] translated embedded address {INSIDE}->{POOL}\n" in process.errors
    seen = events_of(path)
    callee = f"{OUTSIDE}:5060"
    first = {"event": "connected", "connection": 1, "client": client, "listener": callee, "target": callee}
    assert {**seen[0], "time": 0} == {**first, "time": 0}
    kinds = [entry["event"] for entry in seen if entry["event"] not in ("rewrite", "retransmission")]
    assert kinds == ["connected", "hold", "spoofed-ack", "message", "closed"]
    message = next(entry for entry in seen if entry["event"] == "message")
    assert (message["method"], message["direction"]) == ("INVITE", "outward")
    assert message["delta"] == len(heard) - len(said) == 8 * 3
    assert {**seen[-1], "time": 0} == {
        "time": 0,
        "event": "closed",
        "connection": 1,
        "reason": "closed",
        "outward": {"bytes_in": len(said), "bytes_out": len(heard)},
        "inward": {"bytes_in": 2, "bytes_out": 2},
    }


def test_connections_that_do_not_end_well(lab: InlineLab, tmp_path: Path) -> None:
    """One that the target refuses, one that stands when the process ends."""
    path = tmp_path / "events.jsonl"
    with lab.inline(*MAPPED, "--events", str(path)) as process:
        with pytest.raises(ConnectionRefusedError):
            lab.inside(lambda: socket.create_connection((OUTSIDE, 5060), PATIENCE))
        with lab.connection():
            process.stop()
    seen = [(entry["event"], entry["connection"], entry.get("reason")) for entry in events_of(path)]
    assert seen == [("refused", 1, "reset"), ("connected", 2, None), ("closed", 2, "shutdown")]


def test_capture(lab: InlineLab, tmp_path: Path) -> None:
    """A packet on both sides, and one that is dropped; the flag wins over the configuration file."""
    config, named, flagged = tmp_path / "c.toml", tmp_path / "named.pcapng", tmp_path / "flagged.pcapng"
    config.write_text(f'[capture]\nfile = "{named}"\n')
    for path, args in ((named, ()), (flagged, ("--capture", str(flagged)))):
        with (
            lab.inline(*POOLED, "--config", str(config), *args),
            lab.inside(lambda: datagram_socket(INSIDE)) as inside,
            lab.outside(lambda: datagram_socket(OUTSIDE, 7000)) as outside,
        ):
            inside.sendto(b"hello", (OUTSIDE, 7000))
            _, (_, port) = outside.recvfrom(100)
            outside.sendto(b"hello", (POOL, port ^ 2))
            eventually("the last packet is captured", lambda: len(captured(path)) == 3)  # noqa: B023
        assert captured(path) == [("inside", ()), ("outside", ()), ("outside", ("dropped: no binding",))]


def captured(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """The datagrams of a capture: interface, comments. Connections of earlier tests may still be dying."""
    packets = [packet for packet in read_capture(str(path)) if packet.data[9] == UDP]
    return [(packet.interface.name, packet.comments) for packet in packets]


def test_configuration_file(lab: InlineLab, tmp_path: Path) -> None:
    """The file says all of it: ports, maps, and that SDP stays."""
    config = tmp_path / "inline.toml"
    config.write_text(
        f'[alg]\nsip_ports = [8000]\ninside = ["{NETWORK}"]\n[media]\nmode = "off"\n'
        f'[[map]]\ninside = "{INSIDE}"\noutside = "{POOL}"\n'
    )
    with lab.inline("--config", str(config)):
        with lab.connection(8000) as ends:
            heard = exchange(ends, ([request(INSIDE)], [b""]))[1]
        with lab.connection(5060) as ends:
            assert exchange(ends, ([options(INSIDE)], [b""]))[1] == options(INSIDE)
    header, _, body = heard.partition(b"\r\n\r\n")
    assert body == request(INSIDE).partition(b"\r\n\r\n")[2]
    assert header.startswith(request(POOL).partition(b"Subject")[0])
