"""A capture file that the packets of one connection wait for, while the secrets are not known that decrypt them.

Strategy: Wireshark decrypts as it reads, and looks for the handshake secrets of a TLS 1.3 connection once, at its
ServerHello (RFC 8446 7.1); what stands behind it comes too late. So packets are held until their secrets stand before
them. Each keeps the time at which it crossed; packets of other connections that crossed later may stand before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from alg.direction import Direction
from harness.capture.capture_file import CaptureFile
from harness.capture.pcapng import Flow


class HeldFile:
    """The way of one connection into a file."""

    def __init__(self, file: CaptureFile) -> None:
        self._file = file
        self._held: list[tuple[Direction, bytes, Flow, tuple[str, ...], int]] | None = None

    def now(self) -> int:
        """The time, in nanoseconds since 1970."""
        return self._file.now()

    def write(self, side: Direction, data: bytes, flow: Flow, comments: Iterable[str] = ()) -> None:
        """A packet that came in on a side of ours or left there."""
        if self._held is None:
            self._file.write(side, data, flow, comments)
        else:
            self._held.append((side, data, flow, tuple(comments), self._file.now()))

    def hold(self) -> None:
        """Packets wait from here on."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """They go into the file, as does what comes from here on."""
        held, self._held = self._held or [], None
        for packet in held:
            self._file.write(*packet)
