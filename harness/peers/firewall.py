"""A firewall that inspects TLS, between two peers of one process; `sipalg proxy --tls-inspect` is one as a process.

Strategy: whatever crosses it is captured into memory, each side on its own interface, `inside` or `outside`. To either
side it is the address that it listens on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from twisted.internet import interfaces as twisted
from twisted.internet import task

from alg.config import AlgConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.edge.entrance import Address, Listener, Path
from alg.edge.inspecting import ListenerInspection
from alg.edge.observing import Tap
from alg.edge.proxy import AlgProxy
from alg.tls.rules import Rule
from alg.trace import Sink
from harness.capture.capture_file import SYNTHESISED, CaptureFile, interfaces
from harness.capture.pcapng import PcapngWriter
from harness.capture.recorder import Recorder
from harness.peers.taps import Taps

_PROGRAM = "sipalg firewall"
"""What the capture says that it comes from."""


@dataclass(frozen=True, slots=True)
class _FromItself(Listener):
    """Connections leave from where they came in."""

    def connect(self, reactor: Any, path: Path, factory: Any, timeout: float) -> twisted.IConnector:
        """From any port."""
        source = self.listen[0], 0
        connector: twisted.IConnector = reactor.connectTCP(*path.target, factory, timeout=timeout, bindAddress=source)
        return connector


class _Refusals:
    """An `alg.edge.observing.Observer` of nothing else."""

    def __init__(self, reasons: list[str]) -> None:
        self._reasons = reasons

    def connected(self, connection: int, client: Address, listener: Address, target: Address) -> None:
        """The tap hears of it."""

    def refused(self, connection: int, client: Address, target: Address, reason: str) -> None:
        """Only here it is said why."""
        self._reasons.append(reason.removesuffix("."))

    def sink(self, connection: int) -> Sink | None:
        """Nobody."""
        return None

    def closed(self, connection: int, reason: str, alg: AlgConnection) -> None:
        """The tap hears of it."""


class Firewall:
    """One listener, with rules of `--tls-inspect`; ConfigError for a rule that is none."""

    def __init__(
        self,
        reactor: Any,
        rules: Iterable[str],
        clock: Callable[[], datetime],
        tap: Callable[[int], Tap] | None = None,
    ) -> None:
        """`clock` stamps the packets; `tap` sees, by the number of a connection, what the capture gets."""
        self._reactor = reactor
        self._captured = BytesIO()
        writer = PcapngWriter(self._captured, _PROGRAM, interfaces(_PROGRAM), SYNTHESISED)
        self._recorder = Recorder(CaptureFile(writer, lambda: int(clock().timestamp() * 1e9), _cannot_be_full))
        self._inspection = ListenerInspection(tuple(Rule.parse(rule) for rule in rules))
        self._tap = tap
        self.refusals: list[str] = []
        """Why a target was not reached, for each connection that came for nothing."""
        self._proxy = AlgProxy(reactor, Alg(AlgConfig()), _Refusals(self.refusals), tap=self._watch)

    @property
    def capture(self) -> bytes:
        """What has crossed so far, as pcapng."""
        return self._captured.getvalue()

    def secrets(self, key_log: bytes) -> None:
        """What decrypts the packets that follow: lines of the SSLKEYLOGFILE format."""
        self._recorder.secrets(key_log)

    def open(self, listen: Address, target: Address, inbound: bool) -> Address:
        """Stand before a target; `inbound`: whoever connects is outside. Raises CannotListenError."""
        side = Direction.INWARD if inbound else Direction.OUTWARD
        return self._proxy.listen(_FromItself(listen, target, side), self._inspection)

    async def close(self) -> None:
        """End what stands; its address is free then, as the reactor closes a port in its next turn."""
        await self._proxy.stop()
        await task.deferLater(self._reactor, 0)

    def _watch(self, connection: int) -> Tap:
        captured = self._recorder.tap(connection)
        return captured if self._tap is None else Taps(captured, self._tap(connection))


def _cannot_be_full(failure: OSError) -> None:
    raise AssertionError(f"memory can be written: {failure}")
