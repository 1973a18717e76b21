"""A firewall that inspects TLS, between two peers of one process; `sipalg proxy --tls-inspect` is one as a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from alg.config import AlgConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.edge.entrance import Address, Listener
from alg.edge.inspecting import ListenerInspection
from alg.edge.observing import Observer, Tap
from alg.edge.proxy import AlgProxy
from alg.tls.rules import Rule


class Firewall:
    """One listener, with rules of `--tls-inspect`; ConfigError for a rule that is none."""

    def __init__(
        self,
        reactor: Any,
        rules: Iterable[str] = (),
        observer: Observer | None = None,
        tap: Callable[[int], Tap] | None = None,
    ) -> None:
        self._inspection = ListenerInspection(tuple(Rule.parse(rule) for rule in rules))
        self._proxy = AlgProxy(reactor, Alg(AlgConfig()), observer, tap=tap)

    def open(self, listen: Address, target: Address, inbound: bool) -> Address:
        """Stand before a target; `inbound`: whoever connects is outside. Raises CannotListenError."""
        side = Direction.INWARD if inbound else Direction.OUTWARD
        return self._proxy.listen(Listener(listen, target, side), self._inspection)

    async def close(self) -> None:
        """End what stands."""
        await self._proxy.stop()
