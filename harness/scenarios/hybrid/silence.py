"""A port that does not answer, without a firewall: a listener whose queue is full, and who never takes anybody out.

Linux drops a SYN when the queue of connections that wait to be accepted is full (tcp(7), listen(2)): whoever connects
sends it again and again, and hears nothing.
"""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.scenarios.needs import Need
from harness.sip.uri import Address

_QUEUE = 0
"""Of this length one connection fits into it."""
_SWITCH = Path("/proc/sys/net/ipv4/tcp_abort_on_overflow")


def _answers() -> str:
    """Why a full queue would not be silent: ip-sysctl.txt, tcp_abort_on_overflow."""
    answers = _SWITCH.exists() and _SWITCH.read_text("ascii").strip() != "0"
    return "net.ipv4.tcp_abort_on_overflow is on: a full queue answers with RST" if answers else ""


SILENCE = Need("silent ports", _answers)
"""What a `SilentPort` needs of the machine."""


class SilentPort:
    """For as long as it is kept. OSError if the address is in use."""

    def __init__(self, address: Address) -> None:
        self._listener = socket.socket()
        self._guest = socket.socket()
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(address)
            self._listener.listen(_QUEUE)
            self._guest.connect(self._listener.getsockname())
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Nobody listens any more."""
        self._guest.close()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
