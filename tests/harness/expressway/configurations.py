"""Two Expressways as a hybrid call service has them, each with one mistake that a test can put in or take out."""

from __future__ import annotations

from harness.expressway.loading import parse_expressway
from harness.expressway.settings import Expressway

TRAVERSAL = "Hybrid Call Service Traversal"
HYBRID_DNS = "Hybrid Call Services DNS"
ENDLESS = "(a|aa)+$"
"""An expression of which nobody can tell whether it matches AND_SO_ON."""
AND_SO_ON = "a" * 60 + "@example.com"
WEBEX_ALIAS = "bob-test@dmzlab.call.ciscospark.com"

_EXPRESSWAY_E = r"""
[system]
"SystemUnit Name" = "amer-expressway01"
"Ethernet 1 IP V4 Address" = "192.168.1.6"
"Ethernet 2 IP V4 Address" = "172.16.2.2"
"SIP MTLS Mode" = "On"

[[zone]]
Type = "DNS"
Name = "DNS"

[[zone]]
Type = "DNS"
Name = "Hybrid Call Services DNS"
"SIP PreloadedSipRoutes Accept" = "On"
"SIP TLS Verify Mode" = "On"
"SIP TLS Verify Subject Name" = "callservice.ciscospark.com"
"SIP TLS Verify InboundClassification" = "{classification}"
"SIP DnsOverride Override" = "{override}"
"SIP DnsOverride Name" = "callservice.ciscospark.com"

[[zone]]
Type = "TraversalServer"
Name = "Hybrid Call Service Traversal"
"SIP Port" = 7003
"SIP PreloadedSipRoutes Accept" = "On"

[[policy_rule]]
"Source pattern" = '{source}'
"Destination pattern" = '{destination}'
Action = "Reject"

[[search_rule]]
Name = "to DNS"
Priority = 100
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = "(?!.*@%localdomains%.*$).*"
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "DNS"

[[search_rule]]
Name = "Webex Hybrid"
Priority = 15
Protocol = "SIP"
"Source Mode" = "Named"
"Source Name" = "Hybrid Call Services DNS"
Mode = "AnyAlias"
Progress = "Stop"
"Target Name" = "Hybrid Call Service Traversal"

[[search_rule]]
Name = "B2B calls to VCS-C"
Priority = 10
Mode = "AliasPatternMatch"
"Pattern Type" = "Regex"
"Pattern String" = '.*@rtp\.example\.net'
"Pattern Behavior" = "Leave"
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

_EXPRESSWAY_C = """
[system]
"SystemUnit Name" = "rtp12-VCSC"
"Ethernet 1 IP V4 Address" = "192.168.1.5"
"SIP Domains" = ["rtp.example.net"]

[[zone]]
Type = "TraversalClient"
Name = "Hybrid Call Service Traversal"
"Peer Address" = ["amer-expressway01.example.net"]
"SIP Port" = 7003
"SIP PreloadedSipRoutes Accept" = "{preloaded}"

[[zone]]
Type = "Neighbor"
Name = "CUCM11"
"Peer Address" = ["192.168.1.21"]
"SIP Port" = 5065
"SIP Transport" = "TCP"

[[search_rule]]
Name = "Hybrid Call Service Inbound Routing"
Priority = 2
Mode = "AliasPatternMatch"
"Pattern Type" = "{type}"
"Pattern String" = "cucm.rtp.example.net"
"Pattern Behavior" = "Leave"
Progress = "Stop"
"Target Name" = "CUCM11"

[[search_rule]]
Name = "as is local"
Priority = 1
"Target Name" = "LocalZone"
"""


def expressway_e(
    *,
    priority: int = 99,
    source: str = r".*@dmzlab\.call\.ciscospark\.com.*",
    destination: str = ".*",
    override: str = "On",
    classification: str = "On",
) -> Expressway:
    """An Expressway-E that sends calls to Webex as it should."""
    text = _EXPRESSWAY_E
    values = {
        "priority": str(priority),
        "source": source,
        "destination": destination,
        "override": override,
        "classification": classification,
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return parse_expressway(text, "expressway-e")


def expressway_c(*, preloaded: str = "On", pattern_type: str = "Prefix") -> Expressway:
    """An Expressway-C that sends calls from Webex to the CUCM cluster that their Route names."""
    return parse_expressway(
        _EXPRESSWAY_C.replace("{preloaded}", preloaded).replace("{type}", pattern_type), "expressway-c"
    )
