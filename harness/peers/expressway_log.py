"""What an Expressway's diagnostic log says of connections and of the SIP that crosses them; an ear of its transport.

Strategy: as any element's, but that who made a connection comes first in every line of it, and that a handshake that
failed is told by TLS.
"""

from __future__ import annotations

from harness.expressway.log import network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.element_log import ElementLog
from harness.sip.flow import Flow, FlowFailed, Loss
from harness.sip.uri import Address

_EOF = "Got EOF on socket"


class ExpresswayLog(ElementLog):
    """Writes as it hears."""

    def __init__(self, log: DiagnosticLog) -> None:
        super().__init__(log)
        self._lines = log

    def connected(self, flow: Flow) -> None:
        """Of a connection that the other side made, both lines come at once."""
        ends = _ends(flow)
        if flow.serves:
            self._lines.write(network.tcp_connecting(*ends))
        self._lines.write(network.tcp_established(*ends))

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """Refused, or nobody answered. One that stood is told when it is closed."""
        if failure.loss in (Loss.REFUSED, Loss.TIMEOUT):
            super().failed(local, failure)

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """With the reason."""
        reason = _EOF if loss in (Loss.EOF, Loss.RESET) else detail or loss.value
        self._lines.write(network.tcp_closed(*_ends(flow), reason))


def _ends(flow: Flow) -> tuple[Address, Address]:
    """Who made the connection comes first."""
    return (flow.remote, flow.local) if flow.serves else (flow.local, flow.remote)
