"""Translates one session description: addresses, and ports where a media mapping changes them.

Strategy: one pass finds the lines that the table `alg.sdp.rules` names. Then each media line is looked at with the
connection address that governs it (its own `c=`, else the session's; RFC 8866 5.7):

1. A static map of exactly (address, port), or inward a binding, translates both. A `c=` follows if all the media
lines it
   governs agree on the new address; if they do not, nothing of them changes.
2. Otherwise a mapped address is replaced, and the port if a door or a pool binding says so.

`a=rtcp` and candidates take the ports of the media line they belong to, or are looked up on their own.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from alg.direction import Direction
from alg.nat.finder import Hit
from alg.nat.media import UDP_MEDIA, MediaDoors
from alg.nat.table import LAST_PORT, Endpoint, NatTable, Protocol
from alg.profiles import Profile
from alg.rewrite import Edit
from alg.sdp.rules import RELATED_ADDRESS, SDP_LINE
from alg.sip.message import summarise

Match = re.Match[bytes]

_OFFER_ANSWER = frozenset({"INVITE", "UPDATE", "PRACK", "ACK"})
"""Methods whose transactions carry offers and answers (RFC 3264, RFC 3262, RFC 3311)."""

_NO_PORT = 0
_CONNECTION, _ORIGIN = b"co"
_NO_RULES: dict[tuple[int, int], str] = {}


@dataclass(slots=True)
class _Section:
    """The session level (no media line) or one media description."""

    media: Match | None = None
    connections: list[Match] = field(default_factory=list)
    rtcp: list[Match] = field(default_factory=list)
    candidates: list[Match] = field(default_factory=list)
    governing: bytes = b""
    """The connection address that holds here."""
    address: bytes | None = None
    """What replaces it; None if it stays."""
    new: Endpoint | None = None
    """Where the media goes after translation."""

    @property
    def port(self) -> int:
        """The port of the media line; 0 where there is none or the media is refused."""
        if self.media is None or self.media["m_port"] is None or int(self.media["m_port"]) > LAST_PORT:
            return _NO_PORT
        return int(self.media["m_port"])

    @property
    def single(self) -> bool:
        """Whether the media line has one port, not `port/count` (RFC 8866 5.14)."""
        return self.media is not None and self.media["m_count"] is None

    @property
    def endpoint(self) -> Endpoint:
        """Where the media goes before translation."""
        return Endpoint(self.governing, self.port)


class SdpTranslator:
    """Rewrites session descriptions as one table, one profile and (maybe) doors say."""

    def __init__(self, table: NatTable, doors: MediaDoors | None, profile: Profile) -> None:
        self._table = table
        self._doors = doors if "m=" in profile.sdp else None
        self._enabled = frozenset(f"SDP {name}" for name in profile.sdp)

    def edits(self, data: bytes, start: int, stop: int, hits: list[Hit], direction: Direction) -> list[Edit]:
        """The edits of the session description in start:stop of the message `data`, in no order."""
        if self._doors is None:
            edits = self._address_edits(data, start, stop, hits, self._table.fixed[direction])
            if edits is not None:
                return edits
        return self._edits(data, start, stop, direction)

    def _address_edits(
        self, data: bytes, first: int, last: int, hits: list[Hit], fixed: dict[bytes, bytes]
    ) -> list[Edit] | None:
        """The edits if no port can change, when only the lines that the hits are in need a look; None otherwise."""
        edits: list[Edit] = []
        line_at, rules = -1, _NO_RULES
        for start, stop, address in hits[bisect_left(hits, (first,)) : bisect_left(hits, (last,))]:
            new = fixed.get(address)
            if new is None:
                return None
            at = data.rfind(b"\n", 0, start)
            if at != line_at:
                line = SDP_LINE.match(data, at, last)
                line_at, rules = at, _address_rules(line) if line is not None else _NO_RULES
            rule = rules.get((start, stop))
            if rule is not None and rule in self._enabled:
                edits.append((start, stop, new, rule))
        return edits

    def _edits(self, data: bytes, start: int, stop: int, direction: Direction) -> list[Edit]:
        """The edits where ports may change: the whole description matters."""
        origins, session, sections = _describe(data, start, stop)
        for section in sections:
            if section.connections:
                self._place(section, [section], direction)
        if session.connections:
            self._place(session, [section for section in sections if not section.connections], direction)
        moved = self._open_doors(data, sections, direction)
        edits: list[Edit] = []
        for origin in origins:
            _replace(edits, "SDP o=", origin, "o_address", self._table.address(direction, origin["o_address"]))
        for section in (session, *sections):
            self._connection_edits(edits, section, direction)
            if section.new is not None and section.media is not None:
                _replace(edits, "SDP m=", section.media, "m_port", b"%d" % section.new.port)
            for rtcp in section.rtcp:
                self._rtcp_edits(edits, rtcp, section, moved, direction)
            for candidate in section.candidates:
                self._candidate_edits(edits, candidate, moved, direction)
        return [edit for edit in edits if edit[3] in self._enabled]

    def _place(self, level: _Section, governed: list[_Section], direction: Direction) -> None:
        """Decide what the connection address of `level` becomes, and the ports of the media lines it governs.

        Several connection lines are for layered multicast (RFC 8866 5.7): those that differ are mapped by address only.
        """
        address = level.connections[0]["c_address"]
        if address is None or any(other["c_address"] != address for other in level.connections):
            return
        live = [section for section in governed if section.port]
        for section in (level, *governed):
            section.governing = address
        exact = [
            self._table.exact(direction, Protocol.UDP, section.endpoint) if section.single else None for section in live
        ]
        addresses = {endpoint.address for endpoint in exact if endpoint is not None}
        if None not in exact and len(addresses) == 1:
            new: bytes | None = addresses.pop()
            for section, endpoint in zip(live, exact, strict=True):
                section.new = endpoint
        else:
            new = self._table.address(direction, address)
            for section in live:
                if new is not None and section.single:
                    section.new = self._table.media(direction, section.endpoint)
        for section in (level, *governed):
            section.address = new

    def _open_doors(self, data: bytes, sections: list[_Section], direction: Direction) -> dict[Endpoint, Endpoint]:
        """Open the doors that the media lines need; which RTP and RTCP endpoints moved where."""
        moved: dict[Endpoint, Endpoint] = {}
        if self._doors is None or not any(section.new for section in sections):
            return moved
        summary = summarise(data)
        if summary.cseq_method not in _OFFER_ANSWER:
            return moved
        for index, section in enumerate(sections):
            if section.new is None or section.media is None or section.media["m_protocol"] not in UDP_MEDIA:
                continue
            rtp = section.endpoint
            rtcp = Endpoint(rtp.address, rtp.port + 1)
            if section.rtcp:
                rtcp = Endpoint(section.rtcp[0]["r_address"] or rtp.address, int(section.rtcp[0]["r_port"]))
            outer = self._doors.door(direction, summary.call_id, index, rtp, rtcp, section.new)
            if outer is not None:
                section.new = outer
                moved[rtcp] = Endpoint(outer.address, outer.port + 1)
                moved[rtp] = outer
        return moved

    def _connection_edits(self, edits: list[Edit], section: _Section, direction: Direction) -> None:
        for connection in section.connections:
            address = connection["c_address"]
            if address is not None:
                new = section.address if section.address else self._table.address(direction, address)
                _replace(edits, "SDP c=", connection, "c_address", new)

    def _rtcp_edits(
        self, edits: list[Edit], line: Match, section: _Section, moved: dict[Endpoint, Endpoint], direction: Direction
    ) -> None:
        """Without an address of its own it goes with the connection address, and stays where that one stays."""
        own: bytes | None = line["r_address"]
        if int(line["r_port"]) > LAST_PORT or (own is None and section.address is None):
            return
        new = self._endpoint(Endpoint(own or section.governing, int(line["r_port"])), moved, direction)
        if new is None or (own is None and new.address != section.address):
            return
        _replace(edits, "SDP a=rtcp", line, "r_port", b"%d" % new.port)
        if own is not None:
            _replace(edits, "SDP a=rtcp", line, "r_address", new.address)

    def _candidate_edits(
        self, edits: list[Edit], line: Match, moved: dict[Endpoint, Endpoint], direction: Direction
    ) -> None:
        """connection-address and `raddr`, each with its port."""
        if int(line["k_port"]) > LAST_PORT:
            return
        if line["k_address"]:
            new = self._endpoint(Endpoint(line["k_address"], int(line["k_port"])), moved, direction)
            if new is not None:
                _replace(edits, "SDP a=candidate", line, "k_address", new.address)
                _replace(edits, "SDP a=candidate", line, "k_port", b"%d" % new.port)
        related = RELATED_ADDRESS.match(line.string, line.start("k_extensions"), line.end("k_extensions"))
        if related is None:
            return
        if related["port"] is None or int(related["port"]) > LAST_PORT:
            _replace(edits, "SDP a=candidate", related, "address", self._table.address(direction, related["address"]))
            return
        new = self._endpoint(Endpoint(related["address"], int(related["port"])), moved, direction)
        if new is not None:
            _replace(edits, "SDP a=candidate", related, "address", new.address)
            _replace(edits, "SDP a=candidate", related, "port", b"%d" % new.port)

    def _endpoint(self, endpoint: Endpoint, moved: dict[Endpoint, Endpoint], direction: Direction) -> Endpoint | None:
        return moved.get(endpoint) or self._table.endpoint(direction, Protocol.UDP, endpoint)


def _describe(data: bytes, start: int, stop: int) -> tuple[list[Match], _Section, list[_Section]]:
    """The `o=` lines, the session level, and the media descriptions."""
    origins: list[Match] = []
    session = _Section()
    sections: list[_Section] = []
    current = session
    for line in SDP_LINE.finditer(data, start - 1, stop):
        kind = data[line.start() + 1 : line.start() + 3]
        if kind == b"m=":
            current = _Section(media=line)
            sections.append(current)
        elif kind == b"c=":
            current.connections.append(line)
        elif kind == b"o=":
            origins.append(line)
        elif line["k_extensions"] is not None:
            current.candidates.append(line)
        else:
            current.rtcp.append(line)
    return origins, session, sections


def _address_rules(line: Match) -> dict[tuple[int, int], str]:
    """Where the addresses of a line stand, and the rule of each."""
    kind = line.string[line.start() + 1]
    if kind == _CONNECTION:
        return {line.span("c_address"): "SDP c="}
    if kind == _ORIGIN:
        return {line.span("o_address"): "SDP o="}
    if line["r_port"] is not None and int(line["r_port"]) <= LAST_PORT:
        return {line.span("r_address"): "SDP a=rtcp"}
    if line["k_port"] is not None and int(line["k_port"]) <= LAST_PORT:
        rules = {line.span("k_address"): "SDP a=candidate"}
        related = RELATED_ADDRESS.match(line.string, line.start("k_extensions"), line.end("k_extensions"))
        if related is not None:
            rules[related.span("address")] = "SDP a=candidate"
        return rules
    return _NO_RULES


def _replace(edits: list[Edit], rule: str, line: Match, group: str, new: bytes | None) -> None:
    """An edit of one group of a line, unless nothing changes; a port is compared as a number."""
    old = line[group]
    if new is None or new == old or (old.isdigit() and new.isdigit() and int(old) == int(new)):
        return
    edits.append((*line.span(group), new, rule))
