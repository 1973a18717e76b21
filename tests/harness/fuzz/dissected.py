"""What tshark makes of messages, each on a TCP connection of its own: a judge that is not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.captures import Conversation, pcap
from tests.helpers.system import require_system

_FIELDS = ("tcp.stream", "_ws.malformed", "_ws.expert.severity", "sip.Call-ID", "sip.CSeq.method", "sip.Via.branch")
_FIRST_PORT = 20_000
_SEVERE = 8388608
"""PI_ERROR, tshark's highest severity (epan/proto.h)."""


@dataclass(frozen=True)
class Dissected:
    """One connection's messages."""

    malformed: bool
    call_ids: list[str]
    methods: list[str]
    """Of CSeq."""
    branch: str
    """Of the topmost Via."""


def dissected(place: Path, messages: Sequence[bytes]) -> list[Dissected]:
    """Each message as tshark sees it."""
    tshark = require_system("tshark", "tshark")
    packets = []
    for number, message in enumerate(messages):
        conversation = Conversation(("10.0.30.2", _FIRST_PORT + number), ("10.0.30.3", 5060))
        conversation.open()
        conversation.send(0, message)
        packets += conversation.packets
    path = place / "messages.pcap"
    path.write_bytes(pcap(packets))
    command = [tshark, "-n", "-r", str(path), "-Y", "sip", "-T", "fields", "-E", "separator=|", "-E", "aggregator=\t"]
    for name in _FIELDS:
        command += ["-e", name]
    result = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    rows = [line.decode("utf-8", "replace").split("|") for line in result.stdout.splitlines()]
    found = {int(row[0]): _read(row) for row in rows}
    missing = [number for number in range(len(messages)) if number not in found]
    assert not missing, f"tshark sees no SIP in messages {missing}"
    return [found[number] for number in range(len(messages))]


def _read(row: list[str]) -> Dissected:
    _, malformed, severities, call_ids, methods, branches = row
    severe = any(severity and int(severity) >= _SEVERE for severity in severities.split("\t"))
    return Dissected(bool(malformed) or severe, call_ids.split("\t"), methods.split("\t"), branches.split("\t")[0])
