"""Capture files by hand: conversations packet by packet, and pcap files with any link layer and byte order.

And what capinfos says of a file.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.ipv4 import End, raw
from tests.helpers.system import require_system
from tests.tcp.endpoint import ACK, FIN, PSH, SYN, write

MILLISECOND = 10**6
"""nanoseconds"""
START = 1_700_000_000 * 10**9
"""Nanoseconds since 1970, when conversations begin."""
_MSS = b"\x02\x04\x05\xb4\x01\x01\x04\x02"
"""1460 bytes, and SACK permitted."""
ETHERNET_HEADER = bytes.fromhex("020000000001" "020000000002" "0800")  # fmt: skip

Timed = tuple[int, bytes]
"""A packet and when it was captured, in nanoseconds since 1970."""


@dataclass
class Conversation:
    """A TCP connection as one capture shows it, a packet each millisecond. Offsets count from behind the SYNs."""

    client: End
    server: End
    packets: list[Timed] = field(default_factory=list)
    isn: tuple[int, int] = (2**32 - 200, 7000)
    _sent: list[int] = field(default_factory=lambda: [0, 0])
    _now: int = START

    def open(self) -> None:
        """The handshake."""
        self._say(0, b"", -1, SYN, None, _MSS)
        self._say(1, b"", -1, SYN | ACK, 0, _MSS)
        self._say(0, b"", 0, ACK, 0)

    def send(self, side: int, *pieces: bytes) -> None:
        """Segments of the client (0) or the server (1), each acknowledged by the other."""
        for piece in pieces:
            self._say(side, piece, self._sent[side], PSH | ACK, self._sent[1 - side])
            self._sent[side] += len(piece)
            self._say(1 - side, b"", self._sent[1 - side], ACK, self._sent[side])

    def lose(self, side: int, first: bytes, second: bytes, again: bool) -> None:
        """Two segments of which the receiver gets the second one first: the first comes late, or only `again`."""
        at, back = self._sent[side], self._sent[1 - side]
        if again:
            self._say(side, first, at, PSH | ACK, back)
        self._say(side, second, at + len(first), PSH | ACK, back)
        block = [wrapped(self.isn[side] + 1 + at + offset) for offset in (len(first), len(first) + len(second))]
        self._say(1 - side, b"", back, ACK, at, b"\x01\x01\x05\x0a" + struct.pack("!II", *block))
        self._say(side, first, at, PSH | ACK, back)
        self._sent[side] += len(first) + len(second)
        self._say(1 - side, b"", back, ACK, self._sent[side])

    def close(self) -> None:
        """Both, the client first."""
        for side in (0, 1):
            self._say(side, b"", self._sent[side], FIN | ACK, self._sent[1 - side])
            self._sent[side] += 1
            self._say(1 - side, b"", self._sent[1 - side], ACK, self._sent[side])

    def _say(self, side: int, payload: bytes, at: int, flags: int, ack: int | None, options: bytes = b"") -> None:
        ends = (self.client, self.server) if side == 0 else (self.server, self.client)
        addresses, ports = (raw(ends[0][0]), raw(ends[1][0])), (ends[0][1], ends[1][1])
        seq = wrapped(self.isn[side] + 1 + at)
        number = 0 if ack is None else wrapped(self.isn[1 - side] + 1 + ack)
        self._now += MILLISECOND
        self.packets.append((self._now, write(addresses, ports, seq, number, flags, 60000, options, payload)))


def wrapped(number: int) -> int:
    """A sequence number."""
    return number % 2**32


def pcap(
    packets: Iterable[Timed],
    link_type: int = 101,
    header: bytes = b"",
    order: str = "<",
    nanoseconds: bool = False,
    snap: int = 262144,
) -> bytes:
    """A pcap file; `header` stands before each packet."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link_type)]
    for time, data in packets:
        frame = header + data
        seconds, fraction = divmod(time, 10**9)
        out.append(struct.pack(order + "IIII", seconds, fraction // unit, min(len(frame), snap), len(frame)))
        out.append(frame[:snap])
    return b"".join(out)


def file_comment(path: Path) -> str | None:
    """The comment on a file as a whole, as capinfos finds it; None if there is none."""
    command = [require_system("capinfos", "wireshark-common"), "-k", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"^Capture comment:\s*(.*)$", done.stdout, re.MULTILINE)
    return found[1] if found else None
