"""OpenSSL's command as the judge of keys, certificates and handshakes: its own words are what tests compare with."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.helpers.system import eventually, require_system

_DEADLINE = 30.0
"""Seconds after which a run of openssl is given up."""


def openssl(*args: str, cwd: Path, stdin: str = "") -> str:
    """Everything that one run says, on both outputs."""
    command = [require_system("openssl", "openssl"), *args]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=_DEADLINE)
    return done.stdout + done.stderr


def verdict(directory: Path, name: str, purpose: str, now: datetime, *options: str, trust: str = "roots.pem") -> str:
    """What `openssl verify` says of NAME.crt and what is sent with it: `OK`, or the words of the error."""
    issuers = f"{name}-issuers.pem"
    untrusted = ["-untrusted", issuers] if (directory / issuers).exists() else []
    said = openssl(
        *("verify", "-auth_level", "2", "-purpose", purpose, "-attime", str(int(now.timestamp()))),
        *("-CAfile", trust, *untrusted, *options, f"{name}.crt"),
        cwd=directory,
    )
    found = re.search(r"error \d+ at \d+ depth lookup: (.*)|: (OK)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1] or found[2]


class Server:
    """An `openssl s_server` that takes one connection."""

    def __init__(self, directory: Path, *args: str) -> None:
        self._process = subprocess.Popen(
            [require_system("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", *args],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None, "was asked for"
        self._lines.extend(iter(self._process.stdout.readline, ""))

    @property
    def said(self) -> str:
        """What it has said so far."""
        return "".join(list(self._lines))

    @property
    def address(self) -> str:
        """Where it listens."""
        pattern = re.compile(r"^ACCEPT (127\.0\.0\.1:\d+)$", re.MULTILINE)
        eventually(f"s_server listens: {self.said}", lambda: bool(pattern.search(self.said)), _DEADLINE)
        found = pattern.search(self.said)
        assert found is not None
        return found[1]

    def finished(self) -> str:
        """What it has said when its one connection is over."""
        self._process.wait(_DEADLINE)
        self._reader.join(_DEADLINE)
        return self.said

    def close(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None, "was asked for"
            pipe.close()


@contextmanager
def server(directory: Path, *args: str) -> Iterator[Server]:
    """An s_server for as long as the block runs."""
    running = Server(directory, *args)
    try:
        yield running
    finally:
        running.close()
