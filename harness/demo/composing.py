"""Writes the messages of one endpoint: texts from `harness.demo.templates`, values from the call."""

from __future__ import annotations

import base64
import hashlib

from alg.sip.message import field_value, header_fields
from harness.demo import templates
from harness.demo.reading import Learnt
from harness.demo.topology import Hop

_REASONS = {100: "Trying", 180: "Ringing", 200: "OK"}
_FROM_REQUEST = (b"via", b"call-id", b"from", b"to", b"cseq")
"""RFC 3261 8.2.6.2; Record-Route only where a dialog may follow (12.1.1)."""


def token(call: str, what: str, length: int = 32) -> str:
    """A tag, branch or identifier: always the same for the same call, so that two runs look alike."""
    return hashlib.blake2b(f"{call} {what}".encode(), digest_size=32).hexdigest()[:length]


class Composer:
    """The messages that one endpoint sends in one call."""

    def __init__(self, call: str, role: str, hop: Hop, media_ports: dict[str, int]) -> None:
        host, port = hop
        self._call = call
        self._values: dict[str, object] = {"host": host, "port": port}
        names = ("call_id", "proxy_call", "branch", "inner", "phone", "digest", "session", "taa", "tag")
        self._values |= {name: token(call, f"{role} {name}") for name in names}
        self._values["key"] = base64.b64encode(token(call, "key", 30).encode()).decode()
        for kind, media_port in media_ports.items():
            self._values |= {kind: media_port, f"{kind}_rtcp": media_port + 1}

    def invite(self, peer: Hop) -> bytes:
        """The INVITE, its body an offer and a location."""
        head = self._fill(templates.INVITE, peer_host=peer[0], peer_port=peer[1])
        sdp = self._fill(templates.OFFER)
        boundary = f"boundary-{self._values['session']}"
        length = len(_wire(sdp))
        body = templates.MULTIPART.format(
            boundary=boundary, length=length, sdp=sdp, location=templates.LOCATION.rstrip()
        )
        return _message(head, _wire(body))

    def in_dialog(self, method: str, first: bytes, cseq: int, target: Learnt, routes: list[Learnt]) -> bytes:
        """ACK or BYE; `first` made the dialog: the 200 for its caller, the INVITE for its callee."""
        local, remote = (_value(first, name) for name in ((b"from", b"to") if method == "ACK" else (b"to", b"from")))
        if method != "ACK":
            local += f";tag={self._values['tag']}"
        head = self._fill(
            templates.IN_DIALOG,
            method=method,
            target=target.uri.decode(),
            dialog=_value(first, b"call-id"),
            cseq=cseq,
            local=local,
            remote=remote,
            branch=token(self._call, f"{method} branch"),
        )
        return _message(head + "".join(f"Route: <{route.uri.decode()}>\n" for route in routes))

    def response(self, status: int, request: bytes, source: Hop) -> bytes:
        """A response to a request that came from `source`."""
        accepts = status == 200 and _value(request, b"cseq").endswith("INVITE")
        head = f"SIP/2.0 {status} {_REASONS[status]}\n"
        copied = _FROM_REQUEST if status == 100 else (*_FROM_REQUEST, b"record-route")
        own_route = self._fill(templates.RECORD_ROUTE) if accepts else ""
        for entry in header_fields(request):
            name, line = entry.name.lower(), request[entry.start : entry.stop].decode()
            if name == b"record-route":
                head, own_route = head + own_route, ""
            if name == b"to" and status > 100 and ";tag=" not in line:
                line = f"{line};tag={self._values['tag']}"
            if name in copied:
                head += f"{line}\n"
        head = head.replace(";rport\n", f";received={source[0]};rport={source[1]}\n", 1)
        if not accepts:
            return _message(head + templates.PROVISIONAL)
        return _message(head + self._fill(templates.ACCEPTED), _wire(self._fill(templates.ANSWER)))

    def _fill(self, template: str, **values: object) -> str:
        return template.format_map(self._values | values)


def _value(message: bytes, name: bytes) -> str:
    return (field_value(message, name) or b"").decode()


def _wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def _message(head: str, body: bytes = b"") -> bytes:
    return _wire(f"{head}Content-Length: {len(body)}\n\n") + body
