"""The file that the secrets of terminated connections are appended to, in the SSLKEYLOGFILE format.

Strategy: opened when the settings are read, so that a path that cannot be written is an error then. When it cannot be
written any more, there is one complaint, logging ends, and traffic goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from alg.errors import ConfigError

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class KeyLog:
    """One file; a new one is readable by its owner only. ConfigError naming `setting` if it cannot be written."""

    def __init__(self, path: str, setting: str, say: Callable[[str], None]) -> None:
        self._what = f"{setting} {path}"
        self._say = say
        """Is told when it cannot be written any more."""
        self._file: BinaryIO | None
        try:
            self._file = os.fdopen(os.open(path, _APPENDING, 0o600), "ab", buffering=0)
        except OSError as failure:
            raise ConfigError(f"{self._what}: {failure.strerror}") from None

    def write(self, line: bytes) -> None:
        """A line without its end."""
        if self._file is None:
            return
        try:
            self._file.write(line + b"\n")
        except OSError as failure:
            self.close()
            self._say(f"{self._what}: {failure.strerror}; logging of keys ends, traffic goes on")

    def close(self) -> None:
        """Close the file; what comes from now on is not logged."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()
