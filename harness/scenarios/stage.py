"""Where one scenario takes place: addresses that nobody else uses, a directory, and peers that are there already.

Strategy: each run has a network of its own, 127.x.y.0/24, so that ports may be the ones an engineer expects, such as
5060. The network is taken by binding its address .254; whoever finds it bound tries the next one. A real peer on
another machine is not reached from loopback: for it the network is one that the user names, all of whose addresses are
here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from twisted.internet import task

from alg.edge.entrance import Address
from harness.ca import Pki, load_recipes, make, read

_MOST_TRIES: Final = 64
_CLAIM: Final = 254, 5060
"""Host and UDP port."""
_GRAIN: Final = 0.02
"""Seconds."""


class Network:
    """A /24, for as long as it is kept; the addresses below 250 are free to use."""

    def __init__(self, prefixes: Iterable[str] | None = None) -> None:
        """The first one that is free of those which begin with `prefixes`, such as `10.9.8`; by default 127.x.y, from
        our process number on. OSError if there is none.
        """
        self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        refusal = OSError("no network was named")
        for self._prefix in loopback(os.getpid()) if prefixes is None else prefixes:
            try:
                self._claim.bind((self.host(_CLAIM[0]), _CLAIM[1]))
            except OSError as error:
                refusal = OSError(error.errno, f"{self.host(_CLAIM[0])}: {error.strerror}")
                continue
            return
        self._claim.close()
        raise refusal

    def host(self, number: int) -> str:
        """An address of it."""
        return f"{self._prefix}.{number}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claim.close()


def loopback(start: int) -> list[str]:
    """Networks to try, from a number on."""
    numbers = range(start, start + _MOST_TRIES)
    return [f"127.{64 + number // 256 % 64}.{number % 256}" for number in numbers]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scenario is handed."""

    reactor: Any
    network: Network
    directory: Path
    """For captures, logs and events."""
    peers: Mapping[str, Address] = field(default_factory=dict)
    """Real ones, in place of those that a scenario would start, by the names of their parts: where they listen, or
    where they are if it is they who connect.
    """
    wait: float = 0.0
    """Seconds that a real peer has to do what it does of its own accord, such as to call."""
    tell: Callable[[str], None] = field(default=lambda text: None)
    """Says something to whoever is in front of the screen."""
    certificates: Path | None = None
    """Where those are that real peers know, as `sipalg certs make` has written them; None has new ones made."""

    def pki(self, shown: Iterable[str], known: Iterable[str] = ()) -> Pki:
        """Recipes: `shown` with their keys, and the certificates of `known` and of the CAs above.

        ConfigError if one of them cannot be read.
        """
        book = load_recipes()
        if self.certificates is None:
            return make(book, datetime.now(UTC), (*shown, *known))
        return read(book, self.certificates, shown, known)

    async def expect(self, what: str, happened: Callable[[], bool]) -> bool:
        """Whether something happens that a real peer is to do of its own accord; it is asked for on the screen.

        `what` is an order, such as `webex: call sip:bob@example.com at 10.9.8.3:5062`.
        """
        self.tell(f"{what} (within {self.wait:g} s)")
        end = self.reactor.seconds() + self.wait
        while not happened() and self.reactor.seconds() < end:
            await task.deferLater(self.reactor, _GRAIN)
        return happened()

    def keep(self, name: str, content: str | bytes) -> None:
        """Write a file into the directory; a new one is readable by its owner only, as it may hold keys."""
        file = self.directory / name
        file.touch(0o600)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
