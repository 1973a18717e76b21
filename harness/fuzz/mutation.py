"""Mutants: a valid message, spoilt in one to three ways that a seed decides.

Strategy: a mutant is made of nothing but the seed, its number and the host that it names as its sender's: the same
seed makes the same bytes. The port and the identity of the connection that it is sent on come last, and change no
length. Each operator has its own chance, so that one can be taken away and the others still do what they did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.fuzz.drafts import Body, Draft, Sender, built_in
from harness.fuzz.exchange import Transaction
from harness.fuzz.expectation import Expectation
from harness.fuzz.growing import natural
from harness.fuzz.operators import OPERATORS
from harness.fuzz.probing import Case, Probe
from harness.fuzz.sizes import Message
from harness.fuzz.specimen import SAMPLE_PORT, SAMPLE_TOKEN, Specimen, name_of, under
from harness.fuzz.spoiling import Effect, Operator

_MOST_OPERATORS = 3
_WORST = (Effect.HARMLESS, Effect.SPOILT, Effect.SPOILT, Effect.UNFRAMED)
"""What mutants may do at worst, each as often: there are few operators that do no harm, and they find the most."""
_MORE = (
    b"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKbelow;received=192.0.2.2",
    b"Contact: <sip:sipalg@%(here)s;transport=tcp>",
    b"Supported: replaces, timer",
    b"Accept: application/sdp, text/plain;q=0.5",
    b'User-Agent: sipalg/1 (a "comment" (in (comments)))',
    b"Expires: 600",
    b"Date: Sat, 13 Nov 2010 23:29:00 GMT",
    b'Subject: =?no?, "quoted", <sip:nobody@example.com>',
)
"""Fields that built-in messages get beside their own, so that there is something to spoil."""


@dataclass(frozen=True, slots=True)
class Base:
    """The valid message that mutants are made of."""

    data: bytes
    """Under the sample address and identity."""
    host: str
    """Of the sample address."""

    @classmethod
    def of(cls, message: Message, host: str) -> Base:
        """A built-in method with a body and more fields, or a template as it is."""
        sender = Sender((message.sender or host, SAMPLE_PORT), SAMPLE_TOKEN, message.secure)
        if message.template is not None:
            draft = message.template.draft(message.uri, sender)
        else:
            draft = _enriched(built_in(message.method, message.uri or "", Body.SDP, sender), sender)
        return cls(natural(draft), sender.address[0])

    def under(self, data: bytes, here: Address, token: str) -> bytes:
        """What was made of it, with the address and the identity that it is sent with."""
        return under(data, self.host, (self.host, here[1]), token)


def _enriched(draft: Draft, sender: Sender) -> Draft:
    own = {name_of(field) for field in draft.fields} - {b"via"}
    here = b"%s:%d" % (sender.address[0].encode(), sender.address[1])
    more = [field.replace(b"%(here)s", here) for field in _MORE if name_of(field) not in own]
    fields = (*draft.fields[: draft.vias], more[0], *draft.fields[draft.vias :], *more[1:])
    return Draft(draft.start, fields, draft.body, draft.vias, draft.elastic, draft.content)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A message that was spoilt."""

    number: int
    """0 is the message itself."""
    operators: tuple[Operator, ...]
    """In the order in which they were applied."""
    data: bytes
    """Under the sample address and identity."""

    @property
    def name(self) -> str:
        """Of directories too."""
        return " ".join((f"mutant {self.number}", *(operator.name for operator in self.operators)))

    @property
    def effect(self) -> Effect:
        """Of all operators together."""
        return max((operator.effect for operator in self.operators), default=Effect.HARMLESS)

    @property
    def expectation(self) -> Expectation:
        """What may come of it."""
        return self.effect.expectation


class Mutations:
    """The mutants of one message and one seed."""

    def __init__(self, base: Base, seed: int, only: Sequence[str] = ()) -> None:
        for name in only:
            if name not in OPERATORS:
                raise ConfigError(f"--only {name}: no mutation of that name; --list has them")
        self.base = base
        self._seed = seed
        self._operators = [operator for name, operator in OPERATORS.items() if not only or name in only]

    def mutant(self, number: int) -> Mutant:
        """The mutant of that number; 0 is spoilt by nothing."""
        rng = Random(f"{self._seed}:{number}")
        worst = rng.choice(_WORST)
        pool = [operator for operator in self._operators if operator.effect <= worst] or self._operators
        count = min(rng.randint(1, _MOST_OPERATORS), len(pool)) if number else 0
        chosen = set(rng.sample(pool, count))
        return self.spoilt(number, tuple(operator for operator in self._operators if operator in chosen))

    def spoilt(self, number: int, operators: tuple[Operator, ...]) -> Mutant:
        """What these operators, all or some of those of that mutant, do to the message."""
        specimen = Specimen.of(self.base.data)
        for operator in operators:
            specimen = operator.spoil(specimen, Random(f"{self._seed}:{number}:{operator.name}"))
        return Mutant(number, operators, specimen.data)


def case_of(name: str, data: bytes, base: Base, message: Message) -> Case:
    """Bytes made of the base, to be sent under identities of their own."""

    def compose(here: Address) -> Probe:
        sent = base.under(data, here, message.tokens.next())
        return Probe(sent, (Transaction.of(sent.lstrip(b"\r\n")),))

    return Case(name, compose)
