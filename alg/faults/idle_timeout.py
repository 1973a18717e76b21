"""The binding of a connection that was silent for too long is forgotten."""

from __future__ import annotations

from alg.faults.base import Fault, Parameter


class IdleTimeout(Fault):
    """The binding of a connection that was silent for too long is forgotten, and nobody is told."""

    name = "idle-timeout"
    title = "after so many idle seconds nothing passes any more, in either direction, without a reset"
    source = "Linux nf_conntrack_sip 3600 s; carriers about 30 min"
    parameters = (Parameter("seconds", "idle time after which the connection is forgotten", "3600"),)

    def __post_init__(self) -> None:
        self.number("seconds", 0, 10_000_000)

    def forgets(self, idle: float) -> bool:
        """When it was idle for too long."""
        return idle > self.number("seconds", 0, 10_000_000)
