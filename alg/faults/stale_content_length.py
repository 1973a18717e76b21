"""The body changes its length, and Content-Length does not say so."""

from __future__ import annotations

from alg.faults.skipped import SkippedEdits


class StaleContentLength(SkippedEdits):
    """The body changes its length, and the header does not say so."""

    name = "stale-content-length"
    title = "Content-Length stays as it was when the body grows or shrinks"
    source = "drachtio-siprec-recording-server 49, SIPp 363"
    rules = frozenset({"Content-Length"})
