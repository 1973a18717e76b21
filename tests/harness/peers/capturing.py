"""Captures of loopback by tcpdump, dissected by tshark: TLS messages, alerts, FIN and RST, packet by packet."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.helpers.lab import ends
from tests.helpers.system import cannot_run, eventually, require_system

_FIELDS = (
    "frame.interface_name",
    "frame.time_epoch",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "tcp.flags.reset",
    "tcp.flags.fin",
)
_FIELDS += ("tls.record.content_type", "tls.handshake.type", "tls.alert_message.level", "tls.alert_message.desc")
_FIELDS += ("tls.handshake.certificate_length",)
_SEPARATOR = "\x1f"
Address = tuple[str, int]


@dataclass(frozen=True)
class Packet:
    """As tshark sees it."""

    interface: str
    time: datetime
    source: Address
    destination: Address
    reset: bool
    fin: bool
    contents: tuple[int, ...]
    """Types of the TLS records that end here: 20 ChangeCipherSpec, 21 alert, 22 handshake, 23 application data."""
    messages: tuple[int, ...]
    """Types of the handshake messages in clear that end here."""
    alerts: tuple[tuple[int, int], ...]
    """Level and description of those in clear or decrypted."""
    certificates: int
    """How many there are in a Certificate message that ends here."""


@contextmanager
def captured(file: Path, ports: Sequence[int], enders: int) -> Iterator[None]:
    """A capture of these ports; it is over when so many addresses have sent FIN or RST."""
    if os.geteuid() != 0:
        cannot_run("needs root for a capture of loopback")
    command = [require_system("tcpdump", "tcpdump"), "--immediate-mode", "-U", "-n", "-Z", "root", "-i", "lo"]
    which = " or ".join(f"tcp port {port}" for port in ports)
    tcpdump = subprocess.Popen([*command, "-w", str(file), which], stderr=subprocess.PIPE, text=True)
    assert tcpdump.stderr is not None, "was asked for"
    with tcpdump, tcpdump.stderr:
        while "listening on" not in (said := tcpdump.stderr.readline()):
            assert said, "tcpdump says when it listens"
        try:
            yield
            eventually(f"FIN or RST of {enders} in {file.name}", lambda: len(ends(file)) >= enders)
        finally:
            tcpdump.terminate()


def packets(file: Path, ports: Sequence[int], key_log: Path | None = None) -> list[Packet]:
    """What is in a capture."""
    command = [require_system("tshark", "tshark"), "-n", "-r", str(file), "-Y", "tcp", "-T", "fields"]
    command += ["-E", f"separator={_SEPARATOR}"]
    for port in ports:
        command += ["-d", f"tcp.port=={port},tls"]
    if key_log is not None:
        command += ["-o", f"tls.keylog_file:{key_log}"]
    command += [word for name in _FIELDS for word in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [_packet(line.split(_SEPARATOR)) for line in done.stdout.splitlines()]


def _packet(row: list[str]) -> Packet:
    interface, time, source, source_port, destination, destination_port, reset, fin, contents, messages, *rest = row
    levels, descriptions, certificates = map(_numbers, rest)
    return Packet(
        interface,
        datetime.fromtimestamp(float(time), UTC),
        (source, int(source_port)),
        (destination, int(destination_port)),
        reset in {"1", "True"},
        fin in {"1", "True"},
        _numbers(contents),
        _numbers(messages),
        tuple(zip(levels, descriptions, strict=True)),
        len(certificates),
    )


def _numbers(column: str) -> tuple[int, ...]:
    return tuple(int(each) for each in column.split(",") if each)
