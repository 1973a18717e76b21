"""What an Expressway's diagnostic log says of connections and of the SIP that crosses them; an ear of its transport."""

from __future__ import annotations

from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.uri import Address

_EOF = "Got EOF on socket"


class LogTap(Tap):
    """Writes as it hears."""

    def __init__(self, log: DiagnosticLog) -> None:
        self._log = log

    def sent(self, flow: Flow, data: bytes) -> None:
        """INFO and DEBUG."""
        self._log.sent(flow.local, flow.remote, data)

    def received(self, flow: Flow, data: bytes) -> None:
        """INFO and DEBUG."""
        self._log.received(flow.local, flow.remote, data)

    def connecting(self, local: Address, target: Target) -> None:
        """We connect."""
        self._log.write(network.tcp_connecting(local, target.address))

    def connected(self, flow: Flow) -> None:
        """Of a connection that the other side made both lines come at once."""
        source, destination = _ends(flow)
        if flow.serves:
            self._log.write(network.tcp_connecting(source, destination))
        self._log.write(network.tcp_established(source, destination))

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """Refused, or nobody answered. A connection that stood is told when it is closed."""
        if failure.loss in (Loss.REFUSED, Loss.TIMEOUT) and failure.target.host:
            self._log.write(network.tcp_failed(local, failure.target.address))

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """With the reason."""
        reason = _EOF if loss in (Loss.EOF, Loss.RESET) else detail or loss.value
        self._log.write(network.tcp_closed(*_ends(flow), reason))


def _ends(flow: Flow) -> tuple[Address, Address]:
    """Who made the connection comes first."""
    return (flow.remote, flow.local) if flow.serves else (flow.local, flow.remote)
