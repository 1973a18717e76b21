"""Turns one message into the same message as the other side of the NAT must see it.

Strategy: addresses first. The NAT table's finder lists the literals that could be mapped; a message without any is
done. Hits in the header block go to `alg.sip.headers`, hits in the body to `alg.sdp.session`. The last edit is
Content-Length.
"""

from __future__ import annotations

from collections.abc import Iterable

from alg.config import AlgConfig, MediaMode
from alg.direction import Direction
from alg.nat.finder import Hit
from alg.nat.media import MediaDoors
from alg.nat.table import NatTable
from alg.rewrite import Edit, apply_edits, growth
from alg.sdp.multipart import PartLength, Span, sdp_bodies
from alg.sdp.session import SdpTranslator
from alg.sip.framing import Framed
from alg.sip.headers import HeaderTranslator


class Translator:
    """The rewriting that one configuration asks for; shared by all its connections."""

    def __init__(self, config: AlgConfig, table: NatTable, doors: MediaDoors | None = None) -> None:
        self.config = config
        self._find = table.find
        self._headers = HeaderTranslator(table, config.profile.headers)
        self._sdp: SdpTranslator | None = None
        self._doorless: SdpTranslator | None = None
        if config.media is not MediaMode.OFF:
            self._doorless = self._sdp = SdpTranslator(table, None, config.profile)
            if config.media is MediaMode.RELAY and doors is not None:
                self._sdp = SdpTranslator(table, doors, config.profile)

    def translate(self, message: Framed, direction: Direction) -> tuple[bytes, list[Edit]]:
        """The message as it leaves, and the edits that made it, in ascending order."""
        data = message.data
        hits = self._find[direction](data)
        if not hits:
            return data, []
        edits = self._headers.edits(data, hits, message.body, direction)
        if self._sdp is not None and hits[-1][0] >= message.body:
            edits += self._body_edits(self._sdp, message, hits, direction)
        if not edits:
            return data, edits
        edits.sort()
        return apply_edits(data, edits), edits

    def address_edits(self, message: Framed, direction: Direction, doors: bool = True) -> list[Edit]:
        """The edits of addresses and ports alone; without `doors`, none is opened for the media of the message."""
        hits = self._find[direction](message.data)
        edits = self._headers.edits(message.data, hits, message.body, direction)
        sdp = self._sdp if doors else self._doorless
        if sdp is not None:
            for found in sdp_bodies(message):
                edits += sdp.edits(message.data, found.start, found.stop, hits, direction)
        return edits

    def length_edits(self, message: Framed, edits: list[Edit]) -> list[Edit]:
        """The edits of the lengths that these change."""
        data, body = message.data, message.body
        parts = {part.digits: part for found in sdp_bodies(message) for part in found.enclosing}
        lengths: list[Edit] = []
        for part in sorted(parts.values(), key=lambda entry: entry.body, reverse=True):
            start, stop = part.body
            lengths += _length_edits(
                data, [part.digits], stop - start, growth(edits + lengths, start, stop), "part Content-Length"
            )
        grown = growth(edits + lengths, body)
        return lengths + _length_edits(data, message.lengths, len(data) - body, grown, "Content-Length")

    def _body_edits(self, sdp: SdpTranslator, message: Framed, hits: list[Hit], direction: Direction) -> list[Edit]:
        """Edits of the session descriptions, of the parts that hold them, and of Content-Length."""
        data, body = message.data, message.body
        edits: list[Edit] = []
        lengths: dict[Span, PartLength] = {}
        for found in sdp_bodies(message):
            edits += sdp.edits(data, found.start, found.stop, hits, direction)
            for part in found.enclosing:
                lengths[part.digits] = part
        for part in sorted(lengths.values(), key=lambda entry: entry.body, reverse=True):
            start, stop = part.body
            edits += _length_edits(data, [part.digits], stop - start, growth(edits, start, stop), "part Content-Length")
        return edits + _length_edits(data, message.lengths, len(data) - body, growth(edits), "Content-Length")


def _length_edits(data: bytes, spans: Iterable[Span], old: int, grown: int, rule: str) -> list[Edit]:
    """Edits that make every Content-Length in `spans` say `old + grown`; the digits alone change."""
    if not grown:
        return []
    new = b"%d" % (old + grown)
    return [(start, stop, new, rule) for start, stop in spans if data[start:stop] != new]
