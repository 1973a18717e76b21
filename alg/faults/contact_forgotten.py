"""The body is fixed, and the header that later requests go to is not."""

from __future__ import annotations

from alg.faults.skipped import SkippedEdits


class ContactForgotten(SkippedEdits):
    """The body is fixed, the header that later requests go to is not."""

    name = "contact-forgotten"
    title = "Contact keeps the inside address; SDP is rewritten"
    source = "seen in a home router's traces: SDP fixed, Contact not"
    rules = frozenset({"Contact"})
