"""SIPp at both ends of what is measured."""

from __future__ import annotations

import csv
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from harness.bench.processes import BenchError

_START = 10.0
"""Seconds that the callee has to listen."""
_LISTENING = "0A"
"""TCP_LISTEN in /proc/net/tcp: <net/tcp_states.h>."""
_GRACE = 60
"""Seconds that calls may take longer than their rate says."""


@dataclass(frozen=True, slots=True)
class End:
    """Where one side of the calls is."""

    address: str
    within: tuple[str, ...] = ()
    """The beginning of a command line that runs a command in the side's namespace."""
    port: int = 0
    """What the caller's one connection comes from, as its messages say; 0 is any, and they say 5060."""


class Sipp:
    """A caller and a callee, their files in a folder."""

    def __init__(self, caller: End, callee: End, directory: Path, own_media_ports: bool = False) -> None:
        """`own_media_ports`: each call announces others, as those of different callers do."""
        self._caller = caller
        self._callee = callee
        self._directory = directory
        self._own_media_ports = own_media_ports

    @contextmanager
    def answering(self, port: int) -> Iterator[None]:
        """A callee on a port for as long as the block runs; BenchError if it cannot listen there."""
        answer = self._scenario("uas", (resources.files("harness.bench") / "uas.xml").read_text("ascii"))
        process = subprocess.Popen(
            self._command(self._callee, "-sf", answer, "-t", "t1", "-p", str(port)),
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait_for(process, port)
            yield
        finally:
            process.kill()
            process.wait()

    def call(self, target: str, transport: str, rate: int, calls: int) -> int:
        """Place calls; how many failed."""
        statistics = self._directory / "uac.csv"
        statistics.unlink(missing_ok=True)
        built_in = subprocess.run(["sipp", "-sd", "uac"], capture_output=True, text=True, check=False).stdout
        load = ("-t", transport, "-r", str(rate), "-m", str(calls), *self._source(transport))
        limits = ("-timeout", f"{calls // rate + _GRACE}s", "-timeout_error")
        files = ("-trace_stat", "-stf", str(statistics))
        command = self._command(self._caller, target, "-sf", self._scenario("uac", built_in), *load, *limits, *files)
        subprocess.run(command, cwd=self._directory, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if not statistics.exists():
            raise BenchError("sipp wrote no statistics")
        with statistics.open(encoding="ascii", newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return calls - int(rows[-1]["SuccessfulCall(C)"]) if rows else calls

    def _command(self, end: End, *words: str) -> list[str]:
        return [*end.within, "sipp", *words, "-i", end.address, "-ci", end.address, "-max_socket", "4000", "-nostdin"]

    def _source(self, transport: str) -> tuple[str, ...]:
        return ("-p", str(self._caller.port)) if self._caller.port and transport == "t1" else ()

    def _scenario(self, name: str, text: str) -> str:
        """The file of a scenario."""
        file = self._directory / f"{name}.xml"
        file.write_text(text.replace("[media_port]", "[auto_media_port]") if self._own_media_ports else text)
        return str(file)

    def _wait_for(self, process: subprocess.Popen[bytes], port: int) -> None:
        address = "".join(f"{int(number):02X}" for number in reversed(self._callee.address.split(".")))
        deadline = time.monotonic() + _START
        while process.poll() is None and time.monotonic() < deadline:
            if _listens(process.pid, f"{address}:{port:04X}"):
                return
            time.sleep(0.02)
        raise BenchError(f"sipp cannot answer on {self._callee.address}:{port}")


def _listens(pid: int, place: str) -> bool:
    """Whether a process has a listening socket somewhere, in the notation of /proc/net/tcp; not once it has ended."""
    with suppress(OSError):
        own = _sockets(pid)
        sockets = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]]
        return any((fields[1], fields[3]) == (place, _LISTENING) and fields[9] in own for fields in sockets)
    return False


def _sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
    return found
