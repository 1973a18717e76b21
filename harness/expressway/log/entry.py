"""One line of a diagnostic log before it has a time, and what differs between releases.

An `Entry` comes from a module of the product and has a level; an `Event` is one of the event log, which runs through
the same file. Field names, their order, spacing and misspellings are the product's.
"""

from __future__ import annotations

from dataclasses import dataclass

Address = tuple[str, int]
"""Host and port."""

Part = str | tuple[str, str | int]
"""Words as they are, or a field: its name, and the value that is put into quotes."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a release writes."""

    milliseconds: bool
    """Whether the local time in front has them. UTCTime always does."""
    sip_gap: str
    """What stands between the fields of a network.sip line."""
    session_ids: bool
    """Whether network.sip tells the Session-ID of a message."""


X8_7 = Dialect(milliseconds=False, sip_gap="  ", session_ids=False)
X8_10 = Dialect(milliseconds=True, sip_gap=" ", session_ids=True)


@dataclass(frozen=True, slots=True)
class Code:
    """Where in the product's code a line of a developer module comes from."""

    location: str
    method: str

    def __str__(self) -> str:
        return f' CodeLocation="{self.location}" Method="{self.method}" Thread="{_THREAD}"'


_THREAD = "0x7f29ddefa700"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a module."""

    module: str
    level: str
    parts: tuple[Part, ...]
    code: Code | None = None
    block: str = ""
    """What follows on lines of its own."""

    def render(self, utc: str, dialect: Dialect) -> str:
        """The line behind the process name."""
        gap = dialect.sip_gap if self.module == "network.sip" else " "
        head = f'UTCTime="{utc}" Module="{self.module}" Level="{self.level}"{self.code or ""}'
        return f"{head}:  {gap.join(map(_part, self.parts))}{self.block}"


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the event log."""

    name: str
    fields: tuple[tuple[str, str | int], ...]
    level: int = 1

    def render(self, utc: str, dialect: Dialect) -> str:
        """The line behind the process name; the same in every dialect."""
        fields = (("Event", self.name), *self.fields, ("Level", self.level), ("UTCTime", utc))
        return " ".join(map(_part, fields))


def _part(part: Part) -> str:
    return part if isinstance(part, str) else f'{part[0]}="{part[1]}"'
