"""The kernel as the NAT of a lab's router, with its own SIP ALG or without: what ours are compared with.

Strategy: source NAT to one address, which is the router's for as long as it lasts. The ALG is a conntrack helper that
nftables gives to connections by their port (Linux: nf_conntrack_sip rewrites with nf_nat_sip); a kernel that has none
refuses the rules as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.lab.lab import Lab
from harness.lab.topology import ROUTER
from harness.system import run

_TABLE = "sipalg_kernel_nat"
_HELPER = """\
    ct helper alg {{
        type "{helper}" protocol tcp
    }}
    chain prerouting {{
        type filter hook prerouting priority mangle; policy accept;
        tcp dport {port} ct helper set "alg"
    }}
"""
_NAT = """\
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname "{device}" snat to {address}
    }}
"""


def ruleset(address: str, device: str, helper: str | None, port: int) -> str:
    """The nftables table: what leaves by a device comes from an address; a conntrack helper watches a TCP port."""
    watched = _HELPER.format(helper=helper, port=port) if helper else ""
    return f"table ip {_TABLE} {{\n{watched}{_NAT.format(device=device, address=address)}}}\n"


@contextmanager
def kernel_nat(lab: Lab, address: str, helper: str | None = "sip", port: int = 5060) -> Iterator[None]:
    """The NAT for as long as the block runs; ConfigError with the kernel's complaint if it has none, or no helper."""
    device = lab.topology.sides[-1].name
    run(lab.command(ROUTER, "nft", "-f", "-"), ruleset(address, device, helper, port))
    try:
        run(lab.command(ROUTER, "ip", "address", "add", f"{address}/32", "dev", device))
        try:
            yield
        finally:
            run(lab.command(ROUTER, "ip", "address", "delete", f"{address}/32", "dev", device))
    finally:
        run(lab.command(ROUTER, "nft", "delete", "table", "ip", _TABLE))
