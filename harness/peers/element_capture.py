"""A capture as it would be taken on the machine of a SIP element: packets of its TCP connections, and refused ones.

Strategy: a tap tells which messages came and went, and how connections ended; each connection becomes a `LegRecorder`.
Of connections with TLS only how they begin and end is there, as the tap knows their clear text alone.
"""

from __future__ import annotations

from collections.abc import Container

from alg.direction import Direction
from harness.capture.capture_file import CaptureFile
from harness.capture.conversation import End
from harness.capture.recorder import LegRecorder, endpoint
from harness.sip.flow import Flow, FlowFailed, Loss, Tap
from harness.sip.stream import KeepAlive, Oversize
from harness.sip.uri import Address

_BYTES = {KeepAlive.PING: b"\r\n\r\n", KeepAlive.PONG: b"\r\n"}
_RESETS = {Loss.RESET: End.PEER, Loss.OVERSIZE: End.OURS}
"""By whom."""


class ElementCapture(Tap):
    """Of one element, on the interface of one side."""

    def __init__(self, file: CaptureFile, side: Direction, neighbours: Container[str] | None = None) -> None:
        """`side` names the interface by what comes in there: OUTWARD is `inside`. Without `neighbours`, by address,
        connections to everybody are captured.
        """
        self._file = file
        self._neighbours = neighbours
        self._side = side
        self._legs: dict[Flow, LegRecorder] = {}
        self.resets = 0
        """Connections that the other side has reset."""
        self.refusals: list[Address] = []
        """Where nobody listened."""

    def connected(self, flow: Flow) -> None:
        """As `Tap` has it."""
        if flow.reliable and (self._neighbours is None or flow.remote[0] in self._neighbours):
            leg = self._legs[flow] = LegRecorder(self._file, self._side)
            leg.opened(endpoint(flow.remote), endpoint(flow.local), End.PEER if flow.serves else End.OURS)

    def failed(self, local: Address, failure: FlowFailed) -> None:
        """As `Tap` has it; where nobody answers, there is no reset to be seen."""
        if failure.loss is Loss.REFUSED and local[0]:
            self.refusals.append(failure.target.address)
            leg = LegRecorder(self._file, self._side)
            leg.refused(endpoint(failure.target.address), endpoint(local), End.OURS)

    def sent(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._passed(flow, End.OURS, data)

    def received(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._passed(flow, End.PEER, data)

    def kept_alive(self, flow: Flow, what: KeepAlive) -> None:
        """As `Tap` has it."""
        self._passed(flow, End.PEER, _BYTES[what])

    def oversized(self, flow: Flow, message: Oversize) -> None:
        """As `Tap` has it; of its body nothing is kept."""
        self._passed(flow, End.PEER, message.header)

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """As `Tap` has it."""
        self.resets += loss is Loss.RESET
        leg = self._legs.pop(flow, None)
        if leg is None:
            return
        if loss in _RESETS:
            leg.reset(_RESETS[loss])
            return
        first = End.PEER if loss is Loss.EOF else End.OURS
        leg.ended(first)
        leg.ended(first.other)

    def _passed(self, flow: Flow, sender: End, data: bytes) -> None:
        leg = self._legs.get(flow)
        if leg is not None and data and flow.kind == "TCP":
            leg.passed(sender, data)
