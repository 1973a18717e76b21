"""The mapping table of the reference rewriter.

Strategy: pairs of text as a user writes them come in ("10.0.30.2" or "10.0.30.2:27901"); a lookup of
(address, port) answers with the new (address, port) or None. An exact pair is asked first, then the address
alone.
"""

from __future__ import annotations

Endpoint = tuple[bytes, int]


class Maps:
    """Static mappings, seen from one direction."""

    def __init__(self, pairs: list[tuple[str, str]], direction: str) -> None:
        """`pairs` are (inside, outside); direction "out" translates inside to outside, "in" the other way."""
        assert direction in ("out", "in"), "direction is 'out' or 'in'"
        self._addresses: dict[bytes, bytes] = {}
        self._endpoints: dict[Endpoint, Endpoint] = {}
        for inside, outside in pairs:
            source, target = (inside, outside) if direction == "out" else (outside, inside)
            assert (":" in source) == (":" in target), "a mapping has a port on both sides or on none"
            if ":" in source:
                self._endpoints[_endpoint(source)] = _endpoint(target)
            else:
                self._addresses[source.encode()] = target.encode()

    def address(self, address: bytes) -> bytes | None:
        """The new address by an address mapping alone, ports kept."""
        return None if _is_special(address) else self._addresses.get(address)

    def endpoint(self, address: bytes, port: int | None) -> tuple[bytes, int | None] | None:
        """The new (address, port); a port that is None is unknown, so that no port mapping can apply."""
        if _is_special(address):
            return None
        if port is not None and (address, port) in self._endpoints:
            return self._endpoints[address, port]
        if address in self._addresses:
            return self._addresses[address], port
        return None


def read_port(digits: bytes) -> int | None:
    """One to five digits, up to 65535; anything else is no port."""
    if not 1 <= len(digits) <= 5 or any(character not in b"0123456789" for character in digits):
        return None
    port = int(digits)
    return port if port <= 65535 else None


def _endpoint(text: str) -> Endpoint:
    address, _, port = text.partition(":")
    return address.encode(), int(port)


def _is_special(address: bytes) -> bool:
    """0.0.0.0 means "hold" (RFC 3264 8.4) and 224.0.0.0/4 is multicast: neither is ever mapped."""
    first = address.partition(b".")[0]
    return address == b"0.0.0.0" or (len(first) == 3 and first.isdigit() and 224 <= int(first) <= 239)
