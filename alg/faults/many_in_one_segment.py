"""Of several messages in one segment only the first is looked at."""

from __future__ import annotations

from alg.faults.base import Case, Fault


class FirstOfSegment(Fault):
    """Of several messages in one segment only the first is looked at."""

    name = "many-in-one-segment"
    title = "of several messages in one read or segment only the first is rewritten"
    source = "deduced; sngrep issue 466 is the same mistake in an analyser"

    def leaves(self, case: Case, after: bytes) -> bytes:
        """The message as it came, if others stood before it."""
        return after if case.position == 0 else case.message.data
