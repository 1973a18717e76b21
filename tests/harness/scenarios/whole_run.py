"""One run of all scenarios through the command line, whose results many tests look at."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.scenarios.scenario import FORMS, Observation
from tests.helpers.system import require_system, sipalg_command, sipalg_environment

_LAYERS = "tcp.port==5062,tls", "tls.port==5062,sip", "tls.port==7003,sip"
"""What Wireshark is told about ports that it does not know ("Decode As")."""
_LIMIT = 170.0
"""Seconds; three minutes are promised."""


@dataclass(frozen=True)
class WholeRun:
    """What it left behind."""

    status: int
    verdicts: list[dict[str, Any]]
    errors: str
    directory: Path
    junit: Path

    def observation(self, name: str, fixed: bool) -> Observation:
        """What was seen of a form."""
        return msgspec.json.decode((self.form(name, fixed) / "observation.json").read_bytes(), type=Observation)

    def form(self, name: str, fixed: bool) -> Path:
        """The directory of a form."""
        return self.directory / name / FORMS[fixed]

    def hits(self, name: str, fixed: bool, display_filter: str) -> int:
        """Packets in the capture of a form that tshark shows with a filter of the field."""
        directory = self.form(name, fixed)
        addresses = directory / "addresses.json"
        if addresses.exists():
            for field_address, ours in json.loads(addresses.read_text()).items():
                display_filter = display_filter.replace(field_address, ours)
        command = [require_system("tshark", "tshark"), "-n", "-r", str(directory / "capture.pcapng")]
        command += [word for layer in _LAYERS for word in ("-d", layer)]
        command += ["-Y", display_filter, "-T", "fields", "-e", "frame.number"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return len(done.stdout.split())


def run_all(folder: Path) -> WholeRun:
    """Every scenario, failure and cure; what the command left in the folder, if it ran there already."""
    junit, directory, said = folder / "junit.xml", folder / "out", folder / "said.json"
    if not said.exists():
        command = sipalg_command("scenario", "run", "--all", "--json", "--junit", str(junit), "--out", str(directory))
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT, check=False, env=sipalg_environment()
        )
        said.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    status, output, errors = json.loads(said.read_text())
    return WholeRun(status, json.loads(output), errors, directory, junit)
