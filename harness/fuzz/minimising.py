"""Makes a failing message smaller as long as it fails in the same way (delta debugging).

Strategy: halves are taken away, then quarters, and so on (Zeller and Hildebrandt, 2002), of the fields first, then of
the body's lines, then of the bytes of the longest values. Framing stays honest: a Content-Length that told the truth
goes on telling it, one that did not is left alone with its body. Fields that a request must have stay, since without
them the same class would have another cause; a message that is valid loses nothing but other fields, since what is
left has to be valid too. A question is a probe; when they are used up the smallest message so far is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.fuzz.specimen import IDENTITY, LENGTHS, SAMPLE_TOKEN, Specimen, name_of

Item = TypeVar("Item")

_NEEDED = IDENTITY | LENGTHS | {b"max-forwards", b"contact", b"m", b"content-type", b"c"}
"""Fields that a request may not be without (RFC 3261 8.1.1, 12.1.1, 20.15)."""
_LONG = 40
"""Bytes of a value that is worth cutting."""
_VERY_LONG = 200
"""The same for one that must be there; the identity in it stays."""


class Spent(Exception):
    """No question is left."""


class Questions:
    """Asks whether something still fails in the same way, so many times."""

    def __init__(self, fails: Callable[[bytes], bool], most: int) -> None:
        self._fails = fails
        self._most = most
        self._known: dict[bytes, bool] = {}

    @property
    def asked(self) -> int:
        """Probes so far."""
        return len(self._known)

    def fails(self, data: bytes) -> bool:
        """Whether it does; Spent if that cannot be asked any more."""
        if data not in self._known:
            if len(self._known) >= self._most:
                raise Spent
            self._known[data] = self._fails(data)
        return self._known[data]


def shrunk(items: Sequence[Item], fails: Callable[[Sequence[Item]], bool]) -> Sequence[Item]:
    """As few of the items as still fail; no single one of them can be spared."""
    pieces = 2
    while items:
        size = max(1, -(-len(items) // pieces))
        for start in range(0, len(items), size):
            rest = [*items[:start], *items[start + size :]]
            if fails(rest):
                items, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(items), 2 * pieces)
    return items


class Minimiser:
    """Makes one message smaller."""

    def __init__(self, data: bytes, valid: bool, questions: Questions) -> None:
        self.smallest = data
        self._valid = valid
        self._questions = questions

    def run(self) -> bytes:
        """The smallest message that fails in the same way, as far as the questions went."""
        try:
            self._fields()
            if not self._valid:
                self._body()
                self._values()
        except Spent:
            pass
        return self.smallest

    def _holds(self, specimen: Specimen) -> bool:
        """Whether it fails as well; then it is the smallest so far."""
        data = specimen.data
        if not self._questions.fails(data):
            return False
        self.smallest = data
        return True

    def _fields(self) -> None:
        specimen = Specimen.of(self.smallest)
        names = [name_of(field) for field in specimen.fields]
        spare = [at for at, name in enumerate(names) if name not in _NEEDED or name in names[:at]]

        def fails(left: Sequence[int]) -> bool:
            fields = [field for at, field in enumerate(specimen.fields) if at not in spare or at in left]
            return self._holds(specimen.with_fields(fields))

        shrunk(spare, fails)

    def _body(self) -> None:
        specimen = Specimen.of(self.smallest)
        if specimen.honest and specimen.body:
            lines = specimen.body.splitlines(keepends=True)
            shrunk(lines, lambda left: self._holds(specimen.with_body(b"".join(left))))

    def _values(self) -> None:
        """The longest first."""
        sizes = sorted(((len(field), at) for at, field in enumerate(Specimen.of(self.smallest).fields)), reverse=True)
        for size, at in sizes:
            specimen = Specimen.of(self.smallest)
            field = specimen.fields[at]
            name = name_of(field)
            if name not in LENGTHS and size > (_VERY_LONG if name in _NEEDED else _LONG):
                self._value(specimen, at, field)

    def _value(self, specimen: Specimen, at: int, field: bytes) -> None:
        name, colon, value = field.partition(b":")
        token = SAMPLE_TOKEN.encode()

        def fails(left: Sequence[int]) -> bool:
            fields = list(specimen.fields)
            fields[at] = name + colon + bytes(left)
            same = fields[at].count(token) == field.count(token)
            return same and self._holds(specimen.with_fields(fields))

        shrunk(list(value), fails)
