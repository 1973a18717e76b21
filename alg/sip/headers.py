"""The edits of a header block: which of the addresses found in it are hosts, and what stands for them.

Strategy: for each hit, the bytes before it on its line decide whether it is a host (`alg.sip.rules`), the bytes
behind it which port goes with it (`alg.sip.hosts`). The same few surroundings (`Contact: <sip:alice@10.0.30.2:5060;`)
come again and again, so where the answer depends on nothing else it is remembered under just these bytes.
"""

from __future__ import annotations

from alg.direction import Direction
from alg.nat.finder import Hit
from alg.nat.table import Endpoint, NatTable, Protocol
from alg.rewrite import Edit
from alg.sip import grammar
from alg.sip.hosts import ends_well, followed_by_port_or_delimiter, host_port
from alg.sip.rules import HEADER_RULES, HeaderRule, Role, Site

_TAIL = 7
"""Bytes behind a host that tell its port: a colon, five digits, a delimiter."""
_MOST_REMEMBERED = 8192
_LONGEST_REMEMBERED = 256
"""Bytes before an address."""
_WITH_PORT = frozenset({Role.URI_HOST, Role.SENT_BY})
"""Hosts behind which a port may stand."""

_Answer = tuple[bytes, str, Site | None] | tuple[()]
"""The new address, the rule, and the site if its URI's end is still to be looked for; empty for what is no host."""


class HeaderTranslator:
    """Rewrites header blocks as one table and one set of rules say."""

    def __init__(self, table: NatTable, enabled: frozenset[str]) -> None:
        self._table = table
        self._rules: dict[bytes, HeaderRule] = {}
        self._request_uri: HeaderRule | None = None
        for rule in HEADER_RULES:
            if rule.name not in enabled:
                continue
            if rule.name == "Request-URI":
                self._request_uri = rule
            else:
                self._rules[rule.name.lower().encode()] = rule
                if rule.compact:
                    self._rules[rule.compact.encode()] = rule
        self._answers: tuple[dict[bytes, _Answer], ...] = ({}, {})
        self._request_answers: tuple[dict[bytes, _Answer], ...] = ({}, {})

    def edits(self, data: bytes, hits: list[Hit], body: int, direction: Direction) -> list[Edit]:
        """The edits for the hits before offset `body`, in no strict order."""
        answers = self._answers[direction]
        rfind = data.rfind
        edits: list[Edit] = []
        for start, stop, address in hits:
            if start >= body:
                break
            line = rfind(b"\n", 0, start) + 1
            answer = (answers if line else self._request_answers[direction]).get(data[line : stop + _TAIL])
            if answer is None:
                edits += self._examine(data, line, (start, stop, address), direction)
            elif answer:
                new, rule, site = answer
                if site is None or ends_well(data, stop, site):
                    edits.append((start, stop, new, rule))
        return edits

    def _examine(self, data: bytes, line: int, hit: Hit, direction: Direction) -> list[Edit]:
        """The edits of a hit in surroundings not met before, which are remembered if they tell all."""
        start, stop, address = hit
        answers = (self._answers if line else self._request_answers)[direction]
        if len(answers) >= _MOST_REMEMBERED:
            answers.clear()
        surroundings = data[line : stop + _TAIL]
        memorable = data[line] not in b" \t" and start - line <= _LONGEST_REMEMBERED
        site = self._site(data, line, start)
        if site is None:
            if memorable:
                answers[surroundings] = ()
            return []
        well = ends_well(data, stop, site)
        new = self._table.fixed[direction].get(address)
        plain = followed_by_port_or_delimiter(data, stop)
        if new is None or not plain or (site.role is Role.SENT_BY and data[stop] in b" \t\r\n"):
            return self._host_edits(data, hit, site, direction) if well and (plain or site.role in _WITH_PORT) else []
        if memorable:
            decided = site.decided_by(data[stop : stop + _TAIL])
            answers[surroundings] = (new, site.rule, None if decided else site) if well or not decided else ()
        return [(start, stop, new, site.rule)] if well else []

    def _site(self, data: bytes, line: int, start: int) -> Site | None:
        """What the rule of the header field (or of the request line) says about an address at `start`."""
        if not line:
            rule = self._request_uri
            return rule.locate(rule.name, data[:start]) if rule else None
        while line and data[line] in b" \t":
            line = data.rfind(b"\n", 0, line - 1) + 1
        field = data[line:start]
        name = grammar.FIELD_NAME.match(field)
        found = self._rules.get(name[1].lower()) if name and line else None
        return found.locate(found.name, field[name.end() :]) if found and name else None

    def _host_edits(self, data: bytes, hit: Hit, site: Site, direction: Direction) -> list[Edit]:
        """The edits of one host whose translation may depend on its port, or that white space surrounds."""
        start, stop, address = hit
        found = host_port(data, start, stop, site)
        if found is None:
            return []
        new = self._table.endpoint(direction, Protocol.TCP, Endpoint(address, found.port))
        edits: list[Edit] = []
        if new is not None and new.address != address:
            edits.append((start, stop, new.address, site.rule))
        if new is not None and site.role in _WITH_PORT and new.port != found.port:
            if found.digits is not None:
                edits.append((*found.digits, b"%d" % new.port, f"{site.rule} port"))
            else:
                edits.append((stop, stop, b":%d" % new.port, f"{site.rule} port"))
        if found.rport is not None:
            rport = int(data[slice(*found.rport)])
            source = self._table.endpoint(direction, Protocol.TCP, Endpoint(address, rport))
            if source is not None and source.port != rport:
                edits.append((*found.rport, b"%d" % source.port, "Via rport"))
        return edits
