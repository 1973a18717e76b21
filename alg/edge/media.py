"""Makes media doors real in proxy mode: two UDP sockets a door, RTP on an even port and RTCP on the next.

Strategy: what reaches a door goes to the endpoint it stands for. It leaves through the partner door, the one that
stands for the other party of the same media line, so that each party hears its media come from where it sends its own
(RFC 4961). Without a partner it leaves through the door itself, and what the endpoint answers goes back to where
media last came from.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet import error, protocol

from alg.nat.media import Door
from alg.nat.table import LAST_PORT, Endpoint

FIRST_RELAY_PORT = 16384
"""Where the search for another even port starts: Cisco's RTP range is 16384-32767."""
_MOST_TRIES = 512
_TAKEN = (errno.EADDRINUSE, errno.EACCES)
"""The port is another program's, or a privileged one: the next may do."""


class DoorRelay(protocol.DatagramProtocol):
    """One socket of a door: RTP or RTCP."""

    transport: Any

    def __init__(self, rtcp: bool, seconds: Callable[[], float]) -> None:
        self.door: Door | None = None
        self.partner: DoorRelay | None = None
        self.packets_in = 0
        """Datagrams that reached the door from the far side."""
        self.packets_back = 0
        """Datagrams that the endpoint itself sent to its own door."""
        self.bytes = 0
        self.undeliverable = 0
        self._rtcp = rtcp
        self._seconds = seconds
        self._last_source: tuple[str, int] | None = None

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Pass one datagram on."""
        if self.door is None:
            return
        self.door.last_used = self._seconds()
        self.bytes += len(datagram)
        endpoint = self.door.rtcp if self._rtcp else self.door.rtp
        target = endpoint.address.decode(), endpoint.port
        if addr == target:
            self.packets_back += 1
            if self._last_source is not None:
                self._send(self, datagram, self._last_source)
            return
        self.packets_in += 1
        self._last_source = addr
        self._send(self.partner or self, datagram, target)

    def _send(self, through: DoorRelay, datagram: bytes, target: tuple[str, int]) -> None:
        try:
            through.transport.write(datagram, target)
        except (OSError, OverflowError, ValueError, error.MessageLengthError):
            self.undeliverable += 1


Notify = Callable[..., None]
"""Called with an action (`opened`, `closed`, `refused`), the door or None, and fields."""


class UdpDoors:
    """Opens and closes the sockets of doors; an `alg.nat.media.Opener`."""

    def __init__(self, reactor: Any, notify: Notify | None = None) -> None:
        self._reactor = reactor
        self._notify = notify
        self._relays: dict[Endpoint, tuple[DoorRelay, DoorRelay]] = {}
        self._ports: dict[Endpoint, list[Any]] = {}
        self._unusable: set[bytes] = set()
        self.packets = 0
        """Datagrams that crossed doors which are closed now."""

    def open(self, wanted: Endpoint) -> Endpoint | None:
        """Sockets on the wanted port or the next free even one; None if the address is not one of this machine."""
        if wanted.address in self._unusable:
            return None
        for port in _even_ports(wanted.port):
            relays = DoorRelay(False, self._reactor.seconds), DoorRelay(True, self._reactor.seconds)
            outer = Endpoint(wanted.address, port)
            try:
                ports = self._listen(outer, relays)
            except error.CannotListenError as failure:
                number = getattr(failure.socketError, "errno", None)
                if number in _TAKEN:
                    continue
                if number == errno.EADDRNOTAVAIL:
                    self._unusable.add(wanted.address)
                self._tell("refused", None, address=str(outer), reason=str(failure.socketError))
                return None
            self._relays[outer], self._ports[outer] = relays, ports
            return outer
        self._tell("refused", None, address=str(wanted), reason="no free port pair")
        return None

    def _listen(self, outer: Endpoint, relays: tuple[DoorRelay, DoorRelay]) -> list[Any]:
        host = outer.address.decode()
        first = self._reactor.listenUDP(outer.port, relays[0], interface=host, maxPacketSize=65536)
        try:
            return [first, self._reactor.listenUDP(outer.port + 1, relays[1], interface=host, maxPacketSize=65536)]
        except error.CannotListenError:
            first.stopListening()
            raise

    def opened(self, door: Door) -> None:
        """The door is known; its sockets may say when they were used."""
        for relay in self._relays[door.outer]:
            relay.door = door
        self._tell("opened", door)

    def joined(self, door: Door, partner: Door) -> None:
        """Two doors stand for the two parties of one media line."""
        for here, there in zip(self._relays[door.outer], self._relays[partner.outer], strict=True):
            for former in (here.partner, there.partner):
                if former is not None:
                    former.partner = None
            here.partner, there.partner = there, here

    def closed(self, door: Door, reason: str) -> None:
        """Close the sockets of a door."""
        relays = self._relays.pop(door.outer)
        for relay in relays:
            if relay.partner is not None:
                relay.partner.partner = None
        for port in self._ports.pop(door.outer):
            port.stopListening()
        counts = {
            name: {
                "in": relay.packets_in,
                "back": relay.packets_back,
                "bytes": relay.bytes,
                "undeliverable": relay.undeliverable,
            }
            for name, relay in zip(("rtp", "rtcp"), relays, strict=True)
        }
        self.packets += sum(relay.packets_in + relay.packets_back for relay in relays)
        self._tell("closed", door, reason=reason, **counts)

    def _tell(self, action: str, door: Door | None, **fields: Any) -> None:
        if self._notify is not None:
            self._notify(action, door, **fields)


def _even_ports(wanted: int) -> Iterator[int]:
    """The port itself if it is even, then even ports of the relay range."""
    if wanted % 2 == 0:
        yield wanted
    start = FIRST_RELAY_PORT + wanted % 4096 // 2 * 2
    for step in range(_MOST_TRIES):
        port = start + 2 * step
        if port < LAST_PORT:
            yield port
