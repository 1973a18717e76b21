"""Kamailio as an Expressway-C or an Expressway-E of a hybrid call, with a traversal zone over TCP or over TLS.

Strategy: one logic for either. Whoever sends a call is known by the last number of his address, and the others are in
the same network, at the hosts that `sipalg scenario show` tells. A connection that came in is used for the way back, as
a traversal zone has to be. OPTIONS over UDP are sent on to where they say.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e import kamailio
from tests.e2e.kamailio import free_port, shown

_MTLS: Final = 5062
_OWN_PORTS: Final = {"tcp": 5060, "tls": 5061}
"""By which our Expressway-C calls itself in a Via."""
_ORDER: Final = re.compile(r"connect the traversal zone to ([\d.]+:\d+) over (TCP|TLS), and send OPTIONS")
_ATTEMPTS: Final = 40
_AGAIN: Final = 1.0
"""Seconds until OPTIONS are sent again."""
_MODULES: Final = ("tm", "sl", "rr", "pv", "textops", "siputils")
_ROUTE: Final = """\
modparam("rr", "enable_double_rr", 1)
modparam("tm", "fr_timer", 500)
modparam("tm", "fr_inv_timer", 5000)
request_route {
    force_tcp_alias();
    if (is_method("OPTIONS")) {
        if ($pr == "udp") { t_relay(); } else { sl_send_reply("200", "OK"); }
        exit;
    }
    if (has_totag()) { loose_route(); t_relay(); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    record_route();
    $var(net) = "sip:" + $(si{s.select,0,.}) + "." + $(si{s.select,1,.}) + "." + $(si{s.select,2,.});
    switch ($(si{s.select,3,.}{s.int})) {
        case 21: $du = $var(net) + ".3:7003;transport=KIND"; break;
        case 3: $du = $var(net) + ".21:5065;transport=tcp"; break;
        case 2: $du = $var(net) + ".70:5062;transport=KIND"; break;
        case 70: $du = $var(net) + ".2:OWN;transport=KIND"; break;
    }
    t_relay();
}
"""
_OPTIONS: Final = """\
OPTIONS sip:{zone};transport={kind} SIP/2.0
Via: SIP/2.0/UDP {here};branch=z9hG4bK{token};rport
Max-Forwards: 70
From: <sip:test@example.com>;tag=1
To: <sip:expe.example.com>
Call-ID: {token}@example.com
CSeq: 1 OPTIONS
Content-Length: 0

"""


@dataclass(frozen=True)
class HybridExpressway:
    """A running one."""

    host: str
    port: int
    """Where calls come from CUCM, or the traversal zone from Expressway-C."""

    def obey(self, order: str) -> None:
        """Connect a traversal zone, and send OPTIONS through it; again, if nobody answers."""
        zone = _ORDER.search(order)
        assert zone is not None, order
        with closing(socket.socket(type=socket.SOCK_DGRAM)) as telling:
            telling.bind((self.host, 0))
            telling.settimeout(_AGAIN)
            here = "{}:{}".format(*telling.getsockname())
            for attempt in range(_ATTEMPTS):
                token = f"{zone[1].replace(':', 'x')}-{attempt}"
                text = _OPTIONS.format(zone=zone[1], kind=zone[2].lower(), here=here, token=token)
                telling.sendto(text.replace("\n", "\r\n").encode(), (self.host, self.port))
                with suppress(TimeoutError):
                    if telling.recv(65535).startswith(b"SIP/2.0 200"):
                        return
        raise AssertionError(f"nobody answers OPTIONS: {order}")


@contextmanager
def hybrid_expressway(folder: Path, host: str, name: str, kind: str, pki: Path) -> Iterator[HybridExpressway]:
    """`expressway-c` or `expressway-e`, for as long as the block runs; `kind` is `tcp` or `tls`, of the zone and of the
    port where Webex's calls come in.
    """
    port = free_port(host)
    zone = kind if name == "expressway-e" else "tcp"
    listens = [f"udp:{host}:{port}", f"{zone}:{host}:{port}", f"{kind}:{host}:{_MTLS}"]
    route = _ROUTE.replace("KIND", kind).replace("OWN", str(_OWN_PORTS[kind]))
    with kamailio.routing(folder, listens, _MODULES, route, shown(pki, name, "roots.pem")):
        yield HybridExpressway(host, port)
