"""The session description promises a port of the device where nothing listens."""

from __future__ import annotations

from alg.faults.base import Case, Fault


class PinholeMissing(Fault):
    """The session description promises a port of the device where nothing listens: one-way audio, or none."""

    name = "pinhole-missing"
    title = "session descriptions are translated, but no media door is opened for them"
    source = "opnsense issue 4477: one-way audio"

    def opens_doors(self, case: Case) -> bool:
        """Never."""
        return False
