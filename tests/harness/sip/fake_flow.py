"""A flow that keeps what is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.sip.message import Message, Request, Response
from harness.sip.uri import Address


@dataclass(eq=False)
class FakeFlow:
    """A Flow."""

    reliable: bool = False
    kind: str = "UDP"
    local: Address = ("192.0.2.1", 5060)
    remote: Address = ("192.0.2.2", 5060)
    serves: bool = False
    open: bool = True
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> bool:
        """Keep it."""
        if self.open:
            self.sent.append(message)
        return self.open

    @property
    def titles(self) -> list[str]:
        """What was sent: methods and statuses."""
        return [title(each) for each in self.sent]


def title(message: Message) -> str:
    """Method or status."""
    assert isinstance(message, Request | Response)
    return message.method if isinstance(message, Request) else str(message.status)
