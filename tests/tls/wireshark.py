"""tshark as the judge of TLS, with the keys: what was in every record, encrypted or not.

Strategy: transcripts become one capture, a TCP connection each, with one TLS record in a packet, so that a packet is a
record. tshark decrypts with the key log of the parties.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alg.tls.sightings import Sender
from tests.helpers.ipv4 import tcp
from tests.helpers.system import require_system
from tests.tls.parties import Transcript

_SERVER_PORT, _CLIENT_PORTS = 5061, 40000
_FIELDS = ("tcp.srcport", "tcp.dstport", "tls.record.opaque_type", "tls.record.content_type")
_FIELDS += ("tls.handshake.type", "tls.alert_message.desc", "_ws.malformed")
_ACK, _SYN = 0x10, 0x02
_LINK_RAW = 101


@dataclass(frozen=True)
class JudgedRecord:
    """One record as tshark sees it."""

    sender: Sender
    start: int
    """Offset in its sender's stream."""
    stop: int
    encrypted: bool
    """TLS 1.3 only: its type is hidden."""
    kind: int
    """Content type, of what is inside if it is encrypted; 0 if that cannot be told."""
    messages: tuple[int, ...]
    """Types of the handshake messages that end here."""
    alerts: tuple[int, ...]


def records_of(transcript: Transcript) -> list[tuple[Sender, bytes]]:
    """One record each, in order; by their lengths alone."""
    streams = [b"", b""]
    found = []
    for sender, data in transcript:
        streams[sender] += data
        while len(streams[sender]) >= 5:
            size = 5 + struct.unpack_from(">H", streams[sender], 3)[0]
            if len(streams[sender]) < size:
                break
            found.append((sender, streams[sender][:size]))
            streams[sender] = streams[sender][size:]
    assert streams == [b"", b""], "a transcript ends with its last record"
    return found


def judge(folder: Path, transcripts: Sequence[Transcript], keys: Path) -> list[list[JudgedRecord]]:
    """The records of each transcript."""
    capture = folder / "judged.pcap"
    packets, records = [], []
    for number, transcript in enumerate(transcripts):
        ends = (("192.0.2.1", _CLIENT_PORTS + number), ("192.0.2.2", _SERVER_PORT))
        at = [0, 0]
        packets += [tcp(*ends, 0, 0, _SYN), tcp(*reversed(ends), 0, 1, _SYN | _ACK)]
        for sender, data in records_of(transcript):
            ours = ends if sender is Sender.CLIENT else (ends[1], ends[0])
            packets.append(tcp(*ours, 1 + at[sender], 1 + at[sender.peer], _ACK, data))
            records.append((number, sender, at[sender], at[sender] + len(data)))
            at[sender] += len(data)
    _write(capture, packets)
    rows = [row for row in _dissect(capture, keys) if row[2] or row[3]]
    assert len(rows) == len(records), "tshark sees a record in each packet that has one"
    judged: list[list[JudgedRecord]] = [[] for _ in transcripts]
    for (number, sender, start, stop), row in zip(records, rows, strict=True):
        source, destination, opaque, kinds, messages, alerts, malformed = row
        ports = (_CLIENT_PORTS + number, _SERVER_PORT)
        assert (int(source), int(destination)) == (ports if sender is Sender.CLIENT else ports[::-1])
        assert not malformed
        kind = int(kinds.split(",")[0]) if kinds else 0
        judged[number].append(
            JudgedRecord(sender, start, stop, opaque == "23", kind, _numbers(messages), _numbers(alerts))
        )
    return judged


def _numbers(column: str) -> tuple[int, ...]:
    return tuple(int(each) for each in column.split(",") if each)


def _write(path: Path, packets: Sequence[bytes]) -> None:
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, _LINK_RAW)]
    for number, packet in enumerate(packets):
        parts += [struct.pack("<IIII", 1 + number, 0, len(packet), len(packet)), packet]
    path.write_bytes(b"".join(parts))


def _dissect(capture: Path, keys: Path) -> list[list[str]]:
    command = [require_system("tshark", "tshark"), "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|"]
    command += ["-o", f"tls.keylog_file:{keys}", "-d", f"tcp.port=={_SERVER_PORT},tls"]
    for field in _FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("|") for line in done.stdout.splitlines()]
