"""The diagnostic log of a SIP element: its connections, and every message on them, as an Expressway has it."""

from __future__ import annotations

from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.uri import Address

_GOT_EOF = "Got EOF on socket"


class ElementLog(Tap):
    """Writes into a log what a tap hears."""

    def __init__(self, log: DiagnosticLog) -> None:
        self._log = log

    def sent(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._log.sent(flow.local, flow.remote, data)

    def received(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._log.received(flow.local, flow.remote, data)

    def connecting(self, local: Address, target: Target) -> None:
        """As `Tap` has it."""
        self._log.write(network.tcp_connecting(local, target.address))

    def connected(self, flow: Flow) -> None:
        """As `Tap` has it; of a connection that came in, whoever made it is the source."""
        ends = (flow.remote, flow.local) if flow.serves else (flow.local, flow.remote)
        self._log.write(network.tcp_established(*ends))

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """As `Tap` has it."""
        self._log.write(network.tcp_failed(local, failure.target.address))

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """As `Tap` has it."""
        reason = _GOT_EOF if loss is Loss.EOF else detail or loss.value
        self._log.write(network.tcp_closed(flow.local, flow.remote, reason))
