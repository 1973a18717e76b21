"""When to send again what was not acknowledged (RFC 6298)."""

from __future__ import annotations

from dataclasses import dataclass

_GRANULARITY = 0.001
"""seconds; G of RFC 6298 2.3"""


@dataclass(frozen=True, slots=True)
class RetransmissionLimits:
    """How patient a sender is."""

    initial: float = 1.0
    """seconds before the first measurement (RFC 6298 2.1)"""
    shortest: float = 1.0
    """seconds, whatever was measured (RFC 6298 2.4)"""
    longest: float = 60.0
    """seconds, however often it was doubled (RFC 6298 2.5)"""
    attempts: int = 10
    """Retransmissions of the same bytes before the connection is given up; with these times 5 minutes
    (RFC 9293 3.8.3 asks for at least 100 seconds)."""


class RetransmissionTimer:
    """The timeout of one direction: measured, doubled, armed and disarmed. Times are in seconds of one clock."""

    def __init__(self, limits: RetransmissionLimits) -> None:
        self._limits = limits
        self._smoothed: float | None = None
        self._variation = 0.0
        self._timeout = limits.initial
        self.attempts = 0
        """Times that it has expired since the last progress."""
        self.deadline: float | None = None
        """When it expires; None while it does not run."""

    @property
    def timeout(self) -> float:
        """Seconds from arming to expiry."""
        return float(min(self._timeout * 2**self.attempts, self._limits.longest))

    @property
    def exhausted(self) -> bool:
        """Whether it has expired as often as the limits allow."""
        return self.attempts > self._limits.attempts

    def measure(self, round_trip: float) -> None:
        """Take a round-trip time of bytes that were sent once (RFC 6298 2.2, 2.3, 3)."""
        if self._smoothed is None:
            self._smoothed = round_trip
            self._variation = round_trip / 2
        else:
            self._variation = 0.75 * self._variation + 0.25 * abs(self._smoothed - round_trip)
            self._smoothed = 0.875 * self._smoothed + 0.125 * round_trip
        self._timeout = max(self._limits.shortest, self._smoothed + max(_GRANULARITY, 4 * self._variation))

    def start(self, now: float) -> None:
        """Run from now, unless it runs already (RFC 6298 5.1)."""
        if self.deadline is None:
            self.deadline = now + self.timeout

    def restart(self, now: float) -> None:
        """The receiver has acknowledged something new: begin anew, without the doubling (RFC 6298 5.3)."""
        self.attempts = 0
        self.deadline = now + self.timeout

    def stop(self) -> None:
        """Nothing is outstanding (RFC 6298 5.2)."""
        self.attempts = 0
        self.deadline = None

    def expire(self, now: float) -> None:
        """It has run out: wait twice as long from now (RFC 6298 5.5, 5.6)."""
        self.attempts += 1
        self.deadline = now + self.timeout
