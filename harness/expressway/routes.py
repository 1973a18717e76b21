"""What the Route header of a request decides, before anything is searched.

Strategy: Routes that name us are ours to consume (RFC 3261 16.4). Of what is left the first one counts. An INVITE that
starts a dialog has a *preloaded* Route: a zone with `SIP PreloadedSipRoutes Accept` on searches for it instead of the
request URI, a zone with it off rejects the request. Every other request goes where its Route says (RFC 3261 16.6): a
SERVICE whose Route names the outside of a NAT is sent there, and lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from harness.expressway.settings import Zone
from harness.expressway.zones import accepts_preloaded_routes

_URI = re.compile(
    r"<?(?P<uri>(?P<scheme>sips?):(?:[^@<>]*@)?(?P<host>\[[^\]]*\]|[^\s:;?<>]+)(?::(?P<port>\d{1,5}))?(?P<rest>[^<>]*))",
    re.IGNORECASE,
)
"""The URI of a Route, in angle brackets or without (RFC 3261 20.34)."""


class Way(Enum):
    """What happens next."""

    REQUEST_URI = "no Route is left: the request URI decides"
    SEARCH = "search for the preloaded Route"
    REJECT = "preloaded Routes are not accepted"
    FORWARD = "go where the Route says"


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """What the Routes of a request decide."""

    way: Way
    routes: tuple[str, ...]
    """Those that stay in the request, as written."""
    uri: str = ""
    """Of the Route that decides."""
    target: tuple[str, int] | None = None
    """Where FORWARD goes: host and port."""


def decide_route(
    method: str, in_dialog: bool, routes: Sequence[str], is_own: Callable[[str, int], bool], zone: Zone
) -> RouteDecision:
    """The decision about a request that came in through a zone.

    `routes` are the values of its Route headers, in order and one URI each; `is_own` says whether a host and port are
    ours; `in_dialog` whether To has a tag.
    """
    left = list(routes)
    while left and (target := route_target(left[0])) is not None and is_own(*target):
        del left[0]
    if not left:
        return RouteDecision(Way.REQUEST_URI, ())
    uri = _uri(left[0])
    if method == "INVITE" and not in_dialog:
        return RouteDecision(Way.SEARCH if accepts_preloaded_routes(zone) else Way.REJECT, tuple(left), uri)
    return RouteDecision(Way.FORWARD, tuple(left), uri, route_target(left[0]))


def route_target(route: str) -> tuple[str, int] | None:
    """The host of a Route, and its port or the default one (RFC 3261 19.1.2); None if it has no SIP URI."""
    found = _URI.search(route)
    if found is None:
        return None
    secure = found["scheme"].lower() == "sips" or ";transport=tls" in found["rest"].lower()
    return found["host"].lower(), int(found["port"] or (5061 if secure else 5060))


def _uri(route: str) -> str:
    found = _URI.search(route)
    return found["uri"] if found else route
