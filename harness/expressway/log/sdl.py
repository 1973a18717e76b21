"""CUCM's SDL trace of a SIP message that is larger than it reads: it resets the connection, and answers nothing.

`SIP Max Incoming Message Size` bytes are read; the SIP stack sees that the body is not complete, and that is the end.
Other trace lines of a call are not told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

_STACK = "//SIP/Stack/Info/0x0/"
_PROTOCOL, _CONNECTION, _HANDLER = "SIPSocketProtocol", "SdlTCPConnection", "SIPTcp(5,100,71,1)"
_CONNECTIONS = "5,100,14"
"""Node, application and kind of the processes that each have one connection."""


@dataclass(frozen=True, slots=True)
class LargeMessage:
    """A message that has more bytes than CUCM takes."""

    source: str
    """Address of whoever sent it."""
    header_length: int
    """Bytes up to and with the empty line."""
    content_length: int | None
    """None if there is no empty line in what was read."""
    limit: int
    """`SIP Max Incoming Message Size` in bytes, all of which have arrived."""
    port: int = 5060
    """Of the other end of the connection."""

    @property
    def remaining(self) -> int | None:
        """Bytes of the body that are still to come when the limit is reached, if that is known."""
        return None if self.content_length is None else self.header_length + self.content_length - self.limit


class SdlTrace:
    """Appends trace lines to a text file; lines of one signal share a number."""

    def __init__(self, sink: TextIO, clock: Callable[[], datetime], first: int = 1, connection: int = 1) -> None:
        self._sink = sink
        self._clock = clock
        """The local time."""
        self._number = first
        self._connection = connection
        """The number of the process that has the next connection."""

    def ignored(self, message: LargeMessage) -> None:
        """A large message was ignored, and its connection is reset."""
        process = f"{_CONNECTIONS},{self._connection}"
        self._connection += 1
        self._signal(
            f"|AppInfo |{_PROTOCOL}({process})::handleReadComplete send SdlReadRsp: size {message.limit}",
        )
        received = f"{process}.4^{message.source}^^"
        body = (
            f"|AppInfo |{_STACK}httpish_msg_process_network_msg: Content Length {message.content_length}, "
            f"Bytes Remaining {message.remaining}"
        )
        self._signal(
            f"|SdlSig |SdlReadRsp |wait |{_HANDLER} |{_CONNECTION}({process}) |{received} |*TraceFlagOverrode",
            f"|AppInfo |SIPTcp - SdlRead bufferLen={message.limit}",
            *(() if message.content_length is None else (body,)),
            f"|AppInfo |{_STACK}ccsip_process_network_message: process_network_msg: not complete",
            f"|AppInfo |SIPTcp - Ignoring large message from {message.source}:[{message.port}]. "
            f"Only allow up to {message.limit} bytes. Resetting connection.",
        )

    def _signal(self, *lines: str) -> None:
        now = self._clock()
        stamp = f"{now:%H:%M:%S}.{now.microsecond // 1000:03}"
        for count, line in enumerate(lines):
            self._sink.write(f"{self._number:08}.{count:03} |{stamp} {line}\n")
        self._number += 1
        self._sink.flush()
