"""A fault as it is asked for: `NAME[:key=value,...]`, its settings and when it strikes.

    unknown-method-dropped:known=INVITE+ACK+BYE,direction=inward
    stale-content-length:method=INVITE,status=200,nth=2
    keepalive-swallowed:probability=0.3,seed=7

Conditions are `method`, `status`, `direction`, `nth`, `call-id`, `probability` and `seed`; every other key is a
parameter of the fault. All conditions have to hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256

from alg.direction import Direction
from alg.errors import ConfigError
from alg.faults import FAULTS
from alg.faults.base import Fault
from alg.sip.message import Summary


@dataclass(frozen=True, slots=True)
class Condition:
    """Which messages a fault strikes."""

    method: str | None = None
    """Of a request; with `status`, the method in a response's CSeq."""
    status: int | None = None
    direction: Direction | None = None
    nth: int | None = None
    """Which of the messages of a connection for which all else holds, from 1."""
    call_id: str | None = None
    """Shell-style pattern."""
    probability: float = 1.0
    seed: int = 0

    def names(self, message: Summary, direction: Direction) -> bool:
        """Whether a message fits, but for its number and for chance."""
        if self.direction not in (None, direction) or self.status not in (None, message.status):
            return False
        method = message.method if self.status is None else message.cseq_method
        if self.method is not None and self.method != method:
            return False
        return self.call_id is None or fnmatchcase(message.call_id, self.call_id)

    @property
    def asks_of_messages(self) -> bool:
        """Whether it speaks of anything that only a message has."""
        return (self.method, self.status, self.nth, self.call_id) != (None, None, None, None)

    def falls(self, draw: int) -> bool:
        """The outcome of a draw, the same for the same seed."""
        if self.probability >= 1.0:
            return True
        digest = sha256(f"{self.seed}:{draw}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.probability * 2**64


@dataclass(frozen=True, slots=True, eq=False)
class FaultSpec:
    """One fault of a configuration."""

    text: str
    """As it was written."""
    fault: Fault
    condition: Condition

    @classmethod
    def parse(cls, text: str, setting: str = "--fault") -> FaultSpec:
        """ConfigError naming `setting`, the text, and the key that is wrong."""
        name, _, rest = text.partition(":")
        if name not in FAULTS:
            raise ConfigError(f"{setting} {text}: no fault {name!r}; known: {', '.join(FAULTS)}")
        kind = FAULTS[name]
        settings = {parameter.name: parameter.default for parameter in kind.parameters}
        conditions: dict[str, str] = {}
        said: set[str] = set()
        for pair in filter(None, rest.split(",")):
            key, equals, value = pair.partition("=")
            known = settings if key in settings else conditions if key in _CONDITIONS else None
            if known is None or not (equals and value):
                keys = ", ".join((*settings, *_CONDITIONS))
                raise ConfigError(f"{setting} {text}: {pair!r} is none of KEY=VALUE with {keys}")
            if key in said:
                raise ConfigError(f"{setting} {text}: {key} is said twice")
            said.add(key)
            known[key] = value
        try:
            return cls(text, kind(settings), _condition(conditions))
        except ConfigError as error:
            raise ConfigError(f"{setting} {text}: {error}") from None


_CONDITIONS = ("method", "status", "direction", "nth", "call-id", "probability", "seed")


def _condition(values: dict[str, str]) -> Condition:
    direction = values.get("direction")
    if direction not in (None, "outward", "inward"):
        raise ConfigError(f"direction={direction}: neither outward nor inward")
    try:
        probability = float(values.get("probability", "1"))
    except ValueError:
        probability = -1.0
    if not 0.0 <= probability <= 1.0:
        raise ConfigError(f"probability={values['probability']}: no number from 0 to 1")
    return Condition(
        values.get("method"),
        _number(values, "status", 100, 699),
        Direction[direction.upper()] if direction else None,
        _number(values, "nth", 1, 10**9),
        values.get("call-id"),
        probability,
        _number(values, "seed", 0, 10**18) or 0,
    )


def _number(values: dict[str, str], key: str, lowest: int, highest: int) -> int | None:
    text = values.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and lowest <= int(text) <= highest):
        raise ConfigError(f"{key}={text}: no number from {lowest} to {highest}")
    return int(text)


class Draws:
    """The draws of all connections of an ALG, one sequence per fault."""

    def __init__(self) -> None:
        self._drawn: Counter[int] = Counter()

    def falls(self, number: int, condition: Condition) -> bool:
        """The next draw of the fault of that number."""
        self._drawn[number] += 1
        return condition.falls(self._drawn[number])
