"""Who stands where in a hybrid call, on one network of loopback, and how the Expressways are configured.

Strategy: a `Dial` has every setting that a scenario gets wrong, each right by default; the configurations of both
Expressways are made of it, as files that `sipalg locate` reads too. Names are those of DNS, so that only addresses
differ from one network to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.expressway.loading import parse_expressway
from harness.expressway.settings import Expressway
from harness.peers.cucm_settings import CucmSettings, EarlyOffer
from harness.peers.webex import WebexSettings
from harness.scenarios.hybrid import legs
from harness.scenarios.hybrid.legs import Leg
from harness.scenarios.stage import Network
from harness.sip.uri import Address

TRAVERSAL: Final = "Hybrid Call Service Traversal"
HYBRID_DNS: Final = "Hybrid Call Services DNS"
CUCM_ZONE: Final = "CUCM11"
CLUSTER: Final = "us-cucm.example.com"
"""CUCM's home cluster FQDN, which Webex puts into the Route."""
DOMAIN: Final = "example.com"
BOB: Final = f"bob@{DOMAIN}"
"""Directory URI of a phone inside."""
ALICE: Final = "alice@sub.call.ciscospark.com"
"""Webex's SIP address of somebody's app."""
BOB_AT_WEBEX: Final = "bob@sub.call.ciscospark.com"
"""The remote destination of the same person."""
CALL_SERVICE: Final = "callservice.ciscospark.com"
NAME_OF_E: Final = "expe.example.com"
"""Of Expressway-E, inside."""
SIP_DESTINATION: Final = "mtls.example.com"
"""What Control Hub has as the SIP destination."""
MTLS, TLS, ZONE_PORT, TRUNK_PORT, CUCM_PORT = 5062, 5061, 7003, 5060, 5065
CUCM_HOST, C_HOST, E_HOST, PUBLIC_HOST, WEBEX_HOST = 21, 2, 3, 64, 70
"""Numbers in the network."""

TOPOLOGY: Final = """\
phones --- CUCM ----------- Expressway-C ----------- Expressway-E ---- firewall ---- Webex (L2SIP)
           TCP 5065         traversal client         7003      5062                   5062
                            TLS                                mutual TLS
"""

_E = r"""
[system]
"SystemUnit Name" = "expe"
"Ethernet 1 IP V4 Address" = "{expe}"
"Ethernet 1 IP V4 StaticNAT Mode" = "{nat}"
"Ethernet 1 IP V4 StaticNAT Address" = "{public}"
"SIP MTLS Mode" = "{mtls}"
"SIP MTLS Port" = 5062

[[zone]]
Type = "TraversalServer"
Name = "Hybrid Call Service Traversal"
"SIP Port" = 7003
"SIP Transport" = "{zone_kind}"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP ParameterPreservation Mode" = "{preservation}"
"SIP TLS Verify Mode" = "On"
"SIP TLS Verify Subject Name" = "expc.example.local"

[[zone]]
Type = "DNS"
Name = "Hybrid Call Services DNS"
"Authentication Mode" = "TreatAsAuthenticated"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP TLS Verify Mode" = "On"
"SIP TLS Verify Subject Name" = "callservice.ciscospark.com"
"SIP TLS Verify InboundClassification" = "On"
"SIP DnsOverride Override" = "{override}"
"SIP DnsOverride Name" = "callservice.ciscospark.com"
"SIP Default Transport" = "{transport}"

[[zone]]
Type = "DNS"
Name = "DNS"

[[policy_rule]]
"Source pattern" = '{policy_source}'
"Destination pattern" = '{policy_destination}'
Action = "Reject"

[[search_rule]]
Name = "to DNS"
Priority = 100
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = '(?!.*@example\.com$|{cluster}).*'
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "DNS"

[[search_rule]]
Name = "Webex Hybrid"
Priority = 15
Protocol = "SIP"
"Source Mode" = "Named"
"Source Name" = "Hybrid Call Services DNS"
Progress = "Stop"
"Target Name" = "Hybrid Call Service Traversal"

[[search_rule]]
Name = "Webex Hybrid - to Webex Cloud"
Priority = {priority}
Protocol = "SIP"
"Source Mode" = "Named"
"Source Name" = "Hybrid Call Service Traversal"
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = '.*@.*\.ciscospark\.com'
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "Hybrid Call Services DNS"
"""

_C = r"""
[system]
"SystemUnit Name" = "expc"
"Ethernet 1 IP V4 Address" = "{expc}"
"SIP Domains" = ["example.com"]

[[zone]]
Type = "TraversalClient"
Name = "Hybrid Call Service Traversal"
"Peer Address" = ["expe.example.com"]
"SIP Port" = {zone_port}
"SIP Transport" = "{zone_kind}"
"SIP PreloadedSipRoutes Accept" = "{preloaded}"
"SIP ParameterPreservation Mode" = "On"
"SIP TLS Verify Mode" = "On"

[[zone]]
Type = "Neighbor"
Name = "CUCM11"
"Peer Address" = ["{cucm}"]
"SIP Port" = {cucm_port}
"SIP Transport" = "TCP"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP ParameterPreservation Mode" = "On"

[[search_rule]]
Name = "as is local"
Priority = 1
"Target Name" = "LocalZone"

[[search_rule]]
Name = "Hybrid Call Service Inbound Routing"
Priority = 2
Mode = "AliasPatternMatch"
"Pattern Type" = "Prefix"
"Pattern String" = "{cluster}"
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "CUCM11"

[[search_rule]]
Name = "Calls to Webex"
Priority = 90
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = '.*@.*\.ciscospark\.com'
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "Hybrid Call Service Traversal"
"""


