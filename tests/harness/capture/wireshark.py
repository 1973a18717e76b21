"""tshark as the judge of a capture.

Strategy: one run reads every packet with both checksums verified, SIP on the ports that the test names, and everything
that tshark complains about. What it says of a packet is a `Frame`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.system import require_system

_FIELDS = (
    "frame.interface_name",
    "frame.packet_flags_direction",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq",
    "tcp.ack",
    "tcp.payload",
    "frame.comment",
    "ip.checksum.status",
    "tcp.checksum.status",
    "tcp.analysis.flags",
    "_ws.malformed",
    "sip.Method",
    "sip.Status-Code",
    "sip.Content-Length",
    "tcp.reassembled.length",
    "frame.time_epoch",
)
_GOOD = "1"
_SEPARATOR = "\x1f"

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Frame:
    """A packet as tshark sees it; sequence numbers count from the start of each stream."""

    interface: str
    inbound: bool
    ports: tuple[int, int]
    """Source, destination."""
    flags: int
    seq: int
    ack: int
    payload: bytes
    comments: tuple[str, ...]
    faults: tuple[str, ...]
    """Wrong checksums, analysis flags, malformed packets."""
    messages: tuple[str, ...]
    """Method or status of the SIP messages that end here."""
    content_lengths: tuple[int, ...]
    reassembled: int
    """Bytes of the message that ends here, if it took several segments."""
    time: str


def dissect(path: Path, sip_ports: Iterable[int] = (), only: str = "") -> list[Frame]:
    """The packets of a capture, or those that pass a display filter; fails if tshark complains of the file itself."""
    command = [require_system("tshark", "tshark"), "-r", str(path), "-T", "fields", "-E", f"separator={_SEPARATOR}"]
    command += ["-E", "aggregator=|", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
    if only:
        command += ["-Y", only]
    for port in sip_ports:
        command += ["-d", f"tcp.port=={port},sip"]
    for field in _FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Running as user")]
    assert (done.returncode, complaints) == (0, []), done.stderr
    return [_frame(dict(zip(_FIELDS, line.split(_SEPARATOR), strict=True))) for line in done.stdout.splitlines()]


def _frame(values: dict[str, str]) -> Frame:
    def many(name: str) -> tuple[str, ...]:
        return tuple(values[name].split("|")) if values[name] else ()

    faults = [f"{name} {values[name]}" for name in ("tcp.analysis.flags", "_ws.malformed") if values[name]]
    faults += [
        f"{name} {values[name]}" for name in _FIELDS if name.endswith("checksum.status") and values[name] != _GOOD
    ]
    return Frame(
        interface=values["frame.interface_name"],
        inbound=int(values["frame.packet_flags_direction"] or "0", 16) & 3 == 1,
        ports=(int(values["tcp.srcport"]), int(values["tcp.dstport"])),
        flags=int(values["tcp.flags"], 16),
        seq=int(values["tcp.seq"]),
        ack=int(values["tcp.ack"]),
        payload=bytes.fromhex(values["tcp.payload"]),
        comments=many("frame.comment"),
        faults=tuple(faults),
        messages=many("sip.Method") + many("sip.Status-Code"),
        content_lengths=tuple(map(int, many("sip.Content-Length"))),
        reassembled=int(values["tcp.reassembled.length"] or 0),
        time=values["frame.time_epoch"],
    )


def sent(frames: Iterable[Frame], interface: str, inbound: bool) -> bytes:
    """The payload that went one way on one interface, in the order of the capture."""
    return b"".join(frame.payload for frame in frames if (frame.interface, frame.inbound) == (interface, inbound))


def flags_of(frames: Iterable[Frame], interface: str) -> list[tuple[bool, int]]:
    """Who sent (the peer or we) and control bits of the packets of one interface that begin or end something."""
    return [
        (frame.inbound, frame.flags)
        for frame in frames
        if frame.interface == interface and frame.flags & (SYN | FIN | RST)
    ]


def followed(path: Path, stream: int) -> tuple[bytes, bytes]:
    """A stream as Wireshark reassembles it: what the side that opened it sent, and what the other did."""
    command = [require_system("tshark", "tshark"), "-q", "-r", str(path), "-z", f"follow,tcp,raw,{stream}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    lines = done.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Node 1"))
    lines = lines[start + 1 : -1]
    back = "".join(line.strip() for line in lines if line.startswith("\t"))
    return bytes.fromhex("".join(line for line in lines if not line.startswith("\t"))), bytes.fromhex(back)
