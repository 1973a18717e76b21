"""ICE candidates keep their inside addresses while c= has the outside one."""

from __future__ import annotations

from alg.faults.skipped import SkippedEdits


class StaleCandidates(SkippedEdits):
    """ICE candidates name inside addresses while c= names the outside one: ice-mismatch (RFC 8839 4.2.5)."""

    name = "candidates-stale"
    title = "a=candidate lines keep their inside addresses"
    source = "deduced: ALGs older than ICE; RFC 8839 5.4 calls the result ice-mismatch"
    rules = frozenset({"SDP a=candidate"})
