"""Looks for the limit of an endpoint, size by size, without sending anything.

Strategy: a search is a generator that yields the next size to try and is sent whether it was accepted; it returns what
it `Found`. `bisect` asks both ends, halves the gap below the smallest refusal, samples sizes on either side of what it
found (an endpoint that refuses 4096 and takes 4097 is not monotonic, and halving alone would not notice), and asks each
side of the limit three times. A sample that contradicts moves the search to the smallest refusal that is known by then.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

CONFIRMATIONS = 3
"""How often each side of the limit is asked in all."""
SAMPLES = 4
"""Sizes that are tried on each side of the limit beside those that halving came across."""
SAMPLES_WITHOUT_LIMIT = 16
"""Sizes that are tried where both ends are accepted or both are refused."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found."""

    largest_accepted: int | None
    """The largest size that was accepted whenever it was asked."""
    smallest_refused: int | None
    """The smallest size that was refused at least once."""
    monotonic: bool
    """Whether everything below the smallest refusal was accepted and everything above refused, every time."""
    contradictions: tuple[str, ...]
    """Why it is not, for a person."""


@dataclass(slots=True)
class Answers:
    """What is known of each size."""

    by_size: dict[int, list[bool]] = field(default_factory=dict)

    def add(self, size: int, accepted: bool) -> None:
        """One more answer."""
        self.by_size.setdefault(size, []).append(accepted)

    @property
    def refused(self) -> int | None:
        """The smallest size that was refused at least once."""
        return min((size for size, answers in self.by_size.items() if not all(answers)), default=None)

    @property
    def accepted(self) -> int | None:
        """The largest size that was never refused, below the smallest refusal."""
        refused = self.refused
        sizes = (size for size, answers in self.by_size.items() if all(answers))
        return max((size for size in sizes if refused is None or size < refused), default=None)

    def found(self) -> Found:
        """What it comes to."""
        largest = max((size for size, answers in self.by_size.items() if all(answers)), default=None)
        mixed = [size for size, answers in sorted(self.by_size.items()) if len(set(answers)) > 1]
        contradictions = [f"{size} bytes were accepted and refused in turn" for size in mixed]
        refused = self.refused
        if refused is not None and largest is not None and largest > refused:
            contradictions.append(f"{largest} bytes were accepted although {refused} were refused")
        return Found(largest, refused, not contradictions, tuple(contradictions))


Search = Generator[int, bool, Found]


def bisect(low: int, high: int, rng: random.Random, guess: int | None = None) -> Search:
    """Search from `low` to `high`, both included; `guess` is where the largest accepted size is expected."""
    answers = Answers()
    first = [low, high] if guess is None or not low < guess < high else [low, guess, guess + 1, high]
    for size in first:
        if size not in answers.by_size:
            answers.add(size, (yield size))
        if not answers.by_size[low][0]:
            break
    yield from _halve(answers)
    for size in _samples(answers, low, high, rng):
        answers.add(size, (yield size))
    while True:
        yield from _halve(answers)
        sides = (answers.accepted, answers.refused)
        missing = [size for size in sides if size is not None and len(answers.by_size[size]) < CONFIRMATIONS]
        if not missing:
            return answers.found()
        answers.add(missing[0], (yield missing[0]))


def _halve(answers: Answers) -> Generator[int, bool, None]:
    """Close the gap below the smallest refusal."""
    while (refused := answers.refused) is not None and (accepted := answers.accepted) is not None:
        if refused - accepted == 1:
            return
        middle = (accepted + refused) // 2
        answers.add(middle, (yield middle))


def _samples(answers: Answers, low: int, high: int, rng: random.Random) -> Iterator[int]:
    """Sizes by chance, spread evenly by their logarithm over what lies below the limit and over what lies above it."""
    refused, accepted = answers.refused, answers.accepted
    if refused is None or accepted is None:
        ranges = [(low + 1, high - 1, SAMPLES_WITHOUT_LIMIT)]
    else:
        ranges = [(low + 1, accepted - 1, SAMPLES), (refused + 1, high - 1, SAMPLES)]
    for start, stop, count in ranges:
        if start > stop:
            continue
        ratio = (stop + 1) / start
        chosen = {int(start * ratio ** ((number + rng.random()) / count)) for number in range(count)}
        yield from sorted(size for size in chosen if start <= size <= stop and size not in answers.by_size)


def step(low: int, high: int, by: int) -> Search:
    """Try `low`, `low + by` and so on, and `high`."""
    answers = Answers()
    for size in (*range(low, high, by), high):
        answers.add(size, (yield size))
    return answers.found()


def most_probes(low: int, high: int, by: int | None) -> int:
    """About how many probes a search will take, for a progress bar."""
    if by is not None:
        return (high - low) // by + 2
    return 2 + max(1, high - low).bit_length() + 2 * SAMPLES + 2 * (CONFIRMATIONS - 1)
