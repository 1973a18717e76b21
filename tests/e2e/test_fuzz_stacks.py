"""`sipalg fuzz` against SIP stacks of others, with limits that are known: what docs/limits.md says of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from tests.edge.sockets import free_port_pair
from tests.helpers.system import eventually, require_system

SIPP, KAMAILIO = "127.0.42.3", "127.0.42.4"
QUICKLY = ("--rate", "5000", "--timeout", "10", "--json")

CONFIG = """\
#!KAMAILIO
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=tcp:{address}:{port}
{setting}
mpath="{modules}"
loadmodule "sl.so"
request_route {{
    sl_send_reply("200", "OK");
}}
"""


def listens(address: str, port: int) -> bool:
    """Whether somebody does, by the kernel's table."""
    place = "{:02X}{:02X}{:02X}{:02X}:{:04X}".format(*map(int, reversed(address.split("."))), port)
    return f"{place} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()


@contextmanager
def running(address: str, port: int, folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from when it listens until it is ended, if it has not ended itself."""
    with (
        (folder / "server.out").open("wb") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder
        ) as process,
    ):
        try:
            eventually(f"{command[0]} listens", lambda: listens(address, port))
            yield process
        finally:
            process.terminate()


@contextmanager
def kamailio(folder: Path, setting: str = "") -> Iterator[str]:
    """A Kamailio that answers everything with 200; its HOST:PORT."""
    program = require_system("kamailio", "kamailio")
    (modules,) = Path("/usr/lib").glob("*/kamailio/modules")
    port = free_port_pair(KAMAILIO)
    config = folder / "kamailio.cfg"
    config.write_text(CONFIG.format(address=KAMAILIO, port=port, setting=setting, modules=f"{modules}/"))
    files = ("-f", str(config), "-Y", str(folder), "-P", str(folder / "kamailio.pid"))
    with running(KAMAILIO, port, folder, program, "-DD", "-E", "-m", "32", "-M", "4", *files):
        yield f"{KAMAILIO}:{port}"


@contextmanager
def sipp(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A SIPp that takes calls; its HOST:PORT."""
    program = require_system("sipp", "sip-tester")
    port = free_port_pair(SIPP)
    place = ("-i", SIPP, "-ci", SIPP, "-p", str(port))
    with running(SIPP, port, folder, program, "-sn", "uas", "-t", "t1", "-nostdin", *place) as process:
        yield f"{SIPP}:{port}", process


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals go to a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("setting", "grow", "largest"),
    [("", "header", 16_383), ("", "sdp-media", 16_383), ("tcp_rd_buf_size=5000", "record-route", 4999)],
)
def test_the_read_buffer_of_kamailio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, grow: str, largest: int
) -> None:
    """A message has to leave a byte of it free; a larger one closes the connection."""
    with kamailio(tmp_path, setting) as address:
        assert main(["fuzz", "size", "--to", address, "--grow", grow, *QUICKLY]) == 0
    found = said(capsys)
    assert (found["largest_accepted"], found["smallest_refused"], found["refusal"]) == (largest, largest + 1, "closed")
    assert found["monotonic"]
    assert found["target_alive"]


def test_kamailio_takes_every_segmentation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cuts everywhere, neighbours in one segment, byte by byte."""
    with kamailio(tmp_path) as address:
        assert main(["fuzz", "segmentation", "--to", address, *QUICKLY, "--pause", "0.001"]) == 0
    found = said(capsys)
    assert found["answered"] == found["cases"] > 300


def test_the_largest_message_of_sipp(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """65,536 bytes are a call like any other, up to its BYE; one more ends SIPp's process, which is told."""
    with sipp(tmp_path) as (address, process):
        sizes = ("--min", "65536", "--max", "65537", "--grow", "sdp-attributes")
        assert main(["fuzz", "size", "--to", address, "--method", "INVITE", *sizes, *QUICKLY]) == 1
        assert process.wait(10) == 255
    found = said(capsys)
    assert (found["largest_accepted"], found["smallest_refused"]) == (65_536, 65_537)
    assert found["refusal"] in ("closed", "reset"), "the kernel's choice when a process ends"
    assert not found["target_alive"]


def test_sipp_takes_every_segmentation_of_two_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On one connection, cut where a second INVITE has begun: our ACK to the first never comes between."""
    with sipp(tmp_path) as (address, _):
        kinds = ("--kind", "coalesced", "--kind", "boundary", "--kind", "bytes")
        arguments = ("--to", address, "--method", "INVITE", *kinds, *QUICKLY, "--pause", "0.002")
        assert main(["fuzz", "segmentation", *arguments]) == 0
    found = said(capsys)
    assert found["answered"] == found["cases"] > 80
