"""What a fault is: one deliberate defect of an ALG, as hooks into the path of a message.

Strategy: a fault is made once from its settings and keeps no state; what it needs to know of a message comes in as its
`Case`. Each hook gets what a right ALG would do and gives back what this one does. `noop.py` is the worked example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from alg.direction import Direction
from alg.errors import ConfigError
from alg.nat.table import NatTable
from alg.rewrite import Edit
from alg.sip.framing import Framed


@dataclass(frozen=True, slots=True)
class Case:
    """One message as the ALG meets it."""

    message: Framed
    direction: Direction
    table: NatTable
    backward: Callable[[], list[Edit]]
    """The edits of addresses and ports that a message of the other direction would get; no door is opened for them."""
    pieces: int
    """Reads or segments that the message came in."""
    position: int
    """Messages before it in the read or segment that completed it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a fault."""

    name: str
    meaning: str
    default: str


@dataclass(frozen=True)
class Fault:
    """A defect; every hook of this one does what is right."""

    name: ClassVar[str]
    title: ClassVar[str]
    """One line for people."""
    source: ClassVar[str]
    """Where it was seen: a device, a document; or `deduced`, and from what."""
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    settings: Mapping[str, str] = field(default_factory=dict)
    """Values of its parameters, by name; all of them have one."""

    def __post_init__(self) -> None:
        """Check the settings; ConfigError naming the parameter."""

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """The edits of addresses and ports, in no strict order; lengths follow from them."""
        return edits

    def length_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """The edits of Content-Length, the message's own and those of its parts."""
        return edits

    def opens_doors(self, case: Case) -> bool:
        """Whether media doors are opened for a session description in this message."""
        return True

    def leaves(self, case: Case, after: bytes) -> bytes:
        """What leaves in place of the message; nothing if it is dropped."""
        return after

    def swallows(self, data: bytes) -> bool:
        """Whether a CRLF keep-alive does not leave (RFC 5626 3.5.1)."""
        return False

    def forgets(self, idle: float) -> bool:
        """Whether the connection is forgotten when bytes come after so many idle seconds; nothing passes any more."""
        return False

    def number(self, name: str, lowest: int, highest: int) -> int:
        """A parameter that is a number; ConfigError naming it."""
        text = self.settings[name]
        if not (text.isascii() and text.isdigit() and lowest <= int(text[:10]) <= highest):
            raise ConfigError(f"{self.name}: {name}={text}: no number from {lowest} to {highest}")
        return int(text)

    def choice(self, name: str, *values: str) -> str:
        """A parameter that is one of some words; ConfigError naming it."""
        text = self.settings[name]
        if text not in values:
            raise ConfigError(f"{self.name}: {name}={text}: none of {', '.join(values)}")
        return text
