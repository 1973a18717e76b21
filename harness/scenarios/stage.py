"""Where one scenario takes place: addresses that nobody else uses, a directory, and peers that are there already.

Strategy: each run has a network of its own, 127.x.y.0/24, so that ports may be the ones an engineer expects, such as
5060. The network is taken by binding its address .254; whoever finds it bound tries the next one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from alg.edge.entrance import Address

_MOST_TRIES: Final = 64
_CLAIM: Final = 254, 5060
"""Host and UDP port."""


class Network:
    """127.x.y.0/24, for as long as it is kept; the addresses below 250 are free to use."""

    def __init__(self, start: int | None = None) -> None:
        """`start` is where the search begins, by default our process number. OSError if none is free."""
        start = os.getpid() if start is None else start
        self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(start, start + _MOST_TRIES):
            self._prefix = f"127.{64 + number // 256 % 64}.{number % 256}"
            try:
                self._claim.bind((self.host(_CLAIM[0]), _CLAIM[1]))
            except OSError:
                continue
            return
        self._claim.close()
        raise OSError(f"no free network of {_MOST_TRIES} from {self._prefix}.0/24")

    def host(self, number: int) -> str:
        """An address of it."""
        return f"{self._prefix}.{number}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claim.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario is handed."""

    reactor: Any
    network: Network
    directory: Path
    """For captures, logs and events."""
    peers: Mapping[str, Address] = field(default_factory=dict)
    """Real ones, in place of those that a scenario would start."""

    def keep(self, name: str, content: str | bytes) -> None:
        """Write a file into the directory; a new one is readable by its owner only, as it may hold keys."""
        file = self.directory / name
        file.touch(0o600)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
