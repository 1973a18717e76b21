"""The hybrid connectivity test of Control Hub: DNS look-up, and for the address a socket, TLS and a ping (seed 003).

Strategy: Webex's server does what it does for a call, step by step; each step is Successful, Failed with a detail, or
Not performed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.peers.webex import Webex
from harness.sip.exchange import NoResponse
from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.resolve import Locate, NotFound
from harness.sip.uri import Params, SipUri

SUCCESSFUL: Final = "Successful"
NOT_PERFORMED: Final = "Not performed"
NO_SOCKET: Final = (
    "Failed: TCP Connection failure: Check network connectivity, connection speed, and/or firewall configuration."
)
NO_NAME: Final = "Failed: no SRV record and no address"
NO_HANDSHAKE: Final = "Failed"
DNS, CONNECTING, SOCKET, HANDSHAKE, PING = (
    f"connectivity test, {test}" for test in ("DNS look-up", "Connecting to IP", "Socket test", "SSL Handshake", "Ping")
)
SYN: Final = "SYN to port 5062"
NO_SYN, ANSWERED, REFUSED, REPEATED = "none", "answered", "answered with RST", "repeated and never answered"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    results: Mapping[str, str]
    targets: tuple[Target, ...]
    """Where calls can be placed; none if there is no connection."""


async def check_connectivity(
    webex: Webex, locate: Locate, destination: str, repeats: Callable[[Target], int], kind: str = "TLS"
) -> Report:
    """Test a SIP destination, a domain or `address:port`; `repeats` tells how often a SYN was sent again.

    Over TCP there is no handshake, which is Not performed.
    """
    results = dict.fromkeys((DNS, CONNECTING, SOCKET, HANDSHAKE, PING), NOT_PERFORMED)
    results[SYN] = NO_SYN
    host, _, port = destination.partition(":")
    uri = SipUri(host, None, int(port) if port else None, Params((("transport", kind.lower()),)))
    try:
        found = await locate(uri)
    except NotFound:
        results[DNS] = NO_NAME
        return Report(results, ())
    targets = tuple(Target(each.transport, each.host, each.port) for each in found)
    results |= {DNS: SUCCESSFUL, CONNECTING: SUCCESSFUL}
    try:
        await webex.element.transport.flow_to(targets[0])
    except FlowFailed as failure:
        if failure.loss in (Loss.TIMEOUT, Loss.REFUSED):
            results[SOCKET] = NO_SOCKET
            results[SYN] = REFUSED
            if failure.loss is Loss.TIMEOUT:
                results[SYN] = REPEATED if repeats(targets[0]) else "never answered"
        else:
            results |= {SOCKET: SUCCESSFUL, HANDSHAKE: NO_HANDSHAKE, SYN: ANSWERED}
        return Report(results, ())
    results |= {SOCKET: SUCCESSFUL, SYN: ANSWERED}
    if kind == "TLS":
        results[HANDSHAKE] = SUCCESSFUL
    asked = f"sip:{targets[0].host}:{targets[0].port};transport={kind.lower()}"
    outcome = await webex.agent.ask("OPTIONS", asked, where=targets)
    good = not isinstance(outcome, NoResponse) and outcome.success
    results[PING] = SUCCESSFUL if good else "Failed"
    return Report(results, targets)
