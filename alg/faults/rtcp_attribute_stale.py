"""RTCP stays promised at the inside address."""

from __future__ import annotations

from alg.faults.skipped import SkippedEdits


class StaleRtcpAttribute(SkippedEdits):
    """RTCP is promised at the inside address."""

    name = "rtcp-attribute-stale"
    title = "a=rtcp keeps the inside address and port"
    source = "Linux nf_nat_sip, measured"
    rules = frozenset({"SDP a=rtcp"})
