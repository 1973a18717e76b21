"""network.tcp, network.dns, network.search and network.cpl: connections, look-ups, and how a call found its zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.expressway.log.entry import Address, Entry, Part
from harness.expressway.search import NOT_FOUND, Candidate, Outcome, Plan
from harness.expressway.settings import Callers, PolicyRule, SourceType

_FILTERED = {
    Outcome.SOURCE: "Search rule '{name}' ignored due to source filtering",
    Outcome.NO_MATCH: "Search rule '{name}' did not match destination alias '{alias}'",
}
"""What is logged of a rule that is not considered. Of other reasons no line is known."""

_ORIGINS = {Callers.AUTHENTICATED: "authenticated-origin", Callers.UNAUTHENTICATED: "unauthenticated-origin"}
"""Attributes of a rule in the CPL that call policy rules are turned into."""


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """An SRV record that an answer had (RFC 2782)."""

    host: str
    port: int
    priority: int = 5
    weight: int = 10
    ttl: int = 300
    """seconds"""


def tcp_connecting(source: Address, destination: Address) -> Entry:
    """A connection is being made; the source is whoever makes it."""
    return _tcp("DEBUG", source, destination, ("Detail", "TCP Connecting"))


def tcp_established(source: Address, destination: Address) -> Entry:
    """A connection stands."""
    return _tcp("DEBUG", source, destination, ("Detail", "TCP Connection Established"))


def tcp_failed(source: Address, destination: Address) -> Entry:
    """A connection was refused, or nobody answered."""
    return _tcp("ERROR", source, destination, ("Detail", "TCP Connection Failed"))


def tcp_closed(source: Address, destination: Address, reason: str) -> Entry:
    """A connection is gone; `Got EOF on socket` if the other side closed it."""
    return _tcp("DEBUG", source, destination, ("Detail", "TCP Connection Closed"), ("Reason", reason))


def dns_query(name: str, kind: str) -> Entry:
    """A question of a kind such as SRV or NAPTR."""
    return _dns(("Detail", "Sending DNS query"), ("Name", name), ("Type", f"{kind} (IPv4 and IPv6)"))


def dns_failed() -> Entry:
    """A question without an answer."""
    return _dns(("Detail", "Could not resolve hostname"))


def dns_resolved(addresses: Sequence[Address], services: Sequence[ServiceRecord]) -> Entry:
    """An SRV answer, and the addresses behind it."""
    found = [f"{socket_address(address)} (A/AAAA)" for address in addresses]
    found += [
        f"Hostname:'{record.host}' Port:'{record.port}' Priority:'{record.priority}' TTL:'{record.ttl}' "
        f"Weight:'{record.weight}' (SRV)"
        for record in services
    ]
    count = f"Number of relevant records retrieved: {len(found)}"
    return _dns(("Detail", f"Resolved hostname to: {' '.join([*found, count])}"))


def socket_address(address: Address) -> str:
    """An address as the product prints one of TCP."""
    return f"['IPv4''TCP''{address[0]}:{address[1]}']"


def search_filtered(plan: Plan) -> list[Entry]:
    """The rules that are not considered; they come before the first one that is."""
    return [
        _search(_FILTERED[candidate.outcome].format(name=candidate.rule.name, alias=plan.alias))
        for candidate in plan.candidates
        if candidate.outcome in _FILTERED
    ]


def search_undecided(plan: Plan) -> list[Entry]:
    """The patterns that count as not matching since a comparison took too long. The words are ours."""
    return [Entry("network.search", "ERROR", (("Detail", text),)) for text in plan.undecided]


def search_considering(plan: Plan, candidate: Candidate) -> Entry:
    """A rule whose zone is asked next."""
    rule = candidate.rule
    return _search(
        f"Considering search rule '{rule.name}' towards target '{rule.target}' at priority '{rule.priority}' "
        f"with alias '{plan.alias}'"
    )


def policy_lines(plan: Plan, remote: Address) -> list[Entry]:
    """What call policy did, if it had anything to do: rules of its own, or a preloaded Route to put in."""
    request, rule = plan.request, plan.decision.rule
    if plan.rejection is NOT_FOUND or (rule is None and request.route is None):
        return []
    said = ["<routed> "]
    if rule is not None:
        said += ["<rule-switch>  ", f"{_rule_element(rule)} matched "]
    if not plan.decision.allowed:
        said.append("<reject/> ")
    else:
        if request.route is not None:
            said.append(
                f'<location clear="yes" url="{request.route}" diversion="" dest-url-for-message="sip:{request.alias}" '
                f'sip-route-set="" dest-service=""> added {request.route} to location set '
            )
        said.append('<proxy stop-on-busy="no" timeout="0"/> ')
    return [_cpl(remote, text) for text in said]


def _rule_element(rule: PolicyRule) -> str:
    """A call policy rule as CPL."""
    if rule.source_type is SourceType.ZONE:
        origin = f'originating-zone="{rule.zone}"'
    else:
        origin = f'{_ORIGINS[rule.callers]}="{rule.source}"'
    return f'<rule {origin} destination="{rule.destination}" message-regex="">'


def _tcp(level: str, source: Address, destination: Address, *said: Part) -> Entry:
    ends: tuple[Part, ...] = (
        ("Src-ip", source[0]),
        ("Src-port", source[1]),
        ("Dst-ip", destination[0]),
        ("Dst-port", destination[1]),
    )
    return Entry("network.tcp", level, (*ends, *said))


def _dns(*parts: Part) -> Entry:
    return Entry("network.dns", "DEBUG", parts)


def _search(text: str) -> Entry:
    return Entry("network.search", "DEBUG", (("Detail", text),))


def _cpl(remote: Address, text: str) -> Entry:
    parts: tuple[Part, ...] = (("Remote-ip", remote[0]), ("Remote-port", remote[1]), ("Detail", f"CPL: {text}"))
    return Entry("network.cpl", "DEBUG", parts)
