"""Via of the reference rewriter (RFC 3261 20.42, RFC 3581).

Strategy: the value of one Via header field comes in, with one or more elements; each is cut at its
semicolons, the first piece is `protocol / version / transport sent-by`, the others are parameters. White
space and folds are allowed around every separator. An element whose sent-by cannot be read is given back as
it came.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.helpers.reference_fields import (
    SPACE,
    TOKEN_CHARACTERS,
    leading_host,
    read_hostport,
    run_length,
    split_tokens,
    tokenise,
)
from tests.helpers.reference_maps import Maps, read_port


@dataclass(frozen=True)
class Parameter:
    """One `;name = value`, in slices that make up the whole."""

    head: bytes
    value: bytes
    tail: bytes
    name: bytes

    @property
    def has_clean_value(self) -> bool:
        """Neither a port nor more text may hang on the value."""
        return bool(self.value) and not self.tail.startswith(b":")


def rewrite_via(value: bytes, maps: Maps, *, first_field: bool) -> bytes:
    """All elements of one Via field; `first_field` is true for the first Via field of the message."""
    groups = split_tokens(tokenise(value, brackets=False), b",")
    first, *others = groups
    elements = [_rewrite_element(first, maps, topmost=first_field)]
    elements += [_rewrite_element(group, maps, topmost=False) for group in others]
    return b",".join(elements)


def _rewrite_element(tokens: list[tuple[str, bytes]], maps: Maps, *, topmost: bool) -> bytes:
    pieces = [b"".join(text for _, text in group) for group in split_tokens(tokens, b";")]
    start, transport = _read_sent_protocol(pieces[0])
    hostport = read_hostport(pieces[0][start:], spaced=True) if start else None
    if hostport is None:
        return b";".join(pieces)
    default = 5061 if transport.lower() == b"tls" else 5060
    sent_port = hostport.port(default)
    parameters = [_read_parameter(piece) for piece in pieces[1:]]
    received = _first(parameters, b"received")
    rport = _first(parameters, b"rport")
    received_port = sent_port if rport is None or _is_blank(rport) else _port_of(rport)

    out = [pieces[0][:start] + hostport.rewritten(default, maps) + hostport.tail]
    for parameter in parameters:
        value = parameter.value
        if parameter.name == b"received" and parameter.has_clean_value:
            new = maps.endpoint(value, received_port)
            value = value if new is None else new[0]
        elif parameter.name == b"maddr" and parameter.has_clean_value:
            new = maps.endpoint(value, sent_port)
            value = value if new is None else new[0]
        elif parameter is rport and topmost and (port := _port_of(rport)) is not None:
            new = maps.endpoint(hostport.host if received is None else received.value, port)
            value = value if new is None or new[1] is None or new[1] == port else b"%d" % new[1]
        out.append(parameter.head + value + parameter.tail)
    return b";".join(out)


def _read_sent_protocol(text: bytes) -> tuple[int, bytes]:
    """Where sent-by begins (0 if the grammar is broken before it), and the transport."""
    position = run_length(text, 0, SPACE)
    token = b""
    for separator in (b"/", b"/", b""):
        length = run_length(text, position, TOKEN_CHARACTERS)
        token = text[position : position + length]
        position += length
        space = run_length(text, position, SPACE)
        if not length or (not separator and not space):
            return 0, b""
        position += space
        if separator:
            if text[position : position + 1] != separator:
                return 0, b""
            position += 1
            position += run_length(text, position, SPACE)
    return position, token


def _read_parameter(piece: bytes) -> Parameter:
    name, equals, rest = piece.partition(b"=")
    start = run_length(rest, 0, SPACE)
    value = leading_host(rest[start:])
    head = name + equals + rest[:start]
    return Parameter(head, value, rest[start + len(value) :], name.strip(SPACE).lower())


def _first(parameters: list[Parameter], name: bytes) -> Parameter | None:
    for parameter in parameters:
        if parameter.name == name:
            return parameter
    return None


def _is_blank(parameter: Parameter) -> bool:
    """`rport` and `rport=` carry no value (RFC 3581 3: the client sends it empty)."""
    return not parameter.value and not parameter.tail.strip(SPACE)


def _port_of(parameter: Parameter) -> int | None:
    return read_port(parameter.value) if parameter.has_clean_value else None
