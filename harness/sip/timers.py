"""The timers of RFC 3261 17 and 13, all of them from T1, T2 and T4 (table 4, RFC 6026); named timers on a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Timers:
    """In seconds. The defaults are the RFC's."""

    t1: float = 0.5
    """Round trip time."""
    t2: float = 4.0
    """Longest interval between retransmissions."""
    t4: float = 5.0
    """How long a message stays in the network."""
    timer_c: float = 181.0
    """How long a proxy waits for a final response to an INVITE after each provisional one."""
    trying: float = 0.2
    """Within this a server says 100 to an INVITE by itself."""

    @classmethod
    def scaled(cls, t1: float) -> Timers:
        """All of them in their proportions to another T1: 0.05 makes transactions time out after 3.2 s."""
        return cls(t1, 8 * t1, 10 * t1, 362 * t1, 0.4 * t1)

    @property
    def timeout(self) -> float:
        """64 T1: timers B, D, F, H, J, L, M."""
        return 64 * self.t1


class Alarms:
    """Named timers; setting one again moves it."""

    def __init__(self, clock: Any) -> None:
        """`clock` has callLater, as a reactor does."""
        self._clock = clock
        self._set: dict[str, Any] = {}
        self._closed = False

    def set(self, name: str, delay: float, action: Callable[[], None]) -> None:
        """Have something done in so many seconds."""
        self.stop(name)
        if self._closed:
            return
        self._set[name] = self._clock.callLater(delay, self._ring, name, action)

    def stop(self, *names: str) -> None:
        """These ring no more."""
        for name in names:
            call = self._set.pop(name, None)
            if call is not None:
                call.cancel()

    def stop_all(self) -> None:
        """None rings any more."""
        self.stop(*list(self._set))

    def close(self) -> None:
        """None rings any more, and none can be set."""
        self._closed = True
        self.stop_all()

    def repeat(self, name: str, first: float, most: float, action: Callable[[], None]) -> None:
        """Have something done again and again, at intervals that double up to `most`."""

        def again() -> None:
            action()
            self.repeat(name, min(2 * first, most), most, action)

        self.set(name, first, again)

    def _ring(self, name: str, action: Callable[[], None]) -> None:
        del self._set[name]
        action()
