"""What a scenario is: a failure told as a declaration, a way to see it happen, and the signs by which it is recognised.

Strategy: seeing and judging are apart. `observe` sends real traffic, with the fault or with the cure, and returns an
`Observation`, which is plain values; a `Sign` looks into one and says what it found, without a socket or a clock. So
what was observed in one form can be judged by the signs of the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from harness.scenarios.needs import Need
from harness.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one run."""

    facts: Mapping[str, str]
    """What the parties noticed, and what a capture shows: each question with its answer, such as `200 to INVITE`."""
    logs: Mapping[str, str] = field(default_factory=dict)
    """By the name of the peer that wrote it."""
    strangers: tuple[str, ...] = ()
    """Parts that somebody else played, who tells nothing, and questions that are open because of that."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign as it was looked for."""

    what: str
    expected: str
    found: str

    @property
    def shown(self) -> bool:
        """It is there."""
        return self.found == self.expected


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that tells a form of a scenario."""

    what: str
    """Where to look: `callee: SIP that arrives`, `log of Expressway-E`."""
    expected: str
    look: Callable[[Observation], str]
    """What is found there; `expected` if and only if the sign is there."""
    witnesses: tuple[str, ...] = ()
    """Parts without whom nobody can tell, or a question that may be open: where one of them is among the strangers, the
    sign is not asked for.
    """

    def check(self, observation: Observation) -> Evidence:
        """The sign, expected and found."""
        return Evidence(self.what, self.expected, self.look(observation))


NOT_THERE = "not there"
"""What is found of a text that is missing."""


def fact(what: str, expected: str, *witnesses: str) -> Sign:
    """A question of `Observation.facts` has this answer."""
    return Sign(what, expected, lambda observation: observation.facts.get(what, NOT_THERE), witnesses)


def says(peer: str, text: str, *witnesses: str) -> Sign:
    """The log of a peer has this text; the peer is a witness of it, and maybe others are."""
    return Sign(
        f"log of {peer}",
        text,
        lambda seen: text if text in seen.logs.get(peer, "") else NOT_THERE,
        (_part(peer), *witnesses),
    )


def says_nothing_of(peer: str, text: str) -> Sign:
    """The log of a peer is there, and has no such text; the peer is a witness of it."""

    def look(observation: Observation) -> str:
        log = observation.logs.get(peer)
        if log is None:
            return "no log"
        return text if text in log else NOT_THERE

    return Sign(f"log of {peer}: {text}", NOT_THERE, look, (_part(peer),))


def _part(log: str) -> str:
    """Whose log it is: `expressway-e` of `Expressway-E`, `cucm` of `CUCM SDL trace`."""
    return log.partition(" ")[0].lower()


@dataclass(frozen=True, slots=True)
class Part:
    """One peer that takes part, in whose place a real one may be."""

    name: str
    """As `--peer` has it."""
    host: int
    """Of the address of the built-in one, in the network of the run."""
    ports: str
    """Where the built-in one listens, such as `TCP 5060`; empty if nowhere."""
    duty: str
    """What a real one has to do, in a sentence without a subject: `calls sip:bob@example.com at host 3, port 5062`."""
    tls: bool = False
    """It shows certificates or judges them: those of `--certs`, as nobody knows others."""


Observe = Callable[[Stage, bool], Awaitable[Observation]]
"""Gets the stage and whether the cure is applied."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One failure."""

    name: str
    title: str
    """One line."""
    source: str
    """The document and the problem in it, or the behaviour of an ALG and who has it."""
    topology: str
    """A drawing of a few lines."""
    happens: str
    """What is broken, and what follows from it."""
    look: str
    """How it is recognised in the field, in sentences."""
    wireshark: str
    """A display filter that shows it in a capture, of the failure."""
    cure: str
    observe: Observe
    failure: tuple[Sign, ...]
    """Of the broken form."""
    success: tuple[Sign, ...]
    """Of the cured one."""
    log: tuple[str, ...] = ()
    """Lines of a log to search for, where there is one."""
    label: str = ""
    """Its short name in the lists of the guides, such as `T4`."""
    parts: tuple[Part, ...] = ()
    """Who takes part."""
    needs: tuple[Need, ...] = ()
    """What the machine has to have."""

    @property
    def replaceable(self) -> tuple[str, ...]:
        """Names of the parts that a real peer may play."""
        return tuple(part.name for part in self.parts)

    def signs(self, fixed: bool) -> tuple[Sign, ...]:
        """Those of one form."""
        return self.success if fixed else self.failure


FORMS: Mapping[bool, str] = {False: "failure", True: "cure"}
"""Names of the two forms, by whether the cure is applied."""
