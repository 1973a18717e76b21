"""What crosses an Expressway, message by message, for those who ask later."""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.errors import SipSyntaxError
from harness.sip.flow import Flow, Tap
from harness.sip.message import Request, Response, parse


@dataclass(frozen=True, slots=True)
class Crossed:
    """One."""

    message: Request | Response
    sent: bool
    """By the element; else it came there."""
    local: int
    """Port of the element's end."""


@dataclass(slots=True)
class Messages(Tap):
    """All of one element's, in their order."""

    crossed: list[Crossed] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    """Our ports that others have connected to."""

    def connected(self, flow: Flow) -> None:
        """As `Tap` has it."""
        if flow.serves:
            self.accepted.append(flow.local[1])

    def sent(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._keep(flow, data, True)

    def received(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._keep(flow, data, False)

    def requests(self, method: str, sent: bool) -> list[Request]:
        """Those of a method that went out, or came in."""
        return [
            each.message
            for each in self.crossed
            if isinstance(each.message, Request) and each.message.method == method and each.sent is sent
        ]

    def responses(self, method: str, sent: bool) -> list[Response]:
        """Final ones to requests of a method."""
        return [
            each.message
            for each in self.crossed
            if isinstance(each.message, Response)
            and not each.message.provisional
            and each.message.cseq.method == method
            and each.sent is sent
        ]

    def _keep(self, flow: Flow, data: bytes, sent: bool) -> None:
        try:
            self.crossed.append(Crossed(parse(data), sent, flow.local[1]))
        except SipSyntaxError:
            return
