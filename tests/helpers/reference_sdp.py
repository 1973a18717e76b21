"""SDP of the reference rewriter (RFC 8866, 3605, 8839).

Strategy: a body comes in and is cut into lines, lines into sections (the session, then one per m= line).
First it is decided what becomes of the connection addresses and media ports, which belong together; then
each line is rewritten by itself. A line that is not exactly of its form stays.
"""

from __future__ import annotations

from tests.helpers.reference_maps import Maps, read_port

SESSION = 0


def rewrite_sdp(body: bytes, maps: Maps) -> bytes:
    """The whole session description, each line with the ending it came with."""
    lines = body.split(b"\n")
    endings = [b"\r" if line.endswith(b"\r") else b"" for line in lines]
    texts = [line[: len(line) - len(ending)] for line, ending in zip(lines, endings, strict=True)]
    new_texts = _Description(texts, maps).rewritten()
    return b"\n".join(text + ending for text, ending in zip(new_texts, endings, strict=True))


class _Description:
    """The lines of one description and the level (session or media section) that each belongs to."""

    def __init__(self, texts: list[bytes], maps: Maps) -> None:
        self.texts = texts
        self.maps = maps
        self.section_of: list[int] = []
        for text in texts:
            previous = self.section_of[-1] if self.section_of else SESSION
            self.section_of.append(previous + 1 if text.startswith(b"m=") else previous)
        self.new_connection: dict[int, bytes | None] = {}
        self.new_ports: dict[int, int] = {}
        for level in set(self.section_of):
            self._decide_level(level)

    def rewritten(self) -> list[bytes]:
        """All lines after mapping."""
        return [self._rewrite_line(index, text) for index, text in enumerate(self.texts)]

    def _connections(self, level: int) -> list[bytes]:
        return [
            text
            for text, section in zip(self.texts, self.section_of, strict=True)
            if section == level and text.startswith(b"c=")
        ]

    def _level_governing(self, section: int) -> int:
        """RFC 8866 5.7: a media-level c= overrides the session's."""
        return section if self._connections(section) else SESSION

    def _connection_address(self, level: int) -> bytes | None:
        """The one IPv4 address of a level; several different ones, or another kind, are none."""
        addresses = {_read_connection(text)[0] for text in self._connections(level)}
        return addresses.pop() if len(addresses) == 1 else None

    def _decide_level(self, level: int) -> None:
        """c= and the ports of the m= lines under it change together, or only by an address mapping."""
        address = self._connection_address(level)
        if address is None:
            return
        self.new_connection[level] = self.maps.address(address)
        targets: dict[int, tuple[bytes, int | None] | None] = {}
        for index, text in enumerate(self.texts):
            if text.startswith(b"m=") and self._level_governing(self.section_of[index]) == level:
                port, is_single = _read_media_port(text)
                if port != 0:
                    targets[index] = self.maps.endpoint(address, port if is_single else None)
        new_addresses = {None if target is None else target[0] for target in targets.values()}
        if len(new_addresses) != 1 or None in new_addresses:
            return
        self.new_connection[level] = new_addresses.pop()
        for index, target in targets.items():
            if target is not None and target[1] is not None:
                self.new_ports[index] = target[1]

    def _rewrite_line(self, index: int, text: bytes) -> bytes:
        section = self.section_of[index]
        if text.startswith(b"o="):
            return _rewrite_origin(text, self.maps)
        if text.startswith(b"c="):
            return self._rewrite_connection(section, text)
        if text.startswith(b"m=") and index in self.new_ports:
            fields = text.split(b" ")
            return b" ".join([fields[0], _number(fields[1], self.new_ports[index]), *fields[2:]])
        if text.startswith(b"a=rtcp:"):
            return self._rewrite_rtcp(section, text)
        if text.startswith(b"a=candidate:"):
            return _rewrite_candidate(text, self.maps)
        return text

    def _rewrite_connection(self, level: int, text: bytes) -> bytes:
        address, rest = _read_connection(text)
        if address is None:
            return text
        new = self.new_connection[level] if level in self.new_connection else self.maps.address(address)
        return text if new is None else b"c=IN IP4 " + new + rest

    def _rewrite_rtcp(self, section: int, text: bytes) -> bytes:
        """RFC 3605 2.1: `a=rtcp:port [IN IP4 address]`."""
        prefix, _, value = text.partition(b":")
        fields = value.split(b" ")
        port = read_port(fields[0])
        if port is None:
            return text
        if len(fields) == 4 and fields[1:3] == [b"IN", b"IP4"]:
            new = self.maps.endpoint(fields[3], port)
            if new is None:
                return text
            return prefix + b":" + _number(fields[0], new[1]) + b" IN IP4 " + new[0]
        if len(fields) > 1 or section == SESSION:
            return text
        level = self._level_governing(section)
        address = self._connection_address(level)
        new = None if address is None else self.maps.endpoint(address, port)
        if new is None or new[0] != self.new_connection[level]:
            return text
        return prefix + b":" + _number(fields[0], new[1])


def _number(digits: bytes, port: int | None) -> bytes:
    """The digits as they were, unless the port has changed."""
    return digits if port is None or int(digits) == port else b"%d" % port


def _rewrite_origin(text: bytes, maps: Maps) -> bytes:
    """RFC 8866 5.2: `o=username sess-id sess-version IN IP4 address`; no port, so no port mapping."""
    fields = text[2:].split(b" ")
    if len(fields) != 6 or b"" in fields or fields[3:5] != [b"IN", b"IP4"]:
        return text
    new = maps.address(fields[5])
    return text if new is None else b"o=" + b" ".join([*fields[:5], new])


def _read_connection(text: bytes) -> tuple[bytes | None, bytes]:
    """RFC 8866 5.7: the address of `c=IN IP4 address[/ttl[/count]]`, and the rest after it."""
    fields = text[2:].split(b" ")
    if len(fields) != 3 or fields[:2] != [b"IN", b"IP4"]:
        return None, b""
    address, *numbers = fields[2].split(b"/")
    if len(numbers) > 2 or not all(number.isdigit() for number in numbers):
        return None, b""
    return address, fields[2][len(address) :]


def _read_media_port(text: bytes) -> tuple[int | None, bool]:
    """RFC 8866 5.14: the port of `m=media port[/count] proto fmt ...`, and whether it is a single one."""
    fields = text[2:].split(b" ")
    if len(fields) < 4 or b"" in fields[:3]:
        return None, False
    digits, slash, count = fields[1].partition(b"/")
    if slash and not count.isdigit():
        return None, False
    return read_port(digits), not slash


def _rewrite_candidate(text: bytes, maps: Maps) -> bytes:
    """RFC 8839 5.1: foundation component transport priority address port typ type, then pairs."""
    prefix, _, value = text.partition(b":")
    fields = value.split(b" ")
    if len(fields) < 8 or len(fields) % 2 or b"" in fields or fields[6] != b"typ":
        return text
    port = read_port(fields[5])
    if port is None:
        return text
    names = fields[8::2]
    new = maps.endpoint(fields[4], port)
    if new is not None:
        fields[4], fields[5] = new[0], _number(fields[5], new[1])
    if names.count(b"raddr") == 1:
        address_at = 9 + 2 * names.index(b"raddr")
        port_at = 9 + 2 * names.index(b"rport") if names.count(b"rport") == 1 else None
        new = maps.endpoint(fields[address_at], None if port_at is None else read_port(fields[port_at]))
        if new is not None:
            fields[address_at] = new[0]
            if port_at is not None and new[1] is not None:
                fields[port_at] = _number(fields[port_at], new[1])
    return prefix + b":" + b" ".join(fields)
