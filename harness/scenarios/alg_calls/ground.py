"""Who stands where in a call through the ALG, on one network.

Nobody routes there, so the ALG listens where the caller sends to, and the callee has an address inside beside its own.
And since every address answers on loopback, reachability is spelt out: an endpoint sends only to addresses of its side,
and hears nothing from the other.
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
FIELD_CALLER, FIELD_OUTSIDE, FIELD_CALLEE = "10.0.30.2", "64.100.0.10", "198.51.100.20"
"""The addresses in that drawing, and in filters."""
SIP_PORT = 5060
SHORT, LONG, CALLEE_INSIDE, CALLEE_HOST = 2, 102, 103, 203
"""Numbers of hosts: an address of one digit and one of three for the caller, and those of the callee."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The addresses of one call."""

    caller: Address
    """Inside, and where it listens."""
    caller_outside: str
    """What the caller is outside."""
    callee: Address
    """Outside."""
    callee_inside: str
    """What the callee is inside."""
    port: int = SIP_PORT
    """Where the caller reaches the callee, who may listen on another."""

    @classmethod
    def on(
        cls,
        network: Network,
        caller: Address | None = None,
        callee: Address | None = None,
        shrinking: bool = False,
        port: int = SIP_PORT,
    ) -> Ground:
        """Messages grow on their way out, two bytes for each address of the caller, or shrink by as many; endpoints
        that are somebody else's are where they are.
        """
        short, long = network.host(SHORT), network.host(LONG)
        inside, outside = (long, short) if shrinking else (short, long)
        there = callee or (network.host(CALLEE_HOST), port)
        return cls(caller or (inside, port), outside, there, network.host(CALLEE_INSIDE), port)

    @property
    def called(self) -> Address:
        """What the caller knows the callee by."""
        return self.callee_inside, self.port

    @property
    def growth(self) -> int:
        """Bytes by which each address of the caller gets longer on its way out."""
        return len(self.caller_outside) - len(self.caller[0])

    @property
    def maps(self) -> tuple[AddressMap, ...]:
        """Of the ALG."""
        pairs = ((self.caller[0], self.caller_outside), (self.callee_inside, self.callee[0]))
        return tuple(
            AddressMap(parse_address(here, "inside"), parse_address(there, "outside")) for here, there in pairs
        )

    @property
    def inside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller[0], self.callee_inside))

    @property
    def outside(self) -> frozenset[str]:
        """What can be reached from there."""
        return frozenset((self.caller_outside, self.callee[0]))

    @property
    def in_the_field(self) -> dict[str, str]:
        """Our addresses by those of the drawing."""
        return {FIELD_CALLER: self.caller[0], FIELD_OUTSIDE: self.caller_outside, FIELD_CALLEE: self.callee[0]}
