"""The capture that the other side of the ALG would have seen, written from one side's.

Strategy: each packet goes through a `Retelling`; what stands for it is written with its time, on an interface that has
the other side's name and no link layer, since that of the other side is not known. Frames without an IPv4 packet, or of
a link type that is not understood, are written as they came, on an interface like the one they came from.
"""

from __future__ import annotations

from collections import Counter

from alg.retelling import Retelling
from harness.capture.comments import describe
from harness.capture.link_layers import LINK_LAYERS, ipv4_packet
from harness.capture.pcapng import Interface, PcapngWriter
from harness.capture.reader import CapturedPacket
from harness.capture.sides import Side

_MAIN = 0
"""Number of the interface with the other side's name."""


def interface(side: Side) -> Interface:
    """What a capture made from one of this side has for its packets."""
    return Interface(side.other.value, f"sipalg pcap: from a capture of the {side.value}")


class OtherSide:
    """Takes packets; `writer` has begun with the `interface` of the side that they are from."""

    def __init__(self, retelling: Retelling, writer: PcapngWriter) -> None:
        self._retelling = retelling
        self._writer = writer
        self._others: dict[Interface, int] = {}
        """Numbers of the interfaces for what passes unseen."""
        self._unseen: Counter[str] = Counter()
        self.packets_in = 0
        self.packets_out = 0

    @property
    def counters(self) -> Counter[str]:
        """Packets by what became of them."""
        return self._retelling.counters + self._unseen

    def take(self, packet: CapturedPacket) -> None:
        """One packet; OSError if the other capture cannot be written."""
        self.packets_in += 1
        link_type = packet.interface.link_type
        data = ipv4_packet(link_type, packet.data)
        missing = max(0, packet.original_length - len(packet.data))
        if data is None:
            known = link_type in LINK_LAYERS
            self._unseen[f"unchanged: {'not IPv4' if known else f'link type {link_type}'}"] += 1
            self._write(self._interface(packet.interface), packet, packet.data, packet.comments, missing)
            return
        comments = packet.comments
        for counterpart in self._retelling.retell(data, packet.timestamp / 1e9, missing):
            rewritten = tuple(describe(record) for record in counterpart.records if record.rewrites)
            self._write(_MAIN, packet, counterpart.data, comments + rewritten, counterpart.missing)
            comments = ()

    def _interface(self, source: Interface) -> int:
        number = self._others.get(source)
        if number is None:
            name = source.name or f"link type {source.link_type}"
            text = "sipalg pcap: passed on as captured"
            number = self._others[source] = self._writer.add(Interface(name, text, source.link_type))
        return number

    def _write(self, number: int, packet: CapturedPacket, data: bytes, comments: tuple[str, ...], missing: int) -> None:
        self.packets_out += 1
        self._writer.packet(number, packet.timestamp, data, comments, missing=missing)
