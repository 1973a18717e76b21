"""The media of one endpoint: UDP sockets in pairs, RTP and RTCP packets (RFC 3550) out, counters of what came in."""

from __future__ import annotations

import hashlib
import itertools
import struct
from dataclasses import dataclass
from typing import Any

from twisted.internet import defer, error, protocol

from harness.demo.topology import Hop

KINDS = {"audio": 8, "video": 97}
"""Media lines with RTP, and their payload type; the BFCP line has a port and stays silent."""
PACKETS = 25
"""RTP packets that each endpoint sends per media line."""
INTERVAL = 0.02
"""seconds between two of them"""
_TICKS = {"audio": 160, "video": 1800}
_PAYLOAD = 160
_MOST_TRIES = 64
_MARKER = 0x80
_RTP_TYPES = frozenset({*KINDS.values(), *(_MARKER | number for number in KINDS.values())})
_RTCP_TYPES = frozenset({200})
"""A compound packet begins with a sender report."""


def rtp_packet(kind: str, number: int) -> bytes:
    """The n-th packet of a stream; its payload is noise, as if it were encrypted."""
    marker = _MARKER if number == 0 else 0
    header = struct.pack(">BBHII", 0x80, marker | KINDS[kind], number, number * _TICKS[kind], _source(kind))
    return header + hashlib.shake_128(header).digest(_PAYLOAD)


def rtcp_packet(kind: str, sent: int) -> bytes:
    """A sender report and the CNAME that has to go with it (RFC 3550 6.1)."""
    report = struct.pack(">BBHIQIII", 0x80, 200, 6, _source(kind), 0, sent * _TICKS[kind], sent, sent * _PAYLOAD)
    return report + struct.pack(">BBHIBB", 0x81, 202, 4, _source(kind), 1, 9) + b"sip.local\x00"


def _source(kind: str) -> int:
    return int.from_bytes(kind.encode()[:4], "big")


class MediaSocket(protocol.DatagramProtocol):
    """Counts the packets that arrive."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.accepts: frozenset[int] = frozenset()
        """What the second byte of a packet may be."""
        self.heard = 0
        self.malformed = 0
        """Packets that are not what they should be."""
        self.sources: set[Hop] = set()

    def datagramReceived(self, datagram: bytes, addr: Hop) -> None:
        """One packet."""
        if len(datagram) < 12 or datagram[0] >> 6 != 2 or datagram[1] not in self.accepts:
            self.malformed += 1
            return
        self.heard += 1
        self.sources.add(addr)


@dataclass(frozen=True, slots=True)
class MediaLine:
    """The sockets of one media line: RTP on an even port, RTCP on the next."""

    rtp: MediaSocket
    rtcp: MediaSocket
    ports: tuple[Any, Any]

    @property
    def port(self) -> int:
        """The even one."""
        return int(min(port.getHost().port for port in self.ports))

    def close(self) -> defer.Deferred[Any]:
        """Fires when both sockets are gone."""
        return defer.gatherResults([defer.maybeDeferred(port.stopListening) for port in self.ports])


def open_media_line(reactor: Any, host: str) -> MediaLine:
    """Sockets on any free port and on the other one of its pair; CannotListenError if there are none."""
    for attempt in itertools.count(1):
        first, second = MediaSocket(), MediaSocket()
        bound = reactor.listenUDP(0, first, interface=host)
        port = bound.getHost().port
        try:
            partner = reactor.listenUDP(port ^ 1, second, interface=host)
        except error.CannotListenError:
            bound.stopListening()
            if attempt == _MOST_TRIES:
                raise
        else:
            break
    rtp, rtcp = (second, first) if port % 2 else (first, second)
    rtp.accepts, rtcp.accepts = _RTP_TYPES, _RTCP_TYPES
    return MediaLine(rtp, rtcp, (bound, partner))