@dataclass(frozen=True, slots=True)
class Dial:
    """The settings that decide whether a hybrid call comes through, and CUCM's and Webex's own."""

    mtls: bool = True
    """SIP MTLS Mode of Expressway-E."""
    preloaded: bool = True
    """SIP PreloadedSipRoutes Accept of Expressway-C's traversal zone."""
    preservation: bool = True
    """SIP ParameterPreservation Mode of Expressway-E's traversal zone."""
    override: bool = True
    """SIP DnsOverride Override of Expressway-E's zone for Webex."""
    priority: int = 99
    """Of the search rule to Webex; that to DNS has 100."""
    policy: tuple[str, str] = (r".*@sub\.call\.ciscospark\.com.*", ".*")
    """Source and destination of the call policy rule that rejects."""
    published: bool = True
    """The SRV record of the SIP destination."""
    business: bool = True
    """The SRV record of the domain in Webex's SIP addresses, for calls from business to business."""
    static_nat: bool = False
    """Expressway-E is behind a firewall that translates its address."""
    blocked_inbound: bool = False
    """The firewall drops what comes to port 5062."""
    blocked_outbound: bool = False
    """The firewall drops what leaves for port 5062."""
    cucm: CucmSettings = field(default=CucmSettings(early_offer=EarlyOffer.BEST_EFFORT, domain=DOMAIN))
    webex: WebexSettings = field(default=WebexSettings(ALICE.partition("@")[2], ALICE.partition("@")[0]))

    @property
    def silent_outside(self) -> bool:
        """Where Expressway-E looks for Webex nobody answers."""
        return self.blocked_outbound or not self.override


@dataclass(frozen=True, slots=True)
class Ground:
    """The addresses of one call."""

    network: Network
    strangers: Mapping[str, Address] = field(default_factory=dict)
    """Real peers."""
    certified: bool = False
    """They know our certificates."""

    @property
    def cucm(self) -> Address:
        """Where its trunk listens."""
        return self.strangers.get(legs.CUCM, (self.network.host(CUCM_HOST), CUCM_PORT))

    @property
    def trunk(self) -> Address:
        """Where CUCM sends calls: Expressway-C."""
        return self.strangers.get(legs.EXPRESSWAY_C, (self.network.host(C_HOST), TRUNK_PORT))

    @property
    def zone(self) -> Address:
        """Where Expressway-C connects its traversal zone to: Expressway-E."""
        return self.strangers.get(legs.EXPRESSWAY_E, (self.network.host(E_HOST), ZONE_PORT))

    @property
    def webex(self) -> Address:
        """Where Expressway-E sends calls, if nothing is wrong."""
        return self.strangers.get(legs.WEBEX, (self.webex_hosts[0], MTLS))

    @property
    def expc(self) -> str:
        """Expressway-C."""
        return self.trunk[0]

    @property
    def expe(self) -> str:
        """Expressway-E."""
        return self.zone[0]

    @property
    def public(self) -> str:
        """What the firewall makes of Expressway-E, in static NAT."""
        return self.network.host(PUBLIC_HOST)

    @property
    def webex_hosts(self) -> tuple[str, str]:
        """Webex's two servers; the first one is played."""
        return self.network.host(WEBEX_HOST), self.network.host(WEBEX_HOST + 1)

    @property
    def name_server(self) -> str:
        """Everybody's."""
        return self.network.host(53)

    def kind(self, leg: Leg) -> str:
        """TCP or TLS, which needs certificates that both ends know."""
        if leg is Leg.INSIDE:
            return "TCP"
        return "TLS" if self.certified or not legs.strange(leg, self.strangers) else "TCP"

    def outside_kind(self, dial: Dial) -> str:
        """What Expressway-E looks for Webex with: ports of ours that are silent may stand for a real one."""
        return "TLS" if dial.silent_outside else self.kind(Leg.OUTSIDE)

    def leg(self, name: str, local: Address, remote: Address) -> Leg:
        """Which leg a connection of one of us is on, by both its ends."""
        if name == legs.EXPRESSWAY_E:
            return Leg.ZONE if local[1] == ZONE_PORT else Leg.OUTSIDE
        if name == legs.EXPRESSWAY_C:
            return Leg.ZONE if remote == self.zone else Leg.INSIDE
        return Leg.OUTSIDE if name == legs.WEBEX else Leg.INSIDE

    def configurations(self, dial: Dial) -> tuple[str, str]:
        """Of Expressway-E and Expressway-C, as TOML."""
        values = {
            "expe": self.expe,
            "expc": self.expc,
            "public": self.public,
            "nat": _on(dial.static_nat),
            "mtls": _on(dial.mtls),
            "preloaded": _on(dial.preloaded),
            "preservation": _on(dial.preservation),
            "override": _on(dial.override),
            "priority": dial.priority,
            "policy_source": dial.policy[0],
            "policy_destination": dial.policy[1],
            "transport": self.outside_kind(dial),
            "zone_kind": self.kind(Leg.ZONE),
            "zone_port": self.zone[1],
            "cluster": CLUSTER,
            "cucm": self.cucm[0],
            "cucm_port": self.cucm[1],
        }
        return _E.format(**values), _C.format(**values)

    @staticmethod
    def parse(texts: tuple[str, str]) -> tuple[Expressway, Expressway]:
        """As the peers take them."""
        return parse_expressway(texts[0], "expressway-e.toml"), parse_expressway(texts[1], "expressway-c.toml")


def _on(switch: bool) -> str:
    return "On" if switch else "Off"
