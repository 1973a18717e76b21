"""What does not fit the device's buffer is let through as it is."""

from __future__ import annotations

from alg.faults.base import Case, Fault, Parameter


class LongMessageBypassed(Fault):
    """What does not fit the device's buffer is let through as it is."""

    name = "long-message-bypassed"
    title = "messages longer than a limit leave unmodified"
    source = "Juniper 3000 bytes, Huawei 2048 or 8192"
    parameters = (Parameter("length", "bytes that a message may have", "3000"),)

    def __post_init__(self) -> None:
        self.number("length", 1, 1_000_000_000)

    def leaves(self, case: Case, after: bytes) -> bytes:
        """The message as it came, if it is too long."""
        return after if len(case.message.data) <= self.number("length", 1, 1_000_000_000) else case.message.data
