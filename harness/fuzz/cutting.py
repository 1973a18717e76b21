"""One valid message, or a few, cut in every way that may matter: the cases of `sipalg fuzz segmentation`.

cut         in two, at every offset
boundary    in three, at every pair of offsets around the end of the header block and, if it has a body, its end
coalesced   with its neighbours: two and three messages in one segment; the cut in the first, between, in the second
bytes       every byte in a segment of its own
slow        the same message in two, with a long pause at each landmark
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from alg.edge.entrance import Address
from harness.fuzz.drafts import Body
from harness.fuzz.exchange import Transaction
from harness.fuzz.growing import natural
from harness.fuzz.probing import Case, Probe
from harness.fuzz.segments import At, Every, Segmentation, Whole
from harness.fuzz.sizes import Message

AROUND = 4
"""Bytes on either side of a boundary."""
SLOW = 20
"""How many times the pause a slow case waits."""


class Cuttings:
    """Makes the cases of one message."""

    def __init__(self, message: Message, pause: float, host: str, kinds: frozenset[str] = frozenset()) -> None:
        self._message = message
        self._pause = pause
        """Seconds between two segments."""
        self._kinds = kinds
        """Only these; all if empty."""
        self._example = self._compose((host, 65535))

    def _compose(self, here: Address) -> bytes:
        return natural(self._message.draft(Body.PLAIN, here))

    def cases(self) -> list[Case]:
        """All of them, in the order of the table above."""
        makers: dict[str, Callable[[], Iterator[Case]]] = {
            "cut": self._cuts,
            "boundary": self._boundaries,
            "coalesced": self._coalesced,
            "bytes": self._bytes,
            "slow": self._slow,
        }
        return [case for kind, make in makers.items() if not self._kinds or kind in self._kinds for case in make()]

    def _case(self, name: str, segmentation: Segmentation, messages: int = 1, pause: float | None = None) -> Case:
        def compose(here: Address) -> Probe:
            made = [self._compose(here) for _ in range(messages)]
            transactions = tuple(Transaction.of(message) for message in made)
            return Probe(b"".join(made), transactions, segmentation, self._pause if pause is None else pause)

        return Case(name, compose)

    def _landmarks(self) -> list[int]:
        """Offsets behind which something else begins."""
        message = self._example
        body = message.index(b"\r\n\r\n") + 4
        length = message.index(b"\r\nContent-Length") + 2
        return sorted({message.index(b"\r\n") + 2, length, body - 2, body, len(message) - 1} - {len(message)})

    def _cuts(self) -> Iterator[Case]:
        for offset in range(1, len(self._example)):
            yield self._case(f"cut at {offset}", At((offset,)))

    def _boundaries(self) -> Iterator[Case]:
        length = len(self._example)
        body = self._example.index(b"\r\n\r\n") + 4
        near = {offset for end in {body, length} for offset in range(end - AROUND, end + AROUND + 1)}
        for pair in combinations(sorted(offset for offset in near if 0 < offset < length), 2):
            yield self._case(f"cut at {pair[0]} and {pair[1]}", At(pair))

    def _coalesced(self) -> Iterator[Case]:
        length = len(self._example)
        for count in (2, 3):
            yield self._case(f"{count} messages in one segment", Whole(), count)
        for offset in self._landmarks():
            yield self._case(f"2 messages cut at {offset} of the first", At((offset,)), 2)
            yield self._case(f"2 messages cut at {offset} of the second", At((length + offset,)), 2)
        yield self._case("2 messages cut between", At((length,)), 2)

    def _bytes(self) -> Iterator[Case]:
        yield self._case("byte by byte", Every(1))

    def _slow(self) -> Iterator[Case]:
        for offset in self._landmarks():
            yield self._case(f"slow at {offset}", At((offset,)), pause=self._pause * SLOW)


KINDS = ("cut", "boundary", "coalesced", "bytes", "slow")
"""For `--kind`."""
