"""A diagnostic log being written: entries get their time and their host, and go to a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from harness.expressway.log.entry import X8_7, Address, Dialect, Entry, Event
from harness.expressway.log.sip import received_message, sent_message


class DiagnosticLog:
    """Appends lines to a text file, each as soon as it is known."""

    def __init__(self, sink: TextIO, host: str, clock: Callable[[], datetime], dialect: Dialect = X8_7) -> None:
        self._sink = sink
        self._host = host
        self._clock = clock
        """The local time, with its offset from UTC."""
        self._dialect = dialect

    def write(self, *entries: Entry | Event) -> None:
        """Lines of one moment."""
        now = self._clock()
        assert now.tzinfo is not None, "the clock says how far it is from UTC"
        local = now.isoformat(timespec="milliseconds" if self._dialect.milliseconds else "seconds")
        utc = now.astimezone(UTC)
        stamp = f"{utc:%Y-%m-%d %H:%M:%S},{utc.microsecond // 1000:03}"
        for entry in entries:
            self._sink.write(f"{local} {self._host} tvcs: {entry.render(stamp, self._dialect)}\n")
        self._sink.flush()

    def received(self, local: Address, source: Address, message: bytes) -> None:
        """A SIP message that came in: its INFO line, and all of it."""
        self.write(*received_message(local, source, message, self._dialect))

    def sent(self, local: Address, destination: Address, message: bytes) -> None:
        """A SIP message that went out: its INFO line, and all of it."""
        self.write(*sent_message(local, destination, message, self._dialect))
