"""Route sets, loose and strict (RFC 3261 12.2.1.1, 16.6), and which URI says where a request goes (8.1.2, 16.6 step 7).

Strategy: `with_routes` makes a request with a route set; `next_hop` tells the URI that the next element is found by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.sip.message import Request
from harness.sip.uri import NameAddr, SipUri


def with_routes(request: Request, routes: Sequence[str]) -> Request:
    """With these Routes and no others. If the first one routes strictly, it becomes the Request-URI, and that goes
    behind the last one.
    """
    if not routes:
        return request.drop("Route")
    first = NameAddr.parse(routes[0])
    if first.sip.loose:
        return request.put("Route", *routes)
    reformatted = request.with_uri(first.uri).put("Route", *routes[1:], f"<{request.uri}>")
    return replace(reformatted, strict=True)


def next_hop(request: Request) -> SipUri:
    """Of the first Route, or else the Request-URI, which it is for a strict router as well; SipSyntaxError if that is
    no SIP URI.
    """
    routes = request.values("Route")
    if routes and not request.strict:
        return NameAddr.parse(routes[0]).sip
    return SipUri.parse(request.uri)
