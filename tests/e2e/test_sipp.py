"""SIPp calls SIPp through the proxy: thousands of calls without one that fails, and every address mapped.

Strategy: caller and callee know each other by the address that the NAT shows them, as in a lab. That no call fails
proves framing, Content-Length and transport, not the mapping: SIPp looks at no address. The message traces of a smaller
run prove that.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.sockets import free_port_pair
from tests.helpers.system import ProxyProcess, eventually, require_system

CALLER, CALLER_OUTSIDE = "127.0.41.2", "127.0.41.102"
CALLEE, CALLEE_INSIDE = "127.0.41.3", "127.0.41.103"
PROXY = "127.0.41.10"
MAPS = ("--map", f"{CALLER}={CALLER_OUTSIDE}", "--map", f"{CALLEE_INSIDE}={CALLEE}")
HERE = Path(__file__).parent
BASICS = ("-nostdin", "-trace_stat", "-trace_err", "-fd", "60")


@dataclass
class Sipp:
    """Where SIPp is, and where its files go."""

    program: str
    folder: Path

    def command(self, name: str, address: str, *arguments: str) -> list[str]:
        """A command line; the figures go to NAME.csv, the messages to NAME.msg if they are traced."""
        files = ("-stf", f"{name}.csv", "-error_file", f"{name}.err", "-message_file", f"{name}.msg")
        scenario = ("-sf", str(HERE / f"{name}.xml"), "-i", address, "-ci", address)
        return [self.program, *arguments, *scenario, *BASICS, *files]

    def figure(self, name: str, column: str) -> int:
        """A figure of the last row of NAME.csv."""
        with (self.folder / f"{name}.csv").open() as file:
            *_, row = csv.DictReader(file, delimiter=";")
        return int(row[column])

    def messages(self, name: str, kind: str) -> list[str]:
        """The messages that NAME has `sent` or `received`."""
        text = (self.folder / f"{name}.msg").read_bytes().decode("latin-1")
        found = re.findall(rf"TCP message {kind} [^\n]*\n\n(.*?)(?=\n-{{20,}}|\Z)", text, re.DOTALL)
        return [message.replace("\r\n", "\n") for message in found]

    @contextmanager
    def callee(self, *arguments: str) -> Iterator[int]:
        """A callee that listens; its port. Ends with it, and fails if it has seen anything unexpected."""
        port = free_port_pair(CALLEE)
        command = self.command("callee", CALLEE, "-t", "t1", "-p", str(port), *arguments)
        with (
            (self.folder / "callee.out").open("wb") as out,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder
            ) as process,
        ):
            try:
                place = "{:02X}{:02X}{:02X}{:02X}:{:04X}".format(*map(int, reversed(CALLEE.split("."))), port)
                eventually(
                    "the callee listens", lambda: f"{place} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()
                )
                yield port
            finally:
                process.terminate()
                status = process.wait(10)
        assert status == 0, (self.folder / "callee.out").read_text(errors="replace")

    def call(self, target: int, transport: str, rate: int, calls: int, *arguments: str) -> None:
        """Place calls; fails unless every one has succeeded."""
        limits = ("-m", str(calls), "-r", str(rate), "-l", "4000", "-max_socket", "4000")
        end = ("-timeout", "40s", "-timeout_error", "-key", "callee", CALLEE_INSIDE)
        where = (f"{PROXY}:{target}", "-t", transport)
        command = self.command("caller", CALLER, *where, *limits, *end, *arguments)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd=self.folder, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
        for column in ("TotalCallCreated", "SuccessfulCall(C)"):
            assert self.figure("caller", column) == calls
        assert self.figure("caller", "FailedCall(C)") == 0


@pytest.fixture
def sipp(tmp_path: Path) -> Sipp:
    """SIPp, working in a folder of this test."""
    return Sipp(require_system("sipp", "sip-tester"), tmp_path)


def start(start_proxy: StartProxy, callee: int, *arguments: str) -> ProxyProcess:
    """The proxy between them."""
    return start_proxy("--listen", f"{PROXY}:0", "--to", f"{CALLEE}:{callee}", *MAPS, *arguments)


@pytest.mark.parametrize("media", ["rewrite", "relay"])
def test_calls_over_one_connection(sipp: Sipp, start_proxy: StartProxy, media: str) -> None:
    """1000 calls a second, 6 messages each, several in a segment, some across two: none fails."""
    rate, calls = (1000, 10_000) if media == "rewrite" else (500, 1000)
    with sipp.callee() as port:
        proxy = start(start_proxy, port, "--media", media)
        sipp.call(proxy.port, "t1", rate, calls)
    assert sipp.figure("callee", "IncomingCall(C)") == sipp.figure("callee", "SuccessfulCall(C)") == calls
    assert sipp.figure("callee", "FailedUnexpectedMessage(C)") == 0
    assert proxy.complaints == []


def test_two_thousand_connections(sipp: Sipp, start_proxy: StartProxy) -> None:
    """200 calls a second, each on a connection of its own: none fails, and no connection is left."""
    with sipp.callee() as port:
        proxy = start(start_proxy, port, "--media", "rewrite")
        sipp.call(proxy.port, "tn", 200, 2000)
        eventually("no connection is left", lambda: _descriptors(proxy.pid) < 20)
    assert sipp.figure("callee", "SuccessfulCall(C)") == 2000
    assert proxy.complaints == []


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def hosts(message: str) -> set[str]:
    """The addresses in a message, those of its Call-ID left out."""
    seen = re.sub(r"(?im)^(?:call-id|i):.*$", "", message)
    return set(re.findall(r"(?<![\d.])127\.\d+\.\d+\.\d+(?![\d.])", seen))


def test_addresses_on_both_sides(sipp: Sipp, start_proxy: StartProxy) -> None:
    """In every message the callee sees the caller's outside address only, the caller the callee's inside one."""
    with sipp.callee("-trace_msg") as port:
        proxy = start(start_proxy, port)
        sipp.call(proxy.port, "t1", 200, 300, "-trace_msg")
    outward = sipp.messages("callee", "received")
    inward = sipp.messages("caller", "received")
    assert (len(outward), len(inward)) == (900, 900)
    assert {frozenset(hosts(message)) for message in outward} == {frozenset({CALLER_OUTSIDE, CALLEE})}
    assert {frozenset(hosts(message)) for message in inward} == {frozenset({CALLER, CALLEE_INSIDE})}
    for message in outward:
        assert re.search(rf"^Call-ID: \d+-\d+@{re.escape(CALLER)}$", message, re.MULTILINE)
    for message in (*outward, *inward):
        header, _, body = message.partition("\n\n")
        announced = re.search(r"^Content-Length: *(\d+)$", header, re.MULTILINE)
        assert announced is not None
        assert len(body.rstrip("\n").replace("\n", "\r\n")) + 2 * bool(body.strip()) == int(announced[1])
