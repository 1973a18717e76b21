"""Header fields of the reference rewriter: URIs, lists of addresses, Via.

Strategy: the value of one logical (folded) header field comes in and the same value with hosts replaced
goes out. Each function walks its grammar from the left, character by character, and concatenates what it
read; what does not fit the grammar is given back as it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.helpers.reference_maps import Maps, read_port

SPACE = b" \t\r\n"
"""White space inside a logical header field; a fold is CRLF with a space or tab after it (RFC 3261 7.3.1)."""
DELIMITERS = b":;?>," + SPACE
LETTERS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
HOST_CHARACTERS = LETTERS_AND_DIGITS + b"-._"
TOKEN_CHARACTERS = LETTERS_AND_DIGITS + b"-.!%*_+`'~"


@dataclass(frozen=True)
class HostPort:
    """`host [ ":" port ]` and what follows; `colon` keeps the white space that Via allows around it."""

    host: bytes
    colon: bytes
    digits: bytes
    tail: bytes

    def port(self, default: int) -> int:
        """The written port, or the default of the transport (RFC 3261 19.1.2)."""
        return int(self.digits) if self.digits else default

    def rewritten(self, default: int, maps: Maps) -> bytes:
        """Host and port after mapping, without the tail."""
        port = self.port(default)
        new = maps.endpoint(self.host, port)
        if new is None:
            return self.host + self.colon + self.digits
        address, new_port = new
        assert new_port is not None, "a known port stays known"
        if self.digits:
            return address + self.colon + (self.digits if new_port == port else b"%d" % new_port)
        return address if new_port == port else b"%s:%d" % (address, new_port)


def run_length(text: bytes, start: int, allowed: bytes) -> int:
    """How many characters from `start` on are among `allowed`."""
    stop = start
    while stop < len(text) and text[stop] in allowed:
        stop += 1
    return stop - start


def leading_host(text: bytes) -> bytes:
    """The characters before the first delimiter."""
    stop = 0
    while stop < len(text) and text[stop] not in DELIMITERS:
        stop += 1
    return text[:stop]


def read_hostport(text: bytes, *, spaced: bool) -> HostPort | None:
    """RFC 3261 25.1 hostport, None if malformed; `spaced` allows white space around the colon (sent-by)."""
    if text.startswith(b"["):
        host = text[: text.find(b"]") + 1]
    else:
        host = leading_host(text)
        if any(character not in HOST_CHARACTERS for character in host):
            return None
    after = len(host)
    if not host or (after < len(text) and text[after] not in DELIMITERS):
        return None
    colon = after + (run_length(text, after, SPACE) if spaced else 0)
    if text[colon : colon + 1] != b":":
        return HostPort(host, b"", b"", text[after:])
    start = colon + 1 + (run_length(text, colon + 1, SPACE) if spaced else 0)
    stop = start + run_length(text, start, b"0123456789")
    if read_port(text[start:stop]) is None:
        return None
    if stop < len(text) and (text[stop] not in DELIMITERS or text[stop] in b":"):
        return None
    return HostPort(host, text[after:start], text[start:stop], text[stop:])


def rewrite_uri(uri: bytes, maps: Maps) -> bytes:
    """A SIP or SIPS URI with its parameters and headers (RFC 3261 19.1.1); any other text stays."""
    scheme, _, rest = uri.partition(b":")
    if scheme.lower() not in (b"sip", b"sips") or rest.count(b"@") > 1:
        return uri
    user, at, place = rest.rpartition(b"@")
    if any(character in SPACE + b'"<' for character in user):
        return uri
    hostport = read_hostport(place, spaced=False)
    if hostport is None:
        return uri
    end = 0
    if hostport.tail.startswith(b";"):
        while end < len(hostport.tail) and hostport.tail[end] not in b"?>" + SPACE:
            end += 1
    parameters = hostport.tail[:end].split(b";")
    default = 5061 if scheme.lower() == b"sips" or _transport(parameters) == b"tls" else 5060
    port = hostport.port(default)
    new_parameters = b";".join(_rewrite_maddr(parameter, port, maps) for parameter in parameters)
    head = scheme + b":" + user + at
    return head + hostport.rewritten(default, maps) + new_parameters + hostport.tail[end:]


def _transport(parameters: list[bytes]) -> bytes:
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.lower() == b"transport":
            return value.lower()
    return b""


def _rewrite_maddr(parameter: bytes, port: int, maps: Maps) -> bytes:
    """RFC 3261 19.1.1: maddr is the host to ask instead; the URI's port stays with the URI."""
    name, equals, value = parameter.partition(b"=")
    host = leading_host(value)
    if name.lower() != b"maddr" or value[len(host) :].startswith(b":"):
        return parameter
    new = maps.endpoint(host, port)
    return parameter if new is None else name + equals + new[0] + value[len(host) :]


def tokenise(value: bytes, *, brackets: bool) -> list[tuple[str, bytes]]:
    """Cut a value into (kind, text): "quoted", "bracketed", "unclosed" and single "character" tokens."""
    tokens: list[tuple[str, bytes]] = []
    position = 0
    while position < len(value):
        character = value[position : position + 1]
        kind, stop = "character", position + 1
        if character == b'"':
            kind, stop = _closing_quote(value, stop)
        elif character == b"<" and brackets:
            closing = value.find(b">", stop)
            kind, stop = ("bracketed", closing + 1) if closing >= 0 else ("unclosed", len(value))
        tokens.append((kind, value[position:stop]))
        position = stop
    return tokens


def _closing_quote(value: bytes, position: int) -> tuple[str, int]:
    """RFC 3261 25.1 quoted-string: a backslash takes the next character with it."""
    while position < len(value):
        if value[position] in b'"':
            return "quoted", position + 1
        position += 2 if value[position] in b"\\" else 1
    return "unclosed", len(value)


def split_tokens(tokens: list[tuple[str, bytes]], separator: bytes) -> list[list[tuple[str, bytes]]]:
    """Groups of tokens between the separators that stand outside quotes and brackets."""
    groups: list[list[tuple[str, bytes]]] = [[]]
    for kind, text in tokens:
        if kind == "character" and text == separator:
            groups.append([])
        else:
            groups[-1].append((kind, text))
    return groups


def rewrite_address_list(value: bytes, maps: Maps) -> bytes:
    """Contact and its like: name-addr or addr-spec, separated by commas (RFC 3261 20.10)."""
    groups = split_tokens(tokenise(value, brackets=True), b",")
    return b",".join(_rewrite_address(group, maps) for group in groups)


def _rewrite_address(tokens: list[tuple[str, bytes]], maps: Maps) -> bytes:
    for index, (kind, text) in enumerate(tokens):
        if kind == "bracketed":
            before = b"".join(part for _, part in tokens[:index])
            after = b"".join(part for _, part in tokens[index + 1 :])
            return before + b"<" + rewrite_uri(text[1:-1], maps) + b">" + after
    whole = b"".join(text for _, text in tokens)
    if any(kind == "unclosed" and text.startswith(b"<") for kind, text in tokens):
        return whole
    # RFC 3261 20: without angle brackets whatever follows the first semicolon belongs to the header field.
    visible = b"".join(text if kind == "character" else b'"' * len(text) for kind, text in tokens)
    semicolon = visible.find(b";") if b";" in visible else len(visible)
    if b"@" in visible[semicolon:]:
        return whole
    start = run_length(whole, 0, SPACE)
    return whole[:start] + rewrite_uri(whole[start:semicolon], maps) + whole[semicolon:]
