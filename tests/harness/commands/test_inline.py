"""`sipalg inline` as a command: what it says, what it refuses, and what its options do."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from tests.e2e.inline_lab import DEVICE, INSIDE, MAPPED, NETWORK, POOL, POOLED, InlineLab, exchange, inline_lab
from tests.edge.messages import options, request
from tests.helpers.system import sipalg_command, sipalg_environment

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
    assert capsys.readouterr().err == "sipalg: sipalg inline: needs root\n"


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


def test_events_and_debug(lab: InlineLab, tmp_path: Path) -> None:
    """Each message with its edits and delta, holds, and IOS's lines."""
    events = tmp_path / "events.jsonl"
    with lab.inline(*MAPPED, "--events", str(events), "--debug-ip-nat-sip") as process:
        with lab.connection() as ends:
            exchange(ends, ([request(INSIDE)[:600], request(INSIDE)[600:]], [b""]), 0.02)
        process.stop()
        assert f"NAT: SIP: [0] translated embedded address {INSIDE}->{POOL}\n" in process.errors
    seen = [json.loads(line) for line in events.read_text().splitlines()]
    kinds = [entry["event"] for entry in seen]
    assert kinds[:3] == ["hold", "spoofed-ack", "message"]
    message = seen[2]
    assert (message["method"], message["direction"]) == ("INVITE", "outward")
    assert message["delta"] == len(request(POOL)) - len(request(INSIDE)) == 8 * 3


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
