"""Whether somebody has tried to connect where nobody lets him in: SYNs to an address, as far as we may see them.

Strategy: a raw socket gets a copy of every TCP packet to the address that it is bound to, whatever becomes of the
packet (raw(7)). That takes root; without it nothing is claimed.
"""

from __future__ import annotations

import socket
from typing import Final

from alg.errors import SegmentError
from alg.tcp.packet import ACK, SYN, TcpSegment
from harness.scenarios.hybrid.connectivity import ANSWERED, NO_SYN, REFUSED, REPEATED
from harness.sip.uri import Address

UNSEEN: Final = "unseen: that takes root"
_LARGEST: Final = 65535


class Knocks:
    """Of one address, from now on."""

    def __init__(self, address: Address) -> None:
        self._port = address[1]
        self._syns: list[tuple[bytes, int, int]] = []
        """Source address, port and sequence number of each."""
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
            self._socket.setblocking(False)
            self._socket.bind((address[0], 0))
        except OSError:
            self.close()

    def told(self, let_in: bool) -> str:
        """What became of the SYNs so far; `let_in` is whether a connection was made, which needs no leave to see.

        A port that is closed answers each, so that none comes twice; behind a firewall that drops them they do.
        """
        if let_in:
            return ANSWERED
        if self._socket is None:
            return UNSEEN
        self._read(self._socket)
        if not self._syns:
            return NO_SYN
        return REFUSED if len(set(self._syns)) == len(self._syns) else REPEATED

    def _read(self, source: socket.socket) -> None:
        while True:
            try:
                segment = TcpSegment(source.recv(_LARGEST))
            except BlockingIOError:
                return
            except SegmentError:
                continue
            if segment.destination_port == self._port and segment.flags & (SYN | ACK) == SYN:
                self._syns.append((segment.source, segment.source_port, segment.seq))

    def close(self) -> None:
        """Look no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
