"""What tshark's experts say about a capture: wrong checksums, sequence analysis, malformed messages, and remarks.

Strategy: a capture that is made from another must not be stranger than that one, so what they say is counted, to be
compared. Numbers and values in what they say, such as which duplicate acknowledgment it is, are left out.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from tests.helpers.system import require_system

_CHECKED = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum")
_ROW = re.compile(r"^ +(\d+) +(\S+) +(\S+) +([^\[(\n]+)", re.MULTILINE)
"""How often, group, protocol, summary."""
_OTHERS = ("Comment", "Undecoded")
"""Groups of what is not strange: packet comments, and headers that tshark has no name for."""


def remarks(path: Path) -> Counter[str]:
    """How often the experts say what, checksums of all packets verified."""
    command = [require_system("tshark", "tshark"), "-q", "-r", str(path), "-z", "expert"]
    command += [word for name in _CHECKED for word in ("-o", f"{name}:TRUE")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    found: Counter[str] = Counter()
    for count, group, protocol, summary in _ROW.findall(done.stdout):
        if group not in _OTHERS:
            found[f"{protocol}: {summary.strip()}"] += int(count)
    return found
