"""The file that packets are captured into, with the interfaces `inside` and `outside`.

Strategy: each packet is written at once, with a time later than all before it, unless it was held (`HeldFile`). When
the file cannot be written any more, there is one complaint, capturing ends, and traffic goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import Final

from alg.direction import Direction
from alg.errors import ConfigError
from harness.capture.pcapng import Flow, Interface, PcapngWriter

SYNTHESISED: Final = (
    "synthesised by sipalg from what its sockets sent and received; IP and transport headers are not those of the wire"
)
"""Comment on a file that was not captured packet by packet."""


def interfaces(program: str) -> tuple[Interface, ...]:
    """By the direction of what comes in there."""
    return tuple(Interface(side, f"{program} towards the {side}") for side in ("inside", "outside"))


class CaptureFile:
    """Takes packets, for as long as it can be written."""

    def __init__(self, writer: PcapngWriter, clock: Callable[[], int], complain: Callable[[OSError], None]) -> None:
        self._writer: PcapngWriter | None = writer
        self._clock = clock
        """Nanoseconds since 1970."""
        self._complain = complain
        self._latest = 0

    def now(self) -> int:
        """The time, later than ever before, in nanoseconds since 1970."""
        self._latest = max(self._clock(), self._latest + 1)
        return self._latest

    def write(
        self, side: Direction, data: bytes, flow: Flow, comments: Iterable[str] = (), at: int | None = None
    ) -> None:
        """A packet that came in on a side of ours or left there; OUTWARD is where outward ones come in.

        `at` is when it did, if not now: nanoseconds since 1970.
        """
        self._try(lambda writer: writer.packet(side, self.now() if at is None else at, data, comments, flow))

    def secrets(self, key_log: bytes) -> None:
        """What decrypts the packets that follow: lines of the SSLKEYLOGFILE format."""
        self._try(lambda writer: writer.secrets(key_log))

    def _try(self, write: Callable[[PcapngWriter], None]) -> None:
        if self._writer is None:
            return
        try:
            write(self._writer)
        except OSError as failure:
            self.close()
            self._complain(failure)

    def close(self) -> None:
        """Close the file; what happens from now on is not captured."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):
                writer.close()


def open_capture(
    flag: str | None,
    file: str | None,
    program: str,
    say: Callable[[str], None],
    setting: str | None = None,
    comment: str = SYNTHESISED,
) -> CaptureFile | None:
    """A new file where `--capture` says, or else `[capture] file`; None if neither does. `setting` names another.

    ConfigError if it cannot be written. `say` is told later when that happens while packets come.
    """
    path = flag or file
    setting = setting or ("--capture" if flag else "[capture] file")
    if not path:
        return None

    def complain(failure: OSError) -> None:
        say(f"{program}: {setting} {path}: {failure.strerror}; capturing ends, traffic goes on")

    try:
        with ExitStack() as stack:
            out = stack.enter_context(open(path, "wb", opener=_for_owner))
            writer = PcapngWriter(out, program, interfaces(program), comment)
            stack.pop_all()
    except OSError as failure:
        raise ConfigError(f"{setting} {path}: {failure.strerror}") from None
    return CaptureFile(writer, time.time_ns, complain)


def _for_owner(path: str, flags: int) -> int:
    """A new file is readable by its owner only: it may hold keys, or what they kept."""
    return os.open(path, flags, 0o600)
