"""Inspection rules: what a firewall's application inspection does to TLS connections, at which point, to which of them.

A rule is one line, `MODE[,LIMIT=VALUE]...`:

    pass                              bytes untouched
    reset:WHEN[:TO[:ELSEWHERE]]       RST towards inside, outside or both; the side that gets none sees silence or a FIN
    drop:WHEN                         silence in both directions from there on
    delay:WHEN:SECONDS                what the sender says from there on waits
    terminate                         both legs are the firewall's own
    alg-blind[:BITS]                  SIP fixups on cipher text that looks like an address

WHEN is a handshake message or `after:N` bytes of one direction. Limits: `sni=PATTERN`, `direction=outward|inward` (of
the client), `nth=N` (connection of its listener), `tls=1.2|1.3`. The first rule that fits decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from alg.direction import Direction
from alg.errors import ConfigError
from alg.tls.sightings import Message

POINTS: Final = (
    Message.CLIENT_HELLO,
    Message.SERVER_HELLO,
    Message.SERVER_CERTIFICATE,
    Message.CERTIFICATE_REQUEST,
    Message.CLIENT_CERTIFICATE,
    Message.CLIENT_FINISHED,
    Message.APPLICATION_DATA,
)
"""The messages that WHEN may name."""
HIDDEN_IN_TLS13: Final = frozenset(
    (Message.SERVER_CERTIFICATE, Message.CERTIFICATE_REQUEST, Message.CLIENT_CERTIFICATE, Message.APPLICATION_DATA)
)
"""Encrypted in TLS 1.3, and not to be told from what is around them by record order (RFC 8446 2)."""
_VERSIONS: Final = {"1.2": "TLS 1.2", "1.3": "TLS 1.3"}
_SIDES: Final = {
    "inside": frozenset((Direction.OUTWARD,)),
    "outside": frozenset((Direction.INWARD,)),
    "both": frozenset(Direction),
}
"""A side is named by the direction of what it sends."""
_LONGEST_DELAY: Final = 3600.0
"""seconds"""
_FEWEST_BITS: Final = 4
"""Of an address; so few that hardly a connection has no hit, which is why it is the default."""


class Mode(Enum):
    """What a rule does."""

    PASS = "pass"
    RESET = "reset"
    DROP = "drop"
    DELAY = "delay"
    TERMINATE = "terminate"
    ALG_BLIND = "alg-blind"


class Elsewhere(Enum):
    """What the side sees that gets no RST."""

    SILENCE = "silence"
    FIN = "fin"


@dataclass(frozen=True, slots=True)
class Point:
    """When a rule strikes: at a message, or after so many bytes of one direction."""

    message: Message | None
    after: int = 0

    def __str__(self) -> str:
        return f"after:{self.after}" if self.message is None else self.message.value


@dataclass(frozen=True, slots=True)
class Rule:
    """One line, checked."""

    text: str
    """As it was written."""
    mode: Mode
    point: Point | None = None
    """Of reset, drop and delay."""
    towards: frozenset[Direction] = frozenset()
    """Sides that get a RST, each named by the direction of what it sends."""
    elsewhere: Elsewhere = Elsewhere.SILENCE
    seconds: float = 0.0
    """Of a delay."""
    bits: int = 0
    """How much of an address cipher text must share with it to look like it, from the left."""
    sni: str | None = None
    """Shell-style pattern of the server name, in lower case; a connection without a name fits none."""
    direction: Direction | None = None
    """Of what the client sends."""
    nth: int | None = None
    """Which connection of its listener, from 1."""
    version: str | None = None
    """`TLS 1.2` or `TLS 1.3`, as the server chose."""

    @classmethod
    def parse(cls, text: str, setting: str = "--tls-inspect") -> Rule:
        """A rule from its line; ConfigError naming `setting`, the line, and the word that is wrong."""
        return _Reader(text, setting).rule()

    def concerns(self, client: Direction, number: int) -> bool:
        """Whether a connection may fit, by what is known before its first byte."""
        return self.direction in (None, client) and self.nth in (None, number)

    def fits(self, sni: str | None, version: str | None) -> bool:
        """Whether it fits, by what its handshake said so far."""
        named = self.sni is None or (sni is not None and fnmatchcase(sni.lower(), self.sni))
        return named and self.version in (None, version)

    @property
    def warning(self) -> str | None:
        """What its author should know, if it cannot do in every version what it says."""
        point = self.point.message if self.point is not None else None
        if self.version is None and point in HIDDEN_IN_TLS13:
            return (
                f"{self.text}: {point} is encrypted in TLS 1.3 and cannot be seen; the rule applies up to TLS 1.2 only"
            )
        return None


class _Reader:
    """One line being read."""

    def __init__(self, text: str, setting: str) -> None:
        self._text = text
        self._setting = setting
        mode, *self._limits = text.split(",")
        self._words = mode.split(":")

    def rule(self) -> Rule:
        word = self._words.pop(0)
        try:
            mode = Mode(word)
        except ValueError:
            raise self._error(f"{word!r} is none of {', '.join(each.value for each in Mode)}") from None
        rule = Rule(self._text, mode)
        if mode in (Mode.RESET, Mode.DROP, Mode.DELAY):
            rule = replace(rule, point=self._point())
        if mode is Mode.RESET:
            rule = self._reset(rule)
        elif mode is Mode.DELAY:
            rule = replace(rule, seconds=self._seconds())
        elif mode is Mode.ALG_BLIND:
            bits = self._number(self._words.pop(0), _FEWEST_BITS, 32) if self._words else _FEWEST_BITS
            rule = replace(rule, bits=bits)
        if self._words:
            raise self._error(f"{self._words[0]!r} is too much")
        return self._limited(rule)

    def _point(self) -> Point:
        if not self._words:
            raise self._error("says not when")
        word = self._words.pop(0)
        if word == "after":
            return Point(None, self._number(self._words.pop(0) if self._words else "", 0, 2**31))
        if word not in (point.value for point in POINTS):
            raise self._error(f"{word!r} is none of {', '.join(POINTS)}, after:N")
        return Point(Message(word))

    def _reset(self, rule: Rule) -> Rule:
        side = self._words.pop(0) if self._words else "both"
        if side not in _SIDES:
            raise self._error(f"{side!r} is none of {', '.join(_SIDES)}")
        elsewhere = self._words.pop(0) if self._words else Elsewhere.SILENCE.value
        if elsewhere not in (each.value for each in Elsewhere):
            raise self._error(f"{elsewhere!r} is neither silence nor fin")
        return replace(rule, towards=_SIDES[side], elsewhere=Elsewhere(elsewhere))

    def _seconds(self) -> float:
        word = self._words.pop(0) if self._words else ""
        try:
            seconds = float(word)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= _LONGEST_DELAY:
            raise self._error(f"{word!r} is no number of seconds up to {_LONGEST_DELAY:.0f}")
        return seconds

    def _number(self, word: str, lowest: int, highest: int) -> int:
        if not (word.isascii() and word.isdigit() and len(word) <= 10 and lowest <= int(word) <= highest):
            raise self._error(f"{word!r} is no number from {lowest} to {highest}")
        return int(word)

    def _limited(self, rule: Rule) -> Rule:
        said: set[str] = set()
        for limit in self._limits:
            name, _, value = limit.partition("=")
            if name in said:
                raise self._error(f"{name} is said twice")
            said.add(name)
            if name == "sni" and value:
                rule = replace(rule, sni=value.lower())
            elif name == "direction" and value in ("outward", "inward"):
                rule = replace(rule, direction=Direction[value.upper()])
            elif name == "nth":
                rule = replace(rule, nth=self._number(value, 1, 2**31))
            elif name == "tls" and value in _VERSIONS:
                rule = self._of_version(rule, value)
            else:
                raise self._error(f"{limit!r} is none of sni=PATTERN, direction=outward|inward, nth=N, tls=1.2|1.3")
        if rule.mode is Mode.TERMINATE and rule.version:
            raise self._error("tls= is not known yet when a connection is terminated")
        return rule

    def _of_version(self, rule: Rule, version: str) -> Rule:
        point = rule.point.message if rule.point is not None else None
        if point is Message.CLIENT_HELLO:
            raise self._error("the version is not known yet at client-hello")
        if version == "1.3" and point in HIDDEN_IN_TLS13:
            raise self._error(
                f"{point} is encrypted in TLS 1.3 and cannot be seen; client-finished can, by record order"
            )
        return replace(rule, version=_VERSIONS[version])

    def _error(self, complaint: str) -> ConfigError:
        return ConfigError(f"{self._setting} {self._text}: {complaint}")
