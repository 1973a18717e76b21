"""A reactor of the tests' own, turned by hand until something has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.epollreactor import EPollReactor
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from tests.helpers.system import PATIENCE

T = TypeVar("T")


class Turned:
    """A reactor; nothing moves in it but while somebody waits."""

    def __init__(self) -> None:
        self.reactor: Any = EPollReactor()
        self._mishaps: list[str] = []

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Turn until a condition holds; fails, saying what was waited for, if it does not come to hold."""
        end = time.monotonic() + 2 * PATIENCE
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"waited in vain: {what}")
            self.reactor.iterate(0.01)

    def result(self, what: Deferred[T]) -> T:
        """What comes of a Deferred; its failure is raised."""
        results: list[Any] = []
        what.addBoth(results.append)
        self.until("a result", lambda: bool(results))
        if isinstance(results[0], Failure):
            results[0].raiseException()
        found: T = results[0]
        return found

    def begin(self, action: Callable[[], T]) -> Callable[[], T]:
        """Do something that blocks in a thread; what is returned turns until it is through, and gives its result."""
        results: list[T] = []
        thread = threading.Thread(target=lambda: results.append(action()))
        thread.start()

        def finish() -> T:
            self.until("the thread is through", lambda: not thread.is_alive())
            thread.join()
            return results[0]

        return finish

    def meanwhile(self, action: Callable[[], T]) -> T:
        """Turn while something that blocks is done in a thread."""
        return self.begin(action)()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """For one test."""
        globalLogPublisher.addObserver(self._note)
        try:
            yield
            self.until("every socket is closed", lambda: not self._sockets())
            self.reactor.iterate()
        finally:
            globalLogPublisher.removeObserver(self._note)
            timers = [str(timer) for timer in self.reactor.getDelayedCalls()]
            mishaps, self._mishaps = self._mishaps, []
        assert (mishaps, timers) == ([], []), (mishaps, timers)

    def _sockets(self) -> list[Any]:
        waker = self.reactor.waker
        return [reader for reader in self.reactor.getReaders() if reader is not waker]

    def _note(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self._mishaps.append(event["log_failure"].getTraceback())
