"""The classes that a probe falls into.

accepted  a final response to every transaction of the probe, none of which says that the message was not taken
rejected  a final response that says it was not: 400 (not understood), 413 (body too large), 414 (URI too long),
          500 (the server failed on it), 513 (message too large), or a status that `--refusing` adds. Any other
          final response, 404, 405, 415, 488 and the like, was given by somebody who had read the message.
reset     the connection was reset before the answer
closed    the connection was closed before the answer
silent    no final response within the time limit; provisional ones do not count
refused   no connection, or no TLS session, to send the probe on
garbled   what came back does not parse, ends inside a message, or belongs to no transaction of ours
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REFUSING = frozenset({400, 413, 414, 500, 513})
"""Statuses that say that the message was not taken (RFC 3261 21.4.1, 21.4.11, 21.4.12, 21.5.1, 21.5.7)."""


class Kind(StrEnum):
    """What became of a probe."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RESET = "reset"
    CLOSED = "closed"
    SILENT = "silent"
    REFUSED = "refused"
    GARBLED = "garbled"

    @property
    def answered(self) -> bool:
        """Whether somebody was there who understood SIP."""
        return self in (Kind.ACCEPTED, Kind.REJECTED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class, and what there is to say about it."""

    kind: Kind
    status: int | None = None
    """Of the final response that decided, if one did."""
    detail: str = ""
    """For a person."""

    @property
    def label(self) -> str:
        """`closed`, `rejected 513`, `accepted 200`."""
        return f"{self.kind} {self.status}" if self.status else str(self.kind)
