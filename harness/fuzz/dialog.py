"""What a caller owes the other side after its request: ACK, BYE, CANCEL, and 200 to the other side's own BYE.

Each function returns a message, or None where the bytes that it would be made of do not have what it needs.
"""

from __future__ import annotations

import re

from alg.sip.message import field_value, header_fields

_URI = re.compile(rb"<([^>]*)>|([^;,\s]+)")
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^;,\s]+)", re.IGNORECASE)


def method_of(request: bytes) -> bytes:
    """Of a request."""
    return request.partition(b" ")[0]


def values(message: bytes, *names: bytes) -> list[bytes]:
    """The values of all fields with one of these lower-case names, in order, unfolded."""
    return [
        re.sub(rb"\r?\n[ \t]+", b" ", message[entry.value : entry.stop])
        for entry in header_fields(message)
        if entry.name.lower() in names
    ]


def top_via(message: bytes) -> bytes:
    """The topmost Via, alone."""
    found = values(message, b"via", b"v")
    return found[0].partition(b",")[0].strip() if found else b""


def branch_of(message: bytes) -> bytes:
    """The branch of the topmost Via; empty if there is none."""
    found = _BRANCH.search(top_via(message))
    return found[1] if found else b""


def call_id_of(message: bytes) -> bytes:
    """The Call-ID; empty if there is none."""
    return field_value(message, b"call-id", b"i") or b""


def sequence_of(message: bytes) -> tuple[bytes, bytes]:
    """(number, method) of CSeq; empty if there is none."""
    number, _, method = (field_value(message, b"cseq") or b"").partition(b" ")
    return number.strip(), method.strip()


def uri_of(value: bytes) -> bytes:
    """The URI of a header field's value, with angle brackets or without; empty if there is none."""
    found = _URI.search(value)
    return (found[1] or found[2] or b"") if found else b""


def routes_of(message: bytes) -> list[bytes]:
    """The Record-Route entries, comma-separated ones apart."""
    return [entry.strip() for value in values(message, b"record-route") for entry in value.split(b",")]


def ack_failure(request: bytes, response: bytes) -> bytes | None:
    """The ACK of a final response other than 2xx: part of the INVITE's transaction (RFC 3261 17.1.1.3)."""
    return _follow_up(b"ACK", request, _request_uri(request), top_via(request), to=field_value(response, b"to", b"t"))


def cancel(request: bytes) -> bytes | None:
    """CANCEL of an INVITE (RFC 3261 9.1)."""
    return _follow_up(b"CANCEL", request, _request_uri(request), top_via(request))


def in_dialog(method: bytes, request: bytes, response: bytes, steps: int = 0) -> bytes | None:
    """ACK or BYE in the dialog that a 2xx made, `steps` behind the INVITE in sequence (RFC 3261 12.2.1.1).

    Routes of the request itself are hops of ours: the far end only sees those that were added behind it.
    """
    added = routes_of(response)[: max(0, len(routes_of(response)) - len(routes_of(request)))]
    target = uri_of(field_value(response, b"contact", b"m") or b"") or _request_uri(request)
    via = _BRANCH.sub(lambda found: found[0] + b"-" + method.lower(), top_via(request))
    to = field_value(response, b"to", b"t")
    return _follow_up(method, request, target, via, steps, to, tuple(reversed(added)))


def ok(request: bytes) -> bytes | None:
    """The 200 to a request of the far end's (RFC 3261 8.2.6.2)."""
    return response_to(request, b"200 OK")


def response_to(request: bytes, status: bytes, tag: bytes = b"") -> bytes | None:
    """A response without a body; `tag` is added to a To that has none."""
    copied = [field for field in _copied(request, tag) if field]
    if len(copied) < 5:
        return None
    return b"\r\n".join((b"SIP/2.0 " + status, *copied, b"Content-Length: 0", b"", b""))


def _copied(request: bytes, tag: bytes) -> list[bytes]:
    to = field_value(request, b"to", b"t") or b""
    if tag and to and b";tag=" not in to.lower():
        to += b";tag=" + tag
    vias = [b"Via: " + value for value in values(request, b"via", b"v")]
    rest = {
        b"From": field_value(request, b"from", b"f"),
        b"To": to,
        b"Call-ID": call_id_of(request),
        b"CSeq": field_value(request, b"cseq"),
    }
    return [*vias, *(name + b": " + value for name, value in rest.items() if value)]


def response_fields(request: bytes, tag: bytes) -> list[bytes]:
    """The fields of a response that come from its request, Record-Route among them: it may make a dialog (12.1.1)."""
    fields = _copied(request, tag)
    vias = len(values(request, b"via", b"v"))
    return [*fields[:vias], *(b"Record-Route: " + entry for entry in routes_of(request)), *fields[vias:]]


def _request_uri(request: bytes) -> bytes:
    words = request.partition(b"\r\n")[0].split(b" ")
    return words[1] if len(words) == 3 else b""


def _follow_up(
    method: bytes,
    request: bytes,
    uri: bytes,
    via: bytes,
    steps: int = 0,
    to: bytes | None = None,
    routes: tuple[bytes, ...] = (),
) -> bytes | None:
    number, _ = sequence_of(request)
    sender = field_value(request, b"from", b"f")
    to = to or field_value(request, b"to", b"t")
    call_id = call_id_of(request)
    if not (uri and via and sender and to and call_id and number.isdigit() and len(number) <= 10):
        return None
    return b"\r\n".join(
        (
            method + b" " + uri + b" SIP/2.0",
            b"Via: " + via,
            *(b"Route: " + route for route in routes),
            b"Max-Forwards: 70",
            b"From: " + sender,
            b"To: " + to,
            b"Call-ID: " + call_id,
            b"CSeq: %d %s" % (int(number) + steps, method),
            b"Content-Length: 0",
            b"",
            b"",
        )
    )
