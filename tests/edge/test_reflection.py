"""NAT reflection as in seed 000: a client inside reaches an inside server at its outside address.

The Expressway-C is 10.0.30.2 and connects from port 27901; the Expressway-E is 10.0.10.2 with the static NAT
64.100.0.10, and listens on 7003. With source translation the E sees 64.100.0.10:4401, and writes that into the Route of
its SERVICE request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.edge.sockets import receive
from tests.helpers.lab import Address, Stage, segments, stage

C: Address = ("10.0.30.2", 27901)
E: Address = ("10.0.10.2", 7003)
E_OUTSIDE: Address = ("64.100.0.10", 7003)
APPARENT: Address = ("64.100.0.10", 4401)
MAPS = ("--map", "10.0.10.2=64.100.0.10", "--map", "10.0.30.2:27901=64.100.0.10:4401", "--sip-port", "7003")


@pytest.fixture(scope="module")
def lab() -> Iterator[Stage]:
    """The E is the lab's outside."""
    with stage("-reflection", outside="10.0.10.2/24") as up:
        yield up


def service(route: Address) -> bytes:
    """What the E sends to the C over the connection that the C opened."""
    return (
        "SERVICE sip:serviceserver@cucm02.example.local SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 198.51.100.1:7003;branch=z9hG4bK1\r\n"
        "Call-ID: 64.100.0.10:4401@expe\r\n"
        f"Route: <sip:{route[0]}:{route[1]};transport=tcp;apparent;ds;lr>\r\n"
        "Route: <sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("method", ["tproxy", "redirect"])
@pytest.mark.parametrize(
    ("options", "apparent", "route"),
    [
        pytest.param((), APPARENT, C, id="translated"),
        pytest.param(("--no-l4f",), APPARENT, APPARENT, id="translated-without-alg"),
        pytest.param(("--source", "client", "--no-l4f"), C, C, id="cured-by-no-source-translation"),
    ],
)
def test_the_c_reaches_the_e(
    lab: Stage, tmp_path: Path, method: str, options: tuple[str, ...], apparent: Address, route: Address
) -> None:
    """Each side sees the addresses that the firewall shows it; the ALG repairs the Route, without it the C cannot."""
    wire_c, wire_e = tmp_path / "c.pcap", tmp_path / "e.pcap"
    with ExitStack() as stack:
        stack.callback(lab.proxy(*MAPS, "--intercept", method, *options).stop)
        listening = stack.enter_context(closing(lab.listen("outside", E)))
        stack.enter_context(lab.captured("inside", wire_c))
        stack.enter_context(lab.captured("outside", wire_e))
        c = stack.enter_context(closing(lab.connect("inside", C, E_OUTSIDE)))
        e, seen = listening.accept()
        stack.callback(e.close)
        assert seen == apparent
        e.sendall(service(seen))
        assert receive(c, len(service(route))) == service(route)
        e.close()
        assert c.recv(1) == b""
    for capture, client, server in ((wire_c, C, E_OUTSIDE), (wire_e, apparent, E)):
        found = segments(capture, sip_port=7003)
        assert {(each.source, each.destination) for each in found} == {(client, server), (server, client)}
        assert [each for each in found if each.remark] == []
