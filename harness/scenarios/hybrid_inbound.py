"""Calls from Webex that fail although the certificates are right: seed 003, inbound, problems 1 to 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.scenarios.hybrid import connectivity as test
from harness.scenarios.hybrid.acts import call_in, call_in_with_fork
from harness.scenarios.hybrid.declaring import WORKS, declared
from harness.scenarios.hybrid.ground import BOB, CLUSTER, Dial
from harness.scenarios.hybrid.seeing import (
    ANSWER,
    ARRIVES,
    ASKED,
    AT_CUCM,
    AT_EXPC,
    CALLED,
    CONNECTIONS,
    NEVER,
    NONE,
    NOTHING,
    PARAMETER_BETWEEN,
    PARAMETER_IN,
    PARAMETER_OUT,
    TOASTS,
    WARNING,
)
from harness.scenarios.hybrid.silence import SILENCE
from harness.scenarios.scenario import Scenario, says, says_nothing_of

_GUIDE: Final = "Cisco, Troubleshoot Webex Hybrid Call Service Connect: inbound, problem {}"
_EXPE, _EXPC = "Expressway-E", "Expressway-C"
_NO_CALL: Final = {ANSWER: NOTHING, AT_EXPC: NEVER, AT_CUCM: NEVER, CONNECTIONS: NONE}
_REACHED: Final[Mapping[str, str]] = {
    **WORKS,
    **{AT_EXPC: ARRIVES, AT_CUCM: ARRIVES, CONNECTIONS: "some"},
    **{test.DNS: test.SUCCESSFUL, test.SOCKET: test.SUCCESSFUL, test.HANDSHAKE: test.SUCCESSFUL},
    **{test.PING: test.SUCCESSFUL, test.SYN: test.ANSWERED},
}
_NO_SOCKET: Final = {
    **{test.DNS: test.SUCCESSFUL, test.CONNECTING: test.SUCCESSFUL, test.SOCKET: test.NO_SOCKET},
    **{test.HANDSHAKE: test.NOT_PERFORMED, test.PING: test.NOT_PERFORMED},
    **_NO_CALL,
}
_SEARCHED: Final = (
    "Considering search rule 'Hybrid Call Service Inbound Routing' towards target 'CUCM11' at priority '2' with alias "
    f"'{CLUSTER};lr'"
)
_NAT: Final = Dial(static_nat=True)

SCENARIOS: Final[tuple[Scenario, ...]] = (
    declared(
        "I1",
        "sip-destination-not-resolved",
        "Webex finds no SRV record for the SIP destination in Control Hub",
        source=_GUIDE.format(1),
        happens="The SIP destination is a domain, and public DNS has no `_sips._tcp` record for it. Webex has nowhere "
        "to connect to; nothing is sent at all.",
        look="No traffic from Webex on Expressway-E, and none on the firewall either. The connectivity test in Control "
        "Hub ends at the DNS look-up; nslookup for the SRV record from outside finds nothing.",
        wireshark='dns.flags.rcode == 3 && dns.qry.name contains "_sips._tcp"',
        cure="Publish the SRV record with port 5062, or give an address with `:5062` as the SIP destination.",
        act=call_in,
        broken=Dial(published=False),
        failure={**_NO_CALL, test.DNS: test.NO_NAME, test.CONNECTING: test.NOT_PERFORMED, ASKED: "yes"},
        success=_REACHED,
        more=(says_nothing_of(_EXPE, 'Dst-port="5062"'),),
    ),
    declared(
        "I2",
        "mutual-tls-port-blocked-inbound",
        "a firewall drops what comes to port 5062 of Expressway-E",
        source=_GUIDE.format(2),
        happens="Webex connects to the public address of Expressway-E. The firewall drops the SYN; it is sent again "
        "and again, until Webex gives up.",
        look="Nothing on Expressway-E: no `TCP Connecting` with Dst-port 5062 in its log, no SYN in its capture. The "
        "connectivity test fails at the socket. A capture outside the firewall has the SYNs.",
        wireshark="tcp.dstport == 5062 && tcp.analysis.retransmission",
        cure="Open port 5062 to Expressway-E in the firewall (ACL, NAT, routing).",
        act=call_in,
        broken=replace(_NAT, blocked_inbound=True),
        fixed=_NAT,
        failure={**_NO_SOCKET, test.SYN: test.REPEATED},
        success=_REACHED,
        more=(says_nothing_of(_EXPE, 'Dst-port="5062"'),),
        needs=(SILENCE,),
    ),
    declared(
        "I3",
        "mutual-tls-port-closed",
        "Expressway-E does not listen on port 5062: mutual TLS mode is off",
        source=_GUIDE.format(3),
        happens="Mutual TLS mode is off, as it is by default. The SYN from Webex reaches Expressway-E, which answers "
        "with a reset.",
        look="As if a firewall were in the way: the connectivity test fails at the socket, the log of Expressway-E is "
        "silent. But its capture has the SYN, and a RST at once; `netstat -an` shows no listener on 5062.",
        wireshark="tcp.srcport == 5062 && tcp.flags.reset == 1",
        cure="Mutual TLS mode On and mutual TLS port 5062, in Configuration > Protocols > SIP.",
        act=call_in,
        broken=Dial(mtls=False),
        failure={**_NO_SOCKET, test.SYN: test.REFUSED},
        success=_REACHED,
        more=(says_nothing_of(_EXPE, 'Dst-port="5062"'),),
    ),
    declared(
        "I4",
        "preloaded-route-rejected",
        "Expressway-C does not accept preloaded SIP routes in its traversal zone",
        source=_GUIDE.format(4),
        happens="Webex's INVITE has a Route with the home cluster of the phone, by which it is to be routed. "
        "Expressway-E passes it on; Expressway-C's traversal client zone has preloaded SIP routes support off, and "
        "rejects it.",
        look="INVITE in the log of Expressway-C, and 404 at once, with `Policy Response` in its Warning. No line of "
        "network.search in between: no rule was looked at. With the setting off on Expressway-E, the same happens "
        "there, and Expressway-C hears nothing.",
        wireshark="sip.Status-Code == 404",
        cure="SIP PreloadedSipRoutes Accept: On, in every zone that the call comes in through.",
        act=call_in,
        broken=Dial(preloaded=False),
        failure={
            **{ANSWER: "404 Not Found", WARNING: "Policy Response", CALLED: f"sip:{BOB}"},
            **{AT_EXPC: ARRIVES, AT_CUCM: NEVER},
        },
        success={**_REACHED, CALLED: f"sip:{BOB}"},
        log=(
            'Detail="Receive Request Method=INVITE',
            'Event="Search Completed" Reason="Not Found"',
            'Event="Call Rejected"',
            'Detail="Sending Response Code=404, Method=INVITE',
        ),
        more=(
            says(_EXPC, f"Route: <sip:{CLUSTER};lr>"),
            says(_EXPC, "|SIP/2.0 404 Not Found"),
            says(_EXPC, "Info:Policy Response"),
            says_nothing_of(_EXPC, 'Module="network.search"'),
        ),
        cured=(says(_EXPC, _SEARCHED), says(_EXPC, 'Module="network.cpl"')),
        log_of=_EXPC,
    ),
    declared(
        "I5",
        "two-notifications",
        "parameter preservation is off in a zone: the called person's app announces the call twice",
        source=_GUIDE.format(5),
        happens="Webex marks its own calls with the Contact parameter `call-type=squared`. CUCM rings the phone and, "
        "for the remote destination of the same person, calls Webex. Webex would drop that fork by the parameter; but "
        "the B2BUA of Expressway-E has removed it, and the app announces the call again.",
        look="The call works. The INVITE has `call-type=squared` in its Contact where Expressway-E receives it, and "
        "not where it sends it; `egress-zone` in the topmost Via names the zone. Check Expressway-C's zones as well.",
        wireshark='tcp.dstport == 5065 && sip.Method == "INVITE" && !(sip.msg_hdr contains "call-type=squared")',
        cure="SIP ParameterPreservation Mode: On, in every zone that the call crosses.",
        act=call_in_with_fork,
        broken=Dial(preservation=False),
        failure={
            **{ANSWER: "200 OK", PARAMETER_IN: "squared", PARAMETER_BETWEEN: "gone", PARAMETER_OUT: "gone"},
            TOASTS: "2",
        },
        success={
            **_REACHED,
            **{PARAMETER_IN: "squared", PARAMETER_BETWEEN: "squared", PARAMETER_OUT: "squared", TOASTS: "1"},
        },
        more=(says(_EXPE, "egress-zone=HybridCallServiceTraversal"),),
    ),
)
"""In the order of the guide."""
