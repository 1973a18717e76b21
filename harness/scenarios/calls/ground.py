"""Who stands where in a call through the ALG, on one network of loopback.

Nobody routes on loopback, so the ALG listens where the caller sends to, and the callee has an address inside beside its
own. And since every address answers there, reachability is spelt out: an endpoint sends only to addresses of its side.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.config import AddressMap, parse_address
from alg.edge.entrance import Address
from harness.scenarios.scenario import Part
from harness.scenarios.stage import Network

TOPOLOGY = """\
caller ------- inside ------- ALG ------- outside ------- callee
10.0.30.2                                           198.51.100.20
             is 64.100.0.10 outside
"""
"""As it is in the field; here all of them are addresses of 127.0.0.0/8."""
FIELD_CALLER, FIELD_OUTSIDE, FIELD_CALLEE = "10.0.30.2", "64.100.0.10", "198.51.100.20"
"""The addresses in that drawing, and in filters."""
SIP_PORT = 5060
CALLEE_PART = Part("callee", 203, "TCP 5060", "answers the call")


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
        """Messages grow on their way out, two bytes for each address of the caller, or shrink by as many."""
        short, long = network.host(2), network.host(102)
        inside, outside = (long, short) if shrinking else (short, long)
        return cls(inside, outside, callee or (network.host(203), port), network.host(103), port)

    @property
    def maps(self) -> tuple[AddressMap, ...]:
        """Of the ALG."""
        pairs = ((self.caller, self.caller_outside), (self.callee_inside, self.callee[0]))
        return tuple(
            AddressMap(parse_address(here, "inside"), parse_address(there, "outside")) for here, there in pairs
        )

    @property
    def inside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller, self.callee_inside))

    @property
    def outside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller_outside, self.callee[0]))

    @property
    def in_the_field(self) -> dict[str, str]:
        """Our addresses by those of the drawing."""
        return {FIELD_CALLER: self.caller, FIELD_OUTSIDE: self.caller_outside, FIELD_CALLEE: self.callee[0]}
