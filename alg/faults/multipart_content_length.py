"""A body part changes its length, and its own Content-Length does not say so."""

from __future__ import annotations

from alg.faults.skipped import SkippedEdits


class StalePartLength(SkippedEdits):
    """A body part changes its length, and its own header does not say so."""

    name = "multipart-content-length"
    title = "a body part's own Content-Length stays as it was when the part grows or shrinks"
    source = "deduced from ALGs that know one body per message"
    rules = frozenset({"part Content-Length"})
