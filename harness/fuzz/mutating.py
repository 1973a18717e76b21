"""`sipalg fuzz mutate`: mutants as cases for a run, and what is done about one that failed.

A mutant that did not go as expected is made smaller: fewer operators, then less of the message, as long as the same
comes of it. The smallest is a finding of its own. What the same operators have done before is not explained again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.fuzz.expecting import Expected, Judged
from harness.fuzz.journal import ASIDE, Entry
from harness.fuzz.minimising import Minimiser, Questions, Spent, shrunk
from harness.fuzz.mutation import Mutant, Mutations, case_of
from harness.fuzz.probing import Prober, Trial
from harness.fuzz.run import Run
from harness.fuzz.sizes import Message
from harness.fuzz.spoiling import Effect, Operator

TOPICS = {Effect.HARMLESS: "harmless", Effect.SPOILT: "spoilt", Effect.UNFRAMED: "unframed"}
Outcome = tuple[str, int | None, bool, bool]
"""Class, status, whether the target came through it, and whether that showed only when the next probe was due."""


def cases_for(mutations: Mutations, count: int, message: Message) -> list[Expected]:
    """The message itself, and so many mutants."""
    return [_expected(mutations.mutant(number), mutations, message) for number in range(count + 1)]


def _expected(mutant: Mutant, mutations: Mutations, message: Message) -> Expected:
    case = case_of(mutant.name, mutant.data, mutations.base, message)
    about = "".join(f"{operator.name}: {operator.about}\n" for operator in mutant.operators) or "nothing is spoilt\n"
    return Expected(case, TOPICS[mutant.effect], mutant.expectation, about.rstrip())


def outcome_of(entry: Entry, gone: bool) -> Outcome:
    """What is to stay the same."""
    return entry.kind, entry.status, entry.alive and entry.tries <= 1 and not gone, gone


class Smaller:
    """Makes the mutants of one run smaller that failed."""

    def __init__(self, run: Run, prober: Prober, mutations: Mutations, message: Message, most: int) -> None:
        self._run = run
        self._prober = prober
        self._mutations = mutations
        self._message = message
        self._most = most
        """Questions for one mutant."""
        self._explained: dict[Outcome, list[frozenset[str]]] = {}

    def __call__(self, judged: Judged) -> None:
        """What is left of a mutant that failed, as a finding."""
        number = int(judged.expected.case.name.split()[1])
        mutant = self._mutations.mutant(number)
        outcome = outcome_of(judged.entry, bool(judged.gone))
        names = {operator.name for operator in mutant.operators}
        if any(known <= names for known in self._explained.get(outcome, [])):
            return
        questions = Questions(partial(self._same, number, outcome), self._most)
        fewer = self._fewer(mutant, questions)
        self._explained.setdefault(outcome, []).append(frozenset(operator.name for operator in fewer.operators))
        smallest = Minimiser(fewer.data, fewer.effect is Effect.HARMLESS, questions).run()
        self._keep(fewer, smallest, judged)

    def _same(self, number: int, outcome: Outcome, data: bytes) -> bool:
        """Whether the same comes of it."""
        gone = outcome[-1]
        entry = self._attempt(number, f"mutant {number} smaller", data, gone, keep=False)
        return outcome_of(entry, gone and entry.tries > 1) == outcome

    def _fewer(self, mutant: Mutant, questions: Questions) -> Mutant:
        """As few operators as still do it."""

        def fails(left: Sequence[Operator]) -> bool:
            return questions.fails(self._mutations.spoilt(mutant.number, tuple(left)).data)

        try:
            return self._mutations.spoilt(mutant.number, tuple(shrunk(mutant.operators, fails)))
        except Spent:
            return mutant

    def _keep(self, mutant: Mutant, smallest: bytes, judged: Judged) -> None:
        """Send the smallest once more, and keep it as it came out."""
        entry = self._attempt(mutant.number, f"{mutant.name} smallest", smallest, bool(judged.gone), keep=True)
        place, expected = Path(entry.finding), judged.expected
        if place.is_dir():
            before = len(self._mutations.mutant(mutant.number).data)
            text = f"expected {expected.expectation}\n{expected.about}\nmade {len(smallest)} bytes out of {before}\n"
            (place / "expected.txt").write_text(text, "utf-8")

    def _attempt(self, number: int, name: str, data: bytes, look: bool, keep: bool) -> Entry:
        """One probe more, and a `look` after the target even if it was accepted."""
        case = case_of(name, data, self._mutations.base, self._message)

        def attempt(size: int, number: int) -> Trial:
            trial = self._prober.run(case)
            return replace(trial, health=self._prober.check()) if look and trial.health is None else trial

        phase = f"{ASIDE}: mutant {number}, probe {len(self._run.entries) + 1}"
        return self._run.attempt(phase, 0, attempt, lambda trial: trial.alive and not keep)
