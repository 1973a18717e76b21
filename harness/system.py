"""Debian's programs that we run, such as ip and nft: what they complain about is an error that says so."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from alg.errors import ConfigError

_PACKAGES = {"ip": "iproute2", "nft": "nftables"}
"""The Debian package of each program."""


def require_root(what: str) -> None:
    """ConfigError unless we are root."""
    if os.geteuid() != 0:
        raise ConfigError(f"{what}: needs root")


def run(command: Sequence[str], stdin: str = "") -> str:
    """The standard output of a program; ConfigError with the first line of its complaint if it fails."""
    program = command[0]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ConfigError(f"{program} is missing: Debian package {_PACKAGES[program]}") from None
    if done.returncode != 0:
        complaint = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[0]
        raise ConfigError(f"{' '.join(command)}: {complaint}")
    return done.stdout
