"""What is seen on the Expressways of a hybrid call: every message by neighbour, resets, sizes.

Strategy: taps on both elements remember messages; questions are answered from them afterwards, in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.errors import SipSyntaxError
from harness.sip.flow import Flow, Loss, Tap
from harness.sip.message import Request, Response, parse

Message = Request | Response


@dataclass(slots=True)
class Seen:
    """One message on one element."""

    message: Message
    neighbour: str
    """Address of who sent it, or to whom it was sent."""
    came: bool
    size: int
    """bytes"""


@dataclass
class Wire(Tap):
    """Of one element."""

    seen: list[Seen] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    """Neighbours that have reset a connection."""

    def received(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._note(flow, data, came=True)

    def sent(self, flow: Flow, data: bytes) -> None:
        """As `Tap` has it."""
        self._note(flow, data, came=False)

    def closed(self, flow: Flow, loss: Loss, detail: str) -> None:
        """As `Tap` has it."""
        if loss is Loss.RESET:
            self.resets.append(flow.remote[0])

    def requests(self, method: str, neighbour: str, came: bool) -> list[Request]:
        """Those of a method, to or from a neighbour."""
        found = (each.message for each in self._with(neighbour, came))
        return [each for each in found if isinstance(each, Request) and each.method == method]

    def finals(self, method: str, neighbour: str, came: bool) -> list[Response]:
        """Final responses to requests of a method, to or from a neighbour."""
        found = (each.message for each in self._with(neighbour, came))
        return [
            each for each in found if isinstance(each, Response) and each.status >= 200 and each.cseq.method == method
        ]

    def largest(self, neighbour: str) -> int:
        """Bytes of the largest message to a neighbour."""
        return max((each.size for each in self._with(neighbour, came=False)), default=0)

    def _with(self, neighbour: str, came: bool) -> list[Seen]:
        return [each for each in self.seen if each.neighbour == neighbour and each.came is came]

    def _note(self, flow: Flow, data: bytes, came: bool) -> None:
        try:
            message = parse(data)
            _ = message.cseq
        except SipSyntaxError:
            return
        self.seen.append(Seen(message, flow.remote[0], came, len(data)))
