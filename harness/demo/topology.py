"""Who stands where: two endpoints on loopback, a NAT between them, and what each side has a route to.

On loopback every address answers, so reachability is spelt out: an endpoint sends only to addresses of its own side.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.config import AddressMap, AlgConfig, MediaMode, NatConfig, parse_address

Hop = tuple[str, int]
"""Where a message or a packet goes: host and port."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the NAT."""

    name: str
    addresses: frozenset[str]
    """What can be reached from here: the endpoint itself, and the NAT's address that stands for the other endpoint."""

    def refusal(self, host: str) -> str | None:
        """Why nothing can be sent to `host` from here; None if it can."""
        return None if host in self.addresses else f"no route to {host} from {self.name}"


CALLER = "127.0.30.2"
"""The caller, inside."""
CALLER_OUTSIDE = "127.0.64.10"
"""What stands for the caller on the outside."""
CALLEE = "127.0.65.20"
"""The callee, outside."""
CALLEE_INSIDE = "127.0.10.20"
"""What stands for the callee on the inside."""

INSIDE = Side("inside", frozenset({CALLER, CALLEE_INSIDE}))
OUTSIDE = Side("outside", frozenset({CALLEE, CALLER_OUTSIDE}))


def alg_config(l4f: bool) -> AlgConfig:
    """The ALG between them: each endpoint is known on the other side by another address."""
    pairs = ((CALLER, CALLER_OUTSIDE), (CALLEE_INSIDE, CALLEE))
    maps = tuple(AddressMap(parse_address(here, "inside"), parse_address(there, "outside")) for here, there in pairs)
    return AlgConfig(nat=NatConfig(maps), l4f=l4f, media=MediaMode.RELAY)
