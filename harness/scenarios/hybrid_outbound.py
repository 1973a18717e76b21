"""Calls from a phone that fail although the certificates are right: seed 003, outbound, problems 1 to 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.scenarios.hybrid.acts import call_out
from harness.scenarios.hybrid.declaring import WORKS, declared
from harness.scenarios.hybrid.ground import ALICE, Dial
from harness.scenarios.hybrid.legs import WEBEX
from harness.scenarios.hybrid.seeing import ANSWER, ARRIVES, AT_WEBEX, NEVER, NONE, TRIED, WARNING
from harness.scenarios.hybrid.silence import SILENCE
from harness.scenarios.scenario import Scenario, says, says_nothing_of

_GUIDE: Final = "Cisco, Troubleshoot Webex Hybrid Call Service Connect: outbound, problem {}"
_EXPE: Final = "Expressway-E"
_REACHED: Final[Mapping[str, str]] = {**WORKS, AT_WEBEX: ARRIVES, TRIED: NONE}
_TO_WEBEX: Final = (
    "Considering search rule 'Webex Hybrid - to Webex Cloud' towards target 'Hybrid Call Services DNS' at priority "
    f"'99' with alias '{ALICE}'"
)
_TO_DNS: Final = f"Considering search rule 'to DNS' towards target 'DNS' at priority '100' with alias '{ALICE}'"
_ASKED: Final = 'Detail="Sending DNS query" Name="_sips._tcp.{}" Type="SRV (IPv4 and IPv6)"'
_OVERRIDDEN: Final = _ASKED.format("callservice.ciscospark.com")
_NOT_OVERRIDDEN: Final = _ASKED.format("sub.call.ciscospark.com")
_FAILED: Final = 'Detail="TCP Connection Failed"'
_NO_ANSWER: Final = {ANSWER: "408 Request Timeout", WARNING: "Request Timeout", AT_WEBEX: NEVER}
_SEARCH_RULE: Final = "Considering search rule"

SCENARIOS: Final[tuple[Scenario, ...]] = (
    declared(
        "O1",
        "dns-override-off",
        "the DNS zone asks for the domain of the Request-URI, and gets the wrong port",
        source=_GUIDE.format(1),
        happens="DNS override is off: Expressway-E asks for the SRV record of the domain in Webex's SIP address. That "
        "one is for calls from business to business, and says port 5061, which is not open for hybrid calls.",
        look="`Resolved hostname to` with port 5061; `TCP Connecting`, and `TCP Connection Failed` seconds later. In "
        "the capture a SYN to 5061 that is sent again and again.",
        wireshark="tcp.dstport == 5061 && tcp.flags.syn == 1",
        cure="Modify DNS request: On, domain to search for `callservice.ciscospark.com`, in the DNS zone to Webex.",
        act=call_out,
        broken=Dial(override=False),
        failure={**_NO_ANSWER, TRIED: "l2sip-01:5061"},
        success=_REACHED,
        log=(_NOT_OVERRIDDEN, ":5061']", 'Dst-port="5061" Detail="TCP Connecting"', _FAILED),
        more=(says(_EXPE, "Port:'5061'"), says_nothing_of(_EXPE, 'Dst-port="5062" Detail="TCP Connecting"')),
        cured=(says(_EXPE, _OVERRIDDEN, WEBEX), says(_EXPE, "Port:'5062'", WEBEX), says_nothing_of(_EXPE, _FAILED)),
        needs=(SILENCE,),
    ),
    declared(
        "O2",
        "mutual-tls-port-blocked-outbound",
        "a firewall drops what Expressway-E sends to port 5062 of Webex",
        source=_GUIDE.format(2),
        happens="Search rule and DNS are right. Expressway-E connects to Webex's first address and to its second one, "
        "and neither answers, as a firewall drops the SYNs.",
        look="`TCP Connecting` to port 5062 for each address that DNS gave, and `TCP Connection Failed` for each. In "
        "the capture SYNs with their repetitions and nothing else.",
        wireshark="tcp.dstport == 5062 && tcp.analysis.retransmission",
        cure="Let Expressway-E reach Webex's addresses on port 5062.",
        act=call_out,
        broken=Dial(blocked_outbound=True),
        failure={**_NO_ANSWER, TRIED: "l2sip-01:5062, l2sip-02:5062"},
        success=_REACHED,
        log=(_OVERRIDDEN, 'Dst-port="5062" Detail="TCP Connecting"', _FAILED),
        more=(says(_EXPE, _TO_WEBEX), says(_EXPE, "Number of relevant records retrieved: 4")),
        cured=(says_nothing_of(_EXPE, _FAILED),),
        needs=(SILENCE,),
    ),
    declared(
        "O3",
        "search-rule-order",
        "a general search rule comes before the one to Webex, and stops the search",
        source=_GUIDE.format(3),
        happens="The rule `to DNS` has priority 100, matches any domain that is not local, and stops on match. The "
        "rule to Webex has 101: it is never considered. DNS does not have the address, and the answer is 404.",
        look="`Considering search rule 'to DNS'`, a DNS query for the domain of the Request-URI, and 404. The rule to "
        "Webex is not mentioned. `sipalg locate` shows it as never considered.",
        wireshark="sip.Status-Code == 404",
        cure="Give the more specific rule the lower number, such as 99.",
        act=call_out,
        broken=Dial(priority=101, business=False),
        fixed=Dial(business=False),
        failure={ANSWER: "404 Not Found", WARNING: "Policy Response", AT_WEBEX: NEVER},
        success=_REACHED,
        log=(_TO_DNS, _NOT_OVERRIDDEN, 'Detail="Could not resolve hostname"'),
        more=(
            says_nothing_of(_EXPE, "search rule 'Webex Hybrid - to Webex Cloud'"),
            says(_EXPE, "|SIP/2.0 404 Not Found"),
        ),
        cured=(says(_EXPE, _TO_WEBEX), says_nothing_of(_EXPE, "search rule 'to DNS' towards")),
    ),
    declared(
        "O4",
        "call-policy-swapped",
        "source and destination of a call policy rule are swapped, and calls to Webex are forbidden",
        source=_GUIDE.format(4),
        happens="The rule is to keep strangers from calling under Webex's names: source "
        "`.*@sub.call.ciscospark.com.*`, destination `.*`, Reject. Swapped, it forbids everybody to call Webex.",
        look="403 at once, with `Policy Response` in its Warning. network.cpl says which rule matched and `<reject/>`; "
        "there is no line of network.search, as call policy comes before the search rules.",
        wireshark="sip.Status-Code == 403",
        cure="Source `.*@sub.call.ciscospark.com.*` and destination `.*`.",
        act=call_out,
        broken=Dial(policy=(".*", r".*@sub\.call\.ciscospark\.com.*")),
        failure={ANSWER: "403 Forbidden", WARNING: "Policy Response", AT_WEBEX: NEVER},
        success=_REACHED,
        log=(
            "CPL: <reject/>",
            'Event="Search Completed" Reason="Forbidden"',
            'Event="Call Rejected"',
            'Response-code="403"',
        ),
        more=(says(_EXPE, "|SIP/2.0 403 Forbidden"), says_nothing_of(_EXPE, _SEARCH_RULE)),
        cured=(says(_EXPE, _TO_WEBEX),),
    ),
)
"""In the order of the guide."""
