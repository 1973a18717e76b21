"""The rules that hand connections over, as text."""

from __future__ import annotations

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig, parse_address
from alg.edge.interception import Interception, Method
from alg.edge.transparent import TransparentListener

TPROXY = """\
table ip sipalg_15060
delete table ip sipalg_15060
table ip sipalg_15060 {
    set outside {
        type ipv4_addr
        elements = { 203.0.113.10, 203.0.113.11 }
    }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        iif "lo" accept
        tcp flags & (fin | syn | rst | ack) == syn ip daddr @outside meta l4proto tcp \
tproxy to :15060 meta mark set 115060 accept
        tcp flags & (fin | syn | rst | ack) == syn tcp dport { 5060, 5070 } fib daddr type != local \
tproxy to :15060 meta mark set 115060 accept
        meta l4proto tcp socket transparent 1 meta mark set 115060 accept
    }
}
"""

REDIRECT = """\
table ip sipalg_15060
delete table ip sipalg_15060
table ip sipalg_15060 {
    chain returning {
        type filter hook prerouting priority raw; policy accept;
        meta l4proto tcp socket transparent 1 meta mark set 115060 notrack accept
    }
    chain leaving {
        type filter hook output priority raw; policy accept;
        meta l4proto tcp socket transparent 1 notrack
    }
    chain prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        iif "lo" accept
        tcp dport { 5060 } fib daddr type != local redirect to :15060
    }
}
"""


def test_tproxy_rules() -> None:
    """SIP ports of others and every port of the outside addresses are handed over as they are."""
    outside = ("203.0.113.10", "203.0.113.11")
    assert Interception(Method.TPROXY, ("0.0.0.0", 15060), (5060, 5070), outside).ruleset() == TPROXY


def test_redirect_rules() -> None:
    """Without outside addresses only the SIP ports; what belongs to a server leg is not tracked."""
    assert Interception(Method.REDIRECT, ("0.0.0.0", 15060), (5060,)).ruleset() == REDIRECT


@pytest.mark.parametrize(
    ("method", "deed"), [(Method.TPROXY, "tproxy to 10.0.30.1:15060"), (Method.REDIRECT, "dnat to 10.0.30.1:15060")]
)
def test_a_proxy_that_listens_on_one_address(method: Method, deed: str) -> None:
    """The address that the proxy listens on is where connections are handed over."""
    assert deed in Interception(method, ("10.0.30.1", 15060), (5060,)).ruleset()


def test_the_script_can_be_pasted_into_a_shell() -> None:
    """People who install by hand see every command, and how to take it back."""
    script = Interception(Method.TPROXY, ("0.0.0.0", 15060), (5060,), ("203.0.113.10",)).script()
    assert script == (
        f"nft -f - <<'EOF'\n{TPROXY.replace(', 203.0.113.11', '').replace(', 5070', '')}EOF\n"
        "ip rule add pref 1000 fwmark 115060 lookup 115060 2>/dev/null || true\n"
        "ip route replace local 0.0.0.0/0 dev lo table 115060\n"
        "ip route flush table local metric 115060\n"
        "ip route replace local 203.0.113.10 dev lo table local metric 115060\n"
        "\n"
        "# to remove it:\n"
        "# nft delete table ip sipalg_15060 2>/dev/null || true\n"
        "# ip rule del pref 1000 fwmark 115060 lookup 115060 2>/dev/null || true\n"
        "# ip route flush table 115060 2>/dev/null || true\n"
        "# ip route flush table local metric 115060\n"
    )


def test_what_a_configuration_wants_intercepted() -> None:
    """The outside addresses of all kinds of entry, each once, and the SIP ports."""
    maps = ("10.0.10.2=64.100.0.10", "10.0.30.2:27901=64.100.0.10:4401", "10.0.30.3=64.100.0.9")
    nat = NatConfig(tuple(map(AddressMap.parse, maps)), (parse_address("203.0.113.10", ""),))
    found = TransparentListener(("0.0.0.0", 0)).interception(
        ("0.0.0.0", 16000), AlgConfig(nat, frozenset({7003, 5060}))
    )
    outside = ("64.100.0.9", "64.100.0.10", "203.0.113.10")
    assert found == Interception(Method.TPROXY, ("0.0.0.0", 16000), (5060, 7003), outside)
