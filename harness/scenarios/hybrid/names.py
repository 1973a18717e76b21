"""The name server that everybody asks, and what a capture shows of it.

Strategy: questions go to a relay that writes both datagrams down and passes them on, so that the server needs to know
nothing of captures. It is asked on a port that no root is needed for; real peers, who know no other than that of DNS,
find it there too if we may listen on it. A capture has the port of DNS in either case, as it would be in the field: on
the other one Wireshark takes what it sees for multicast DNS (RFC 6762).
"""

from __future__ import annotations

import socket
from typing import Any, Final

from twisted.internet import defer, protocol

from alg.direction import Direction
from alg.tcp.packet import build_header
from harness.capture.capture_file import CaptureFile
from harness.capture.pcapng import Flow
from harness.sip.dns import NameServer, Zone
from harness.sip.uri import Address

PORT: Final = 5353
"""Where the name server is asked."""
PORT_OF_DNS: Final = 53
_UDP: Final = 17
_HEADER: Final = 8
"""Bytes of a UDP header."""


class Names:
    """A zone that is served."""

    def __init__(self, reactor: Any, zone: Zone, file: CaptureFile) -> None:
        self.zone = zone
        self._reactor = reactor
        self._server = NameServer(reactor, zone)
        self._file = file
        self._ports: list[Any] = []

    def listen(self, host: str) -> Address:
        """Where to ask. Raises CannotListenError."""
        server = self._server.listen((host, 0))
        self._open((host, PORT), server)
        if _may_listen((host, PORT_OF_DNS)):
            self._open((host, PORT_OF_DNS), server)
        return host, PORT

    def _open(self, here: Address, server: Address) -> None:
        relay = _Relay(self._file, here[0], server)
        self._ports.append(self._reactor.listenUDP(here[1], relay, interface=here[0]))

    async def close(self) -> None:
        """Answer no more."""
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)
        await self._server.close()


def _may_listen(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


class _Relay(protocol.DatagramProtocol):
    transport: Any

    def __init__(self, file: CaptureFile, host: str, server: Address) -> None:
        self._file = file
        self._shown = host, PORT_OF_DNS
        """What a capture says of where we are."""
        self._server = server
        self._asked: dict[bytes, Address] = {}
        """Who asked, by the number of the question (RFC 1035 4.1.1)."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """A question, or its answer."""
        number = datagram[:2]
        if (addr[0], addr[1]) == self._server:
            asker = self._asked.pop(number, None)
            if asker is not None:
                self._file.write(Direction.OUTWARD, packet(self._shown, asker, datagram), Flow.OUTBOUND)
                self.transport.write(datagram, asker)
        else:
            self._asked[number] = addr[0], addr[1]
            self._file.write(Direction.OUTWARD, packet((addr[0], addr[1]), self._shown, datagram), Flow.INBOUND)
            self.transport.write(datagram, self._server)


def packet(source: Address, destination: Address, payload: bytes) -> bytes:
    """A UDP datagram in an IPv4 packet; without a checksum of its own, which UDP allows (RFC 768)."""
    length = _HEADER + len(payload)
    header = build_header(socket.inet_aton(source[0]), socket.inet_aton(destination[0]), _UDP, length)
    numbers = source[1], destination[1], length, 0
    return header + b"".join(number.to_bytes(2, "big") for number in numbers) + payload
