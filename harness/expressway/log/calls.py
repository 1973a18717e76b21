"""The event log of a call: attempted, searched for, rejected."""

from __future__ import annotations

from dataclasses import dataclass

from harness.expressway.log.entry import Address, Event
from harness.expressway.search import Rejection

_Fields = tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """What the events of one call have in common."""

    source: Address
    """Whom the request came from."""
    source_alias: str
    """The caller, without scheme."""
    destination: str
    """The called party, without scheme."""
    serial_number: str
    tag: str
    protocol: str = "TLS"
    authenticated: bool = False
    method: str = "INVITE"


def call_attempted(call: Call) -> Event:
    """A call came in."""
    ends = (*_source(call), *_aliases(call, "sip:"), *_identity(call))
    return Event(
        "Call Attempted", (*ends, ("Protocol", call.protocol), ("Auth", "YES" if call.authenticated else "NO"))
    )


def search_attempted(call: Call) -> Event:
    """The search for its target begins."""
    detail = ("Detail", f"searchtype:{call.method}")
    return Event("Search Attempted", (("Service", "SIP"), *_aliases(call, ""), *_identity(call), detail))


def search_completed(call: Call, rejection: Rejection | None) -> Event:
    """The search has found somebody, or comes to a rejection."""
    if rejection is None:
        reason: _Fields = ()
        detail = f"found:true, searchtype:{call.method}"
    else:
        reason = (("Reason", rejection.reason),)
        detail = f"found:false, searchtype:{call.method}, Info:{rejection.warning}"
    ends = (("Service", "SIP"), *_aliases(call, ""), *_identity(call))
    return Event("Search Completed", (*reason, *ends, ("Detail", detail)))


def call_rejected(call: Call, rejection: Rejection) -> Event:
    """The call is answered with a failure."""
    ends = (*_source(call), *_aliases(call, "sip:"), *_identity(call))
    answer = (("Detail", rejection.reason), ("Protocol", call.protocol), ("Response-code", rejection.status))
    return Event("Call Rejected", (*ends, *answer))


def _source(call: Call) -> _Fields:
    return (("Service", "SIP"), ("Src-ip", call.source[0]), ("Src-port", call.source[1]))


def _aliases(call: Call, scheme: str) -> _Fields:
    """Of a search the source is told without scheme, the destination always with it."""
    return (
        ("Src-alias-type", "SIP"),
        ("Src-alias", scheme + call.source_alias),
        ("Dst-alias-type", "SIP"),
        ("Dst-alias", f"sip:{call.destination}"),
    )


def _identity(call: Call) -> _Fields:
    return (("Call-serial-number", call.serial_number), ("Tag", call.tag))
