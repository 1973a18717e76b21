"""What an Expressway changes in a request on its way through: Via, Record-Route, hop count, Contact.

Strategy: a request and the zones that it comes from and goes to come in, a request comes out. The header fields have
the shapes of seed 003: `egress-zone` and `ingress-zone` without spaces, `proxy-call-id` in Via and Record-Route, two
Record-Routes whatever the transports are.
"""

from __future__ import annotations

from dataclasses import replace

from harness.expressway.settings import DefaultZone, DnsZone, LocalZone, Zone
from harness.sip.message import Request
from harness.sip.uri import Address, NameAddr, Params, SipUri
from harness.sip.via import Via

End = tuple[str, Address]
"""A transport, and an address of ours on it."""


def zone_token(zone: Zone) -> str:
    """A zone as Via names it: without spaces (seed 003, inbound problem 5)."""
    return "".join(zone.name.split())


def marked_as_come(request: Request, zone: Zone) -> Request:
    """With the zone that it came in through, in the Via of whoever sent it."""
    via = request.via
    return request.with_first("Via", str(replace(via, params=via.params.put("ingress-zone", zone_token(zone)))))


def marked_as_leaving(request: Request, zone: Zone, proxy_call_id: str) -> Request:
    """With the zone that it leaves through, and the search that it belongs to, in our Via."""
    via = request.via
    ours = (("egress-zone", zone_token(zone)), *via.params.items, ("proxy-call-id", proxy_call_id))
    kept = tuple(item for item in ours if item[0] != "rport")
    return request.with_first("Via", str(Via(via.transport, via.host, via.port, Params((*kept, ("rport", None))))))


def record_routed(request: Request, proxy_call_id: str, came: End, leaves: End) -> Request:
    """With the transport and address of ours that it came to, and above them those that it leaves from."""
    for transport, (host, port) in (came, leaves):
        params = Params((("transport", transport.lower()), ("lr", None)))
        uri = SipUri(host, f"proxy-call-id={proxy_call_id}", port, params)
        request = request.push("Record-Route", f"<{uri}>")
    return request


def limited(request: Request, zone: Zone) -> Request:
    """With no more hops to go than the zone's HopCount allows."""
    if isinstance(zone, DefaultZone | LocalZone):
        return request
    left = request.number("Max-Forwards")
    return request.put("Max-Forwards", str(min(zone.hop_count, zone.hop_count if left is None else left)))


def preserves_parameters(source: Zone, target: Zone) -> bool:
    """Whether `SIP ParameterPreservation Mode` is on in all zones that count.

    A DNS zone does not: in seed 003 it has the mode off while the parameters survive (inbound problem 4, outbound
    problem 1).
    """
    counting = [zone for zone in (source, target) if not isinstance(zone, DnsZone | DefaultZone | LocalZone)]
    return all(zone.parameter_preservation for zone in counting)


def without_parameters(request: Request) -> Request:
    """As the B2BUA rewrites it: Contact keeps what RFC 3261 knows, and loses what others have put in."""
    contact = request.contact
    if contact is None:
        return request
    known = tuple(item for item in contact.params.items if item[0].lower() in ("q", "expires"))
    return request.with_first("Contact", str(NameAddr(contact.uri, Params(known))))
