"""Messages that are written down once, with fields where a run's addresses and identity stand.

Strategy: a field is a name in braces out of the list below; any other brace is a brace. Whole header fields come first,
so that a message writes out what it is about and names the rest; then addresses and the identity; then line ends; the
length of the body last. Lines end with LF in the text and with CRLF in the message, unless a field says otherwise.

{via} {hops} {from} {to} {call} {cseq}   the header fields that every request must have, each on its own
{usual}                                  all six
{contact}                                Contact of ours
{target} {target_host} {target_port}     where the message goes
{user}                                   whom it is for, with an @ behind, if anybody
{here} {here_host} {here_port}           where it comes from
{transport} {lower}                      TCP or TLS, tcp or tls
{token}                                  the identity of the transaction: 16 characters
{length}                                 bytes behind the first empty line below the start line
{lf}                                     a line feed without a carriage return
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alg.edge.entrance import Address

_LINES = {
    b"via": b"Via: SIP/2.0/{transport} {here};branch=z9hG4bK{token}",
    b"hops": b"Max-Forwards: 70",
    b"from": b"From: <sip:sipalg@{here_host}>;tag={token}",
    b"to": b"To: <sip:{user}{target}>",
    b"call": b"Call-ID: {token}",
    b"cseq": b"CSeq: 1 {method}",
    b"contact": b"Contact: <sip:sipalg@{here};transport={lower}>",
}
_USUAL = (b"via", b"hops", b"from", b"to", b"call", b"cseq")
_COMPOSED = _LINES | {b"usual": b"\n".join(_LINES[name] for name in _USUAL)}
_COMPOSED_FIELD = re.compile(rb"\{(" + b"|".join(_COMPOSED) + rb")\}")

START = b"OPTIONS sip:{user}{target} SIP/2.0"
LENGTH = b"Content-Length: {length}"


def request(*more: bytes, start: bytes = START, body: bytes = b"", length: bytes = LENGTH, **instead: bytes) -> bytes:
    """A request of which only what is special is written out: `more` fields, and some `instead` of the usual ones.

    The names of these are via, hops, from_, to, call and cseq; an empty one is left out.
    """
    assert instead.keys() <= {"via", "hops", "from_", "to", "call", "cseq"}
    usual = (instead.get({b"from": "from_"}.get(name, name.decode()), b"{" + name + b"}") for name in _USUAL)
    lines = (start, *usual, *more, length)
    return b"\n".join(line for line in lines if line) + b"\n\n" + body


PLAIN = request()
"""A request with nothing special about it."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in the fields."""

    target: Address
    here: Address
    token: str
    """Never the same twice."""
    secure: bool = False
    """Over TLS."""
    user: str = ""
    """Of the target; empty for its host alone."""

    def fill(self, template: bytes) -> bytes:
        """The message."""
        method = template.lstrip().partition(b" ")[0]
        if method.startswith(b"SIP/"):
            method = b"OPTIONS"
        text = _COMPOSED_FIELD.sub(lambda found: _COMPOSED[found[1]], template)
        for name, value in self._values(method).items():
            text = text.replace(b"{" + name + b"}", value)
        text = re.sub(rb"(?<!\r)\n", b"\r\n", text).replace(b"{lf}", b"\n")
        body = text.lstrip(b"\r\n").partition(b"\r\n\r\n")[2]
        return text.replace(b"{length}", b"%d" % len(body))

    def _values(self, method: bytes) -> dict[bytes, bytes]:
        transport = "TLS" if self.secure else "TCP"
        values = {
            "method": method.decode("latin-1"),
            "target": "{}:{}".format(*self.target),
            "target_host": self.target[0],
            "target_port": str(self.target[1]),
            "user": f"{self.user}@" if self.user else "",
            "here": "{}:{}".format(*self.here),
            "here_host": self.here[0],
            "here_port": str(self.here[1]),
            "transport": transport,
            "lower": transport.lower(),
            "token": self.token,
        }
        return {name.encode(): value.encode("latin-1") for name, value in values.items()}
