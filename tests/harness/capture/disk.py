"""A capture file in memory, whose disk may be full."""

from __future__ import annotations

import errno
import io

from harness.capture.capture_file import CaptureFile, interfaces
from harness.capture.pcapng import PcapngWriter
from harness.capture.reader import CapturedPacket, read_packets


class Disk(io.BytesIO):
    """What is written to it, and the file that does."""

    def __init__(self, now: int = 1_000_000_000) -> None:
        super().__init__()
        self.full = False
        self.kept = b""
        """What was there when it was closed."""
        self.now = now
        """Nanoseconds since 1970."""
        self.complaints: list[str | None] = []
        self.capture = CaptureFile(
            PcapngWriter(self, "test", interfaces("test")),
            lambda: self.now,
            lambda failure: self.complaints.append(failure.strerror),
        )

    def write(self, data: object) -> int:
        """As any file, or not."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]

    def close(self) -> None:
        """What was written can be read."""
        self.kept = self.getvalue()
        super().close()

    def packets(self) -> list[CapturedPacket]:
        """What is in it."""
        return list(read_packets(io.BytesIO(self.kept if self.closed else self.getvalue()), "disk"))
