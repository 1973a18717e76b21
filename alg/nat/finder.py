"""Finds the IPv4 literals that a NAT table could map, in any bytes.

Strategy: a substring search costs a tenth of a pattern search, so the addresses are looked for first and what they
mean is asked afterwards. A table of few addresses is searched address by address; a large one by the octets its
addresses have in common ("10.0."); one whose addresses share nothing falls back to a pattern for any IPv4 literal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from alg.sip.grammar import IPV4

Hit = tuple[int, int, bytes]
"""Start and stop offsets, and the literal. A hit may be part of a longer token: `10.0.30.2` in `110.0.30.25`."""

FindAddresses = Callable[[bytes], list[Hit]]

_MOST_SEARCHES = 6
"""Substring searches per message before one pattern search is the cheaper way."""


def address_finder(addresses: Iterable[bytes], prefixes: Iterable[bytes] = ()) -> FindAddresses:
    """A function that lists the hits in a message in ascending order.

    `addresses` are literals (b"10.0.30.2"); `prefixes` are leading octets (b"10.", b"172.16.") for whole networks, b""
    standing for any address.
    """
    literals = sorted(set(addresses))
    octets = sorted(set(prefixes))
    if not literals and not octets:
        return _find_nothing
    if not octets and len(literals) == 1:
        return _literal_finder(literals[0])
    stems = _stems(literals, octets)
    if b"" in stems or len(stems) > _MOST_SEARCHES:
        return _find_any
    return _stem_finder(stems)


def _stems(literals: list[bytes], octets: list[bytes]) -> list[bytes]:
    """The longest common leading octets that keep the number of searches low."""
    stems: set[bytes] = set()
    for kept in (4, 3, 2, 1):
        cut = {b".".join(literal.split(b".")[:kept]) + (b"." if kept < 4 else b"") for literal in literals}
        stems = cut | set(octets)
        if len(stems) <= _MOST_SEARCHES:
            break
    return [stem for stem in stems if not any(stem != other and stem.startswith(other) for other in stems)]


def _find_nothing(data: bytes) -> list[Hit]:
    return []


def _literal_finder(literal: bytes) -> FindAddresses:
    length = len(literal)

    def find(data: bytes) -> list[Hit]:
        hits = []
        start = data.find(literal)
        while start >= 0:
            stop = start + length
            hits.append((start, stop, literal))
            start = data.find(literal, stop)
        return hits

    return find


def _stem_finder(stems: list[bytes]) -> FindAddresses:
    match_address = IPV4.match

    def find(data: bytes) -> list[Hit]:
        hits = []
        for stem in stems:
            start = data.find(stem)
            while start >= 0:
                match = match_address(data, start)
                stop = match.end() if match else start + 1
                if match:
                    hits.append((start, stop, match[0]))
                start = data.find(stem, stop)
        if len(stems) > 1:
            hits.sort()
        return hits

    return find


def _find_any(data: bytes) -> list[Hit]:
    return [(match.start(), match.end(), match[0]) for match in IPV4.finditer(data)]
