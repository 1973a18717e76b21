"""Via: which way a response goes (RFC 3261 18.2, 20.42; RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from alg.errors import SipSyntaxError
from harness.sip.uri import Address, Params

MAGIC_COOKIE = "z9hG4bK"
"""What a branch begins with that is unique by itself (RFC 3261 8.1.1.7)."""
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_VIA = re.compile(
    rf"\s*SIP\s*/\s*2\.0\s*/\s*(?P<transport>{_TOKEN})\s+(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+)"
    r"(?:\s*:\s*(?P<port>\d{1,5}))?\s*(?P<params>;.*|)",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Via:
    """One Via."""

    transport: str
    """In upper case."""
    host: str
    port: int | None = None
    params: Params = field(default_factory=Params)

    @classmethod
    def parse(cls, text: str) -> Via:
        """Of one value; SipSyntaxError if it is none."""
        found = _VIA.fullmatch(text)
        port = int(found["port"]) if found is not None and found["port"] else None
        if found is None or (port is not None and port > 65535):
            raise SipSyntaxError("via", f"no Via: {text[:80]!r}", 0)
        return cls(found["transport"].upper(), found["host"], port, Params.parse(found["params"]))

    @property
    def branch(self) -> str:
        """Empty if there is none."""
        return self.params.get("branch") or ""

    @property
    def sent_by(self) -> Address:
        """Host in lower case, and the port or its default."""
        return self.host.lower(), self.port or (5061 if self.transport == "TLS" else 5060)

    def came_from(self, source: Address) -> Via:
        """As the one who received the request writes it: `received` where it differs, `rport` where it was asked for
        (RFC 3261 18.2.1, RFC 3581 4).
        """
        params = self.params
        asked = "rport" in params
        if asked:
            params = params.put("rport", str(source[1]))
        if asked or self.host.lower() != source[0]:
            params = params.put("received", source[0])
        return replace(self, params=params)

    @property
    def response_address(self) -> Address:
        """Where a response goes if there is no connection to send it on (RFC 3261 18.2.2, RFC 3581 4)."""
        host, port = self.sent_by
        rport = self.params.get("rport")
        maddr = self.params.get("maddr")
        if maddr and self.transport == "UDP":
            return maddr, port
        if self.transport == "UDP" and rport and rport.isdigit() and 0 < int(rport) <= 65535:
            port = int(rport)
        return self.params.get("received") or host, port

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.params}"
