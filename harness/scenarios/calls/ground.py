"""Who stands where in a call through the ALG, on one network of loopback.

Each endpoint is known on the other side by another address, as on loopback nobody routes: the ALG listens on both. And
since every address answers there, reachability is spelt out: an endpoint sends only to addresses of its own side.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.config import AddressMap, parse_address
from alg.edge.entrance import Address
from harness.scenarios.stage import Network

TOPOLOGY = """\
caller ------- inside ------- ALG ------- outside ------- callee
10.0.30.2                                           198.51.100.20
             is 64.100.0.10 outside
"""
"""As it is in the field; here all of them are addresses of 127.0.0.0/8."""
SIP_PORT = 5060


@dataclass(frozen=True, slots=True)
class Ground:
    """The addresses of one call."""

    caller: str
    """Inside."""
    caller_outside: str
    """What the caller is outside."""
    callee: Address
    """Outside."""
    callee_inside: str
    """What the callee is inside."""
    port: int = SIP_PORT
    """Of SIP, but for a callee that is somebody else's."""

    @classmethod
    def on(
        cls, network: Network, callee: Address | None = None, shrinking: bool = False, port: int = SIP_PORT
    ) -> Ground:
        """Messages grow on their way out, two bytes an address, or shrink by as many."""
        short, long = (network.host(2), network.host(3)), (network.host(102), network.host(103))
        inside, outside = (long, short) if shrinking else (short, long)
        return cls(inside[0], outside[0], callee or (outside[1], port), inside[1], port)

    @property
    def maps(self) -> tuple[AddressMap, ...]:
        """Of the ALG."""
        pairs = ((self.caller, self.caller_outside), (self.callee_inside, self.callee[0]))
        return tuple(AddressMap(parse_address(here, "inside"), parse_address(there, "outside")) for here, there in pairs)

    @property
    def inside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller, self.callee_inside))

    @property
    def outside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller_outside, self.callee[0]))
