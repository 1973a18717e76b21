"""What crosses the two wires of a phone's registration, told from one of their ends.

Strategy: messages that an element has sent or got are the same as those that the other end of the wire has got or
sent. Whoever is ours has them; what is asked is put as if the end that does not change were asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.scenarios.hybrid.messages import Messages
from harness.sip.message import Request, Response

_CHALLENGE = 407


@dataclass(frozen=True, slots=True)
class Zone:
    """The traversal zone, as the Expressway-C has it."""

    messages: Messages
    at_core: bool
    """They are the Expressway-C's; else the Expressway-E's."""

    def came(self, method: str) -> list[Request]:
        """To the Expressway-C."""
        return self.messages.requests(method, sent=not self.at_core)

    def answers(self, method: str) -> list[Response]:
        """Of the Expressway-C, final ones."""
        return self.messages.finals(method, sent=self.at_core)


@dataclass(frozen=True, slots=True)
class Access:
    """The connection of a phone, as the phone has it."""

    messages: Messages
    at_phone: bool
    """They are the phone's; else the Expressway-E's."""

    def outcome(self, method: str) -> Response | None:
        """What the phone was told last, challenges apart."""
        told = self.messages.finals(method, sent=not self.at_phone)
        return next((each for each in reversed(told) if each.status != _CHALLENGE), None)

    @property
    def stands(self) -> bool:
        """A call was answered, and the phone has acknowledged it."""
        answer = self.outcome("INVITE")
        return answer is not None and answer.success and bool(self.messages.requests("ACK", sent=self.at_phone))
