"""What real peers have to do in calls between Webex and on-premises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alg.direction import Direction
from harness.scenarios.hybrid.ground import (
    ALICE,
    BOB,
    C_HOST,
    CUCM_HOST,
    CUCM_PORT,
    E_HOST,
    MTLS,
    PUBLIC_HOST,
    SIP_DESTINATION,
    TRUNK_PORT,
    WEBEX_HOST,
    ZONE_PORT,
)
from harness.scenarios.hybrid.legs import CUCM, EXPRESSWAY_C, EXPRESSWAY_E, WEBEX
from harness.scenarios.hybrid.names import PORT, PORT_OF_DNS
from harness.scenarios.scenario import Part

_SET_UP: Final = (
    "It is set up wrong for the failure, where the fault is its own, and right for the cure; names are looked up at "
    f"host 53, port {PORT}, and if we are root at port {PORT_OF_DNS} as well"
)
_AS_TOLD: Final = "what it offers, answers and reads is what is told above, of the failure or of the cure"
_C: Final = Part(
    EXPRESSWAY_C,
    C_HOST,
    f"TCP {TRUNK_PORT}",
    f"connects its traversal zone to host {E_HOST}, port {ZONE_PORT}, over TLS if there is --certs and over TCP if "
    f"not, and sends OPTIONS through it; takes calls to {ALICE} from CUCM at HOST:PORT over TCP and sends them through "
    f"the zone, and those that come through it to host {CUCM_HOST}, port {CUCM_PORT}, over TCP. {_SET_UP}",
)
_E: Final = Part(
    EXPRESSWAY_E,
    E_HOST,
    f"TLS {ZONE_PORT} and {MTLS}",
    "has its traversal zone at HOST:PORT, over TLS if there is --certs and over TCP if not, and answers the OPTIONS "
    f"that come through it; takes calls to {BOB} from Webex at HOST:{MTLS} and sends them through the zone, by the "
    f"connection that stands, and those to {ALICE} to host {WEBEX_HOST}, port {MTLS}. With a firewall in the scenario "
    f"Webex knows it as host {PUBLIC_HOST}. {_SET_UP}",
)
PARTS: Final[Mapping[Direction, tuple[Part, ...]]] = {
    Direction.INWARD: (
        Part(CUCM, CUCM_HOST, f"TCP {CUCM_PORT}", f"answers OPTIONS and the call over TCP; {_AS_TOLD}"),
        _C,
        _E,
        Part(
            WEBEX,
            WEBEX_HOST,
            f"TLS {MTLS}",
            f"looks up the SRV record of {SIP_DESTINATION} in DNS, which is at host 53, port {PORT}: it has host "
            f"{E_HOST}, port {MTLS}, or host {PUBLIC_HOST}, same port, if there is a firewall that translates, or "
            f"nothing if that is the failure; calls {BOB} there over mutual TLS when it is asked to, with a Route that "
            "names the cluster and with `Contact: <sip:...>;call-type=squared`, a parameter of the header field, which "
            "stands behind the angle brackets, and hangs up; whether it knocks at a port that is closed is seen by "
            f"root alone; {_AS_TOLD}",
            tls=True,
        ),
    ),
    Direction.OUTWARD: (
        Part(
            CUCM,
            CUCM_HOST,
            f"TCP {CUCM_PORT}",
            f"answers OPTIONS at HOST:PORT, and calls {ALICE} at host {C_HOST}, port {TRUNK_PORT}, over TCP from HOST "
            f"when it is asked to, and hangs up; {_AS_TOLD}",
        ),
        _C,
        _E,
        Part(
            WEBEX,
            WEBEX_HOST,
            f"TLS {MTLS}",
            "answers the call, over mutual TLS if there is --certs and over TCP if not, and declines with 603 what "
            f"nobody acknowledges; it has one address, HOST: a second one of Webex, host {WEBEX_HOST + 1}, is in DNS "
            f"only where a firewall drops what goes to both; {_AS_TOLD}",
        ),
    ),
}
"""Of calls that go one way."""
