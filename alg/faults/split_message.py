"""A message that came in several segments leaves as it came."""

from __future__ import annotations

from alg.faults.base import Case, Fault


class SplitMessage(Fault):
    """A message that came in several segments leaves as it came."""

    name = "split-message"
    title = "messages that span reads or segments leave unmodified"
    source = "Linux nf_conntrack_sip, measured"

    def leaves(self, case: Case, after: bytes) -> bytes:
        """The message as it came, if it came in pieces."""
        return after if case.pieces == 1 else case.message.data
