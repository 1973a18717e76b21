"""CRLF keep-alives and their answers do not get through."""

from __future__ import annotations

from alg.faults.base import Fault


class KeepaliveSwallowed(Fault):
    """CRLF keep-alives and their answers do not get through; the client takes its flow for dead (RFC 5626 4.4.1)."""

    name = "keepalive-swallowed"
    title = "CRLF keep-alives between messages are dropped"
    source = "deduced from inspection that accepts messages only"

    def swallows(self, data: bytes) -> bool:
        """It does not leave."""
        return True
