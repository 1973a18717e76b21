"""Turns one message into the same message as the other side of the NAT must see it.

Strategy: addresses first. The NAT table's finder lists the literals that could be mapped; a message without any is done.
For each hit in the header block the bytes before it on its line decide whether it is a host (`alg.sip.rules`), and that
answer is remembered, since the same few prefixes (`Contact: <sip:alice@`) come again and again. Hits in the body hand the
session descriptions to `alg.sdp.session`. The last edit is Content-Length.
"""

from __future__ import annotations

from collections.abc import Iterable

from alg.config import AlgConfig, MediaMode
from alg.direction import Direction
from alg.nat.media import MediaDoors
from alg.nat.table import Endpoint, NatTable, Protocol
from alg.rewrite import Edit, apply_edits, growth
from alg.sdp.multipart import sdp_bodies
from alg.sdp.session import SdpTranslator
from alg.sip import grammar
from alg.sip.framing import Framed
from alg.sip.hosts import ends_well, host_port
from alg.sip.rules import HEADER_RULES, HeaderRule, Role, Site

_WITH_PORT = frozenset({Role.URI_HOST, Role.SENT_BY})
"""Hosts behind which a port may stand, in a Via with white space around the colon."""
_NO_SITE = Site("", Role.URI_HOST, 0)
_MOST_REMEMBERED = 4096
_TAIL = 7
"""Bytes behind a host that tell its port: a colon, five digits, a delimiter."""


class Translator:
    """The rewriting that one configuration asks for; shared by all its connections."""

    def __init__(self, config: AlgConfig, table: NatTable, doors: MediaDoors | None = None) -> None:
        self.config = config
        self.table = table
        enabled = [rule for rule in HEADER_RULES if rule.name in config.profile.headers]
        self._rules: dict[bytes, HeaderRule] = {}
        for rule in enabled:
            for name in (rule.name, rule.compact):
                if name is not None and rule.name != "Request-URI":
                    self._rules[name.lower().encode()] = rule
        self._request_uri = next((rule for rule in enabled if rule.name == "Request-URI"), None)
        self._sdp: SdpTranslator | None = None
        if config.media is not MediaMode.OFF:
            self._sdp = SdpTranslator(table, doors if config.media is MediaMode.RELAY else None, config.profile)
        self._sites: dict[bytes, Site] = {}
        self._request_sites: dict[bytes, Site] = {}
        self._tails: dict[bytes, bool] = {}

    def translate(self, message: Framed, direction: Direction) -> tuple[bytes, list[Edit]]:
        """The message as it leaves, and the edits that made it, in ascending order."""
        data = message.data
        hits = self.table.find[direction](data)
        if not hits:
            return data, []
        body = message.body
        fixed = self.table.fixed[direction]
        sites, tails = self._sites, self._tails
        edits: list[Edit] = []
        for start, stop, address in hits:
            if start >= body:
                break
            line = data.rfind(b"\n", 0, start) + 1
            prefix = data[line:start]
            site = sites.get(prefix) if line else self._request_sites.get(prefix)
            if site is None:
                site = self._site(data, line, start)
            if site is _NO_SITE:
                continue
            tail = data[stop : stop + _TAIL]
            delimited = tails.get(tail)
            if delimited is None:
                delimited = self._delimited(tail)
            if site.ending is not None and (site.user_open or b">" not in tail) and not ends_well(data, stop, site):
                continue
            new = fixed.get(address)
            if delimited and new is not None and (site.role is not Role.SENT_BY or tail[0] not in b" \t\r\n"):
                edits.append((start, stop, new, site.rule))
            elif delimited or site.role in _WITH_PORT:
                edits += self._host_edits(data, start, stop, address, site, direction)
        if self._sdp is not None and hits[-1][0] >= body:
            edits += self._body_edits(message, direction)
        if not edits:
            return data, edits
        edits.sort()
        return apply_edits(data, edits), edits

    def _body_edits(self, message: Framed, direction: Direction) -> list[Edit]:
        """Edits of the session descriptions, of the parts that hold them, and of Content-Length."""
        assert self._sdp is not None, "asked only where SDP is rewritten"
        data = message.data
        edits: list[Edit] = []
        lengths = {}
        for found in sdp_bodies(data, message.body):
            edits += self._sdp.edits(data, found.start, found.stop, direction)
            lengths.update({part.digits: part for part in found.enclosing})
        for part in sorted(lengths.values(), key=lambda entry: entry.body[0], reverse=True):
            start, stop = part.body
            edits += _length_edits(data, [part.digits], stop - start, growth(edits, start, stop), "part Content-Length")
        start, stop = message.body, len(data)
        return edits + _length_edits(data, message.lengths, stop - start, growth(edits, start, stop), "Content-Length")

    def _site(self, data: bytes, line: int, start: int) -> Site:
        """Ask the rules what the address at `start` is, and remember the answer for its prefix."""
        if not line:
            rule = self._request_uri
            site = rule.locate(rule.name, data[:start]) if rule else None
            return _remember(self._request_sites, data[:start], site or _NO_SITE)
        folded = data[line] in b" \t"
        while line and data[line] in b" \t":
            line = data.rfind(b"\n", 0, line - 1) + 1
        prefix = data[line:start]
        name = grammar.FIELD_NAME.match(prefix)
        rule = self._rules.get(name[1].lower()) if name and line else None
        site = (rule.locate(rule.name, prefix[name.end() :]) if rule and name else None) or _NO_SITE
        return site if folded else _remember(self._sites, prefix, site)

    def _delimited(self, tail: bytes) -> bool:
        """Whether a host ends here, its port being none or a number."""
        match = grammar.HOST_PORT_TAIL.match(tail)
        delimited = match is not None and (match[1] is None or int(match[1]) <= 65535)
        if len(self._tails) >= _MOST_REMEMBERED:
            self._tails.clear()
        self._tails[tail] = delimited
        return delimited

    def _host_edits(
        self, data: bytes, start: int, stop: int, address: bytes, site: Site, direction: Direction
    ) -> list[Edit]:
        """The edits of one host whose translation may depend on its port, or that white space surrounds."""
        found = host_port(data, start, stop, site)
        if found is None:
            return []
        new = self.table.endpoint(direction, Protocol.TCP, Endpoint(address, found.port))
        if new is None:
            return []
        edits: list[Edit] = [(start, stop, new.address, site.rule)] if new.address != address else []
        if site.role in _WITH_PORT and new.port != found.port:
            if found.digits is not None:
                edits.append((*found.digits, b"%d" % new.port, f"{site.rule} port"))
            else:
                edits.append((stop, stop, b":%d" % new.port, f"{site.rule} port"))
        if found.rport is not None:
            rport = int(data[slice(*found.rport)])
            source = self.table.endpoint(direction, Protocol.TCP, Endpoint(address, rport))
            if source is not None and source.port != rport:
                edits.append((*found.rport, b"%d" % source.port, "Via rport"))
        return edits


def _remember(memory: dict[bytes, Site], prefix: bytes, site: Site) -> Site:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[prefix] = site
    return site


def _length_edits(data: bytes, spans: Iterable[tuple[int, int]], old: int, grown: int, rule: str) -> list[Edit]:
    """Edits that make every Content-Length in `spans` say `old + grown`; the digits alone change."""
    new = b"%d" % (old + grown)
    return [(start, stop, new, rule) for start, stop in spans if grown and data[start:stop] != new]
