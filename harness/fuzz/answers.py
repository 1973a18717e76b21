"""The 200 OK to somebody's INVITE, as a draft that can grow, and the BYE that ends the call again.

An INVITE without a session description is answered with an offer (delayed offer), one with an offer by an answer that
mirrors its media lines (early offer; RFC 3264 6).
"""

from __future__ import annotations

from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.sdp.multipart import sdp_bodies
from alg.sip.framing import Framed
from alg.sip.message import field_value
from harness.fuzz import dialog
from harness.fuzz.drafts import BOUNDARY, MAGIC, Body, Draft, draft, session_description
from harness.fuzz.growing import PLACES, Place

_SESSION_LINES = 5
"""Lines of a session description before its media lines."""


def check_place(place: Place) -> None:
    """ConfigError for what a response cannot have more of."""
    if place is PLACES["via"]:
        raise ConfigError("--grow via: a response has the Via fields of its request (RFC 3261 8.2.6.2)")


def offer_of(invite: Framed) -> bytes:
    """The session description of an INVITE; empty if it leaves the offer to us."""
    return next((invite.data[found.start : found.stop] for found in sdp_bodies(invite)), b"")


def ok_draft(invite: Framed, place: Place, here: Address, token: str, secure: bool) -> Draft:
    """The 200; ConfigError if the place is one where this call does not let it grow."""
    offer = offer_of(invite)
    if offer and place is PLACES["sdp-media"]:
        raise ConfigError("--grow sdp-media: the caller made the offer, and an answer has its media lines (RFC 3264 6)")
    host, port = here
    transport = b"tls" if secure else b"tcp"
    fields = dialog.response_fields(invite.data, token.encode())
    fields.append(b"Contact: <sip:sipalg@%s:%d;transport=%s>" % (host.encode(), port, transport))
    fields.append(b"Server: sipalg")
    session = mirrored(offer, host) if offer else session_description(host)
    if place.body is Body.MULTIPART:
        fields.append(b"Content-Type: multipart/mixed;boundary=" + BOUNDARY)
        first = b"--" + BOUNDARY + b"\r\nContent-Type: application/sdp\r\n\r\n" + session + b"\r\n"
        return draft(b"SIP/2.0 200 OK", fields, first + b"--" + BOUNDARY + b"--\r\n", Body.MULTIPART, b"server")
    fields.append(b"Content-Type: application/sdp")
    return draft(b"SIP/2.0 200 OK", fields, session, Body.SDP, b"server")


def mirrored(offer: bytes, host: str) -> bytes:
    """An answer that accepts the first audio stream of an offer with its first format, and no other."""
    lines = session_description(host).split(b"\r\n")[:_SESSION_LINES]
    taken = False
    for line in offer.splitlines():
        words = line.removeprefix(b"m=").split(b" ")
        if not line.startswith(b"m=") or len(words) < 4:
            continue
        take = words[0] == b"audio" and not taken
        taken = taken or take
        lines.append(b"m=%s %s %s %s" % (words[0], b"49170" if take else b"0", words[2], words[3]))
        lines += [b"a=inactive"] * take
    return b"\r\n".join(lines) + b"\r\n"


def bye(invite: bytes, answer: bytes, here: Address, secure: bool) -> bytes | None:
    """Our BYE of a call that we answered, along the route that its INVITE took (RFC 3261 12.1.1)."""
    host, port = here
    own, remote = field_value(answer, b"to", b"t"), field_value(invite, b"from", b"f")
    target = dialog.uri_of(field_value(invite, b"contact", b"m") or remote or b"")
    if not (own and remote and target):
        return None
    via = b"SIP/2.0/%s %s:%d;branch=%s" % (b"TLS" if secure else b"TCP", host.encode(), port, MAGIC.encode())
    routes = [b"Route: " + route for route in dialog.routes_of(invite)]
    return b"\r\n".join(
        (
            b"BYE " + target + b" SIP/2.0",
            b"Via: " + via + dialog.call_id_of(invite)[:8].hex().encode() + b"bye",
            *routes,
            b"Max-Forwards: 70",
            b"From: " + own,
            b"To: " + remote,
            b"Call-ID: " + dialog.call_id_of(invite),
            b"CSeq: 1 BYE",
            b"Content-Length: 0",
            b"",
            b"",
        )
    )
