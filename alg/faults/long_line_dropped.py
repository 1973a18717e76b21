"""A header line that is too long costs the whole message."""

from __future__ import annotations

from alg.faults.base import Case, Fault, Parameter


class LongLineDropped(Fault):
    """A header line that is too long costs the whole message."""

    name = "long-line-dropped"
    title = "messages with a header line longer than a limit are dropped"
    source = "FortiGate block-long-lines, max-line-length 998"
    parameters = (Parameter("length", "bytes that a line may have without its end", "998"),)

    def __post_init__(self) -> None:
        self.number("length", 1, 1_000_000)

    def leaves(self, case: Case, after: bytes) -> bytes:
        """Nothing, if a line is too long."""
        longest = max(len(line.rstrip(b"\r")) for line in case.message.data[: case.message.body].split(b"\n"))
        return after if longest <= self.number("length", 1, 1_000_000) else b""
