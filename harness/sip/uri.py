"""SIP URIs, name-addrs and parameters as values (RFC 3261 19.1, 20.10, 25.1).

Strategy: text comes in, values come out that print as text again. What is malformed raises SipSyntaxError, and nothing
else does. Text is UTF-8 with other bytes kept as surrogates, so that it goes out as it came in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from alg.errors import SipSyntaxError

Address = tuple[str, int]
"""Host and port."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PARAMETER = re.compile(
    rf";\s*(?:(?P<name>[^\s;=,<>\"]+)(?:\s*=\s*(?P<value>{_QUOTED}|\[[^\]]*\]|[^\s;,\"]*))?)?\s*", re.DOTALL
)
_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@<>\s]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+)"
    r"(?::(?P<port>\d{1,5}))?(?P<params>(?:;[^?<>\s\";]*)*)(?:\?(?P<headers>[^<>\s\"]*))?",
    re.IGNORECASE,
)
_NAME_ADDR = re.compile(
    rf"\s*(?P<display>{_QUOTED}|[^\"<>;,:]*?)\s*<\s*(?P<uri>[^<>]*?)\s*>\s*(?P<params>.*)", re.DOTALL
)
_ADDR_SPEC = re.compile(r"\s*(?P<uri>[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>;,?\"]+)\s*(?P<params>;.*|)", re.DOTALL)
_SEPARATOR = re.compile(rf"{_QUOTED}|<[^<>]*>|[,\"]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters in their order: names as written, values as written or None."""

    items: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Params:
        """Of `;name=value;name`; empty elements between semicolons are left out."""
        items: list[tuple[str, str | None]] = []
        position = 0
        while position < len(text):
            found = _PARAMETER.match(text, position)
            if found is None:
                raise SipSyntaxError("parameter", f"no parameter: {text[position : position + 40]!r}", position)
            if found["name"]:
                items.append((found["name"], found["value"]))
            position = found.end()
        return cls(tuple(items))

    def get(self, name: str) -> str | None:
        """The value of a parameter, without its quotes; empty if it has none, None if it is not there."""
        for known, value in self.items:
            if known.lower() == name.lower():
                return unquote(value or "")
        return None

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def put(self, name: str, value: str | None = None) -> Params:
        """With this parameter in its place, or behind the others."""
        if name not in self:
            return Params((*self.items, (name, value)))
        return Params(tuple((n, value) if n.lower() == name.lower() else (n, v) for n, v in self.items))

    def drop(self, *names: str) -> Params:
        """Without these."""
        lower = {name.lower() for name in names}
        return Params(tuple(item for item in self.items if item[0].lower() not in lower))

    def __str__(self) -> str:
        return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in self.items)


@dataclass(frozen=True, slots=True)
class SipUri:
    """A sip: or sips: URI."""

    host: str
    user: str | None = None
    """With its password, as written."""
    port: int | None = None
    params: Params = field(default_factory=Params)
    scheme: str = "sip"
    headers: str = ""
    """Behind the question mark."""

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """SipSyntaxError for what is no SIP URI, `tel:` among it."""
        found = _URI.fullmatch(text.strip())
        port = int(found["port"]) if found is not None and found["port"] else None
        if found is None or (port is not None and port > 65535):
            raise SipSyntaxError("uri", f"no SIP URI: {text[:80]!r}", 0)
        params = Params.parse(found["params"])
        return cls(found["host"], found["user"], port, params, found["scheme"].lower(), found["headers"] or "")

    @property
    def transport(self) -> str:
        """By the `transport` parameter or the scheme, in upper case; empty if neither says (RFC 3263 4.1)."""
        named = (self.params.get("transport") or "").upper()
        if self.scheme == "sips":
            return "TLS" if named in ("", "TCP", "TLS") else named
        return named

    @property
    def address(self) -> Address:
        """Host in lower case, and the port or its default (RFC 3261 19.1.2)."""
        return self.host.lower(), self.port or (5061 if self.transport == "TLS" else 5060)

    @property
    def loose(self) -> bool:
        """Of a Route: whoever is there routes loosely."""
        return "lr" in self.params

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}:{user}{self.host}{port}{self.params}" + (f"?{self.headers}" if self.headers else "")


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A URI with a display name and parameters, as in From, To, Contact, Route."""

    uri: str
    """As written, without angle brackets; of any scheme."""
    params: Params = field(default_factory=Params)
    display: str = ""
    """As written, quotes included."""

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Of one value; without angle brackets, parameters are the header's (RFC 3261 20.10)."""
        found = _NAME_ADDR.fullmatch(text) or _ADDR_SPEC.fullmatch(text)
        if found is None or not found["uri"]:
            raise SipSyntaxError("name-addr", f"no address: {text[:80]!r}", 0)
        display = found.groupdict().get("display") or ""
        return cls(found["uri"], Params.parse(found["params"]), display)

    @property
    def sip(self) -> SipUri:
        """The URI; SipSyntaxError if it is no SIP URI."""
        return SipUri.parse(self.uri)

    @property
    def tag(self) -> str:
        """Empty if there is none."""
        return self.params.get("tag") or ""

    def with_tag(self, tag: str) -> NameAddr:
        """With this tag in place of any other one."""
        return replace(self, params=self.params.put("tag", tag))

    def __str__(self) -> str:
        return f"{self.display} <{self.uri}>{self.params}" if self.display else f"<{self.uri}>{self.params}"


def split_values(text: str) -> list[str]:
    """Values between commas that are neither in quotes nor in angle brackets; empty ones are left out."""
    values: list[str] = []
    start = 0
    for found in _SEPARATOR.finditer(text):
        if found[0] == ",":
            values.append(text[start : found.start()])
            start = found.end()
        elif found[0] == '"':
            raise SipSyntaxError("quoted-string", "quoted string without an end", found.start())
    return [value for value in map(str.strip, (*values, text[start:])) if value]


def unquote(text: str) -> str:
    """The text of a quoted string; any other text as it is."""
    if len(text) < 2 or not (text[0] == text[-1] == '"'):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def quote(text: str) -> str:
    """As a quoted string."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
