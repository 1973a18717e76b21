"""What crosses a SIP element, message by message, for those who ask later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from alg.errors import SipSyntaxError
from harness.sip.flow import Flow, Loss, Tap
from harness.sip.message import Request, Response, parse
from harness.sip.stream import Oversize
from harness.sip.uri import Address

Ends = tuple[Address, Address]
"""Of a connection: ours, and the other one."""
Concerns = Callable[[Flow], bool]
"""Whether a connection is looked at."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """One."""

    message: Request | Response
    sent: bool
    """By the element; else it came there."""


@dataclass(slots=True)
class Messages(Tap):
    """Of one element, in their order; maybe of some of its connections alone."""

    concerns: Concerns = field(default=lambda flow: True)
    crossed: list[Crossed] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    """Our ports that others have connected to."""
    resets: list[tuple[bool, int]] = field(default_factory=list)
    """Of each connection that was reset: whether it was we who did, for a message that was too large, and the bytes of
    the largest message that whoever did it had been sent on it.
    """
    largest: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """Bytes of the largest message that was sent, and of the largest one that came."""
    _largest_of: dict[tuple[Ends, bool], int] = field(default_factory=dict)
    """The same of each connection that stands."""

    def connected(self, flow: Flow) -> None:
        """As `Tap` has it."""
        if flow.serves and self.concerns(flow):
            self.accepted.append(flow.local[1])

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """As `Tap` has it."""
        if not self.concerns(flow):
            return
        ends = flow.local, flow.remote
        sizes = {sent: self._largest_of.pop((ends, sent), 0) for sent in (True, False)}
        if loss in (Loss.RESET, Loss.OVERSIZE):
            self.resets.append((loss is Loss.OVERSIZE, sizes[loss is Loss.RESET]))

    def sent(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._keep(flow, data, True)

    def received(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._keep(flow, data, False)

    def oversized(self, flow: Flow, message: Oversize) -> None:
        """As `Tap` has it; nothing but the size is kept."""
        if self.concerns(flow):
            self._measure(flow, message.size, False)

    def requests(self, method: str, sent: bool) -> list[Request]:
        """Those of a method that went out, or came in."""
        return [
            each.message
            for each in self.crossed
            if isinstance(each.message, Request) and each.message.method == method and each.sent is sent
        ]

    def responses(self, method: str, sent: bool) -> list[Response]:
        """Those to requests of a method, provisional ones too."""
        return [
            each.message
            for each in self.crossed
            if isinstance(each.message, Response) and each.message.cseq.method == method and each.sent is sent
        ]

    def finals(self, method: str, sent: bool) -> list[Response]:
        """Final responses to requests of a method."""
        return [each for each in self.responses(method, sent) if not each.provisional]

    def _keep(self, flow: Flow, data: bytes, sent: bool) -> None:
        if not self.concerns(flow):
            return
        try:
            message = parse(data)
            _ = message.cseq
        except SipSyntaxError:
            return
        self.crossed.append(Crossed(message, sent))
        self._measure(flow, len(data), sent)

    def _measure(self, flow: Flow, size: int, sent: bool) -> None:
        connection = (flow.local, flow.remote), sent
        self.largest[sent] = max(self.largest[sent], size)
        self._largest_of[connection] = max(self._largest_of.get(connection, 0), size)
