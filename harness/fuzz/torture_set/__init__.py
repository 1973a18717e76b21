"""Torture messages, written for this project after the subjects of RFC 4475 and RFC 5118, and some of its own.

Nothing in them registers, calls or routes to anybody else: Request-URI and Route name the target, media are inactive,
other hosts are names and addresses that are kept for documentation (RFC 2606, RFC 5737, RFC 3849).
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.fuzz.torture_case import TortureCase
from harness.fuzz.torture_set import addresses, framing, malformed, meaning, wellformed

TOPICS: Mapping[str, tuple[TortureCase, ...]] = {
    "well-formed": wellformed.CASES,
    "malformed": malformed.CASES,
    "framing": framing.CASES,
    "meaning": meaning.CASES,
    "addresses": addresses.CASES,
}
"""By topic, in the order in which they are sent."""
