"""Where everybody is, by how the Expressway-C reaches the Expressway-E, and by who is somebody else's.

Strategy: nobody routes on loopback. A firewall that translates the destination alone cannot be told from an
Expressway-E which has the public address itself, and so there it has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from harness.peers.traversal_server import ZONE_PORT
from harness.scenarios.reflection import names
from harness.scenarios.reflection.names import ACCESS, CORE, CUCM, EDGE, PHONE, ZONE
from harness.scenarios.stage import Network
from harness.sip.flow import Target
from harness.sip.uri import Address


class Way(Enum):
    """How the Expressway-C reaches the Expressway-E."""

    TRANSLATED = "reflection with source translation"
    UNTRANSLATED = "reflection without source translation"
    DUAL_NIC = "its inner NIC"


@dataclass(frozen=True, slots=True)
class Setting:
    """One form of a scenario, as far as it is data."""

    way: Way = Way.TRANSLATED
    kind: str = "TLS"
    """TLS or TCP, of the traversal zone and of the phone."""
    alg: bool = False
    """The firewall has one, which can only look into TCP."""


class Ground:
    """All addresses of one run."""

    def __init__(self, network: Network, peers: Mapping[str, Address], setting: Setting) -> None:
        """`peers` are somebody else's, by their parts."""
        host = network.host
        self.peers = peers
        self.setting = setting
        self.core = peers[CORE][0] if CORE in peers else host(names.CORE_HOST)
        self.public = host(names.PUBLIC_HOST)
        self.nic = host(names.NIC_HOST)
        self.inner = host(names.INNER_HOST) if setting.way is Way.DUAL_NIC else ""
        self.phone = host(names.PHONE_HOST)
        self.cucm = peers.get(CUCM, (host(names.CUCM_HOST), names.CUCM_PORT))

    @property
    def edge(self) -> str:
        """Where the Expressway-E takes phones."""
        if EDGE in self.peers:
            return self.peers[EDGE][0]
        return self.public if self.setting.way is Way.UNTRANSLATED else self.nic

    @property
    def reflected(self) -> Address:
        """Where the Expressway-E has its traversal zone."""
        return self.peers.get(EDGE, (self.inner or self.edge, ZONE_PORT))

    @property
    def zone(self) -> Target:
        """Where the Expressway-C connects to."""
        through = self.setting.way is Way.TRANSLATED
        return Target(self.setting.kind, *((self.public, ZONE_PORT) if through else self.reflected))

    @property
    def access(self) -> Target:
        """Where a phone connects to."""
        return Target(self.setting.kind, self.edge, names.PHONES_PORT)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Wires of which both ends are somebody else's."""
        wires = {ZONE: (EDGE, CORE), ACCESS: (EDGE, PHONE)}
        return tuple(wire for wire, ends in wires.items() if all(end in self.peers for end in ends))
