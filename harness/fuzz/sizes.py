"""Cases of exact sizes: a method or a template, a place where it grows, a way to cut it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from alg.connection import Alg
from alg.direction import Direction
from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.fuzz.drafts import METHODS, Body, Draft, Sender, Template, built_in
from harness.fuzz.exchange import Transaction
from harness.fuzz.growing import Place, grow, natural, smallest
from harness.fuzz.probing import Case, Probe
from harness.fuzz.segments import Segmentation, Whole

_WIDEST_PORT = 65535


@dataclass(slots=True)
class Tokens:
    """Identities of transactions: a run's nonce and a number, always of the same length.

    The nonce is not to come from the seed: a server takes what it has seen in the last half minute for retransmitted.
    """

    nonce: str
    """Ten characters that no other run has."""
    _numbers: Iterator[int] = field(default_factory=count)

    def next(self) -> str:
        """Never the same twice."""
        return f"{self.nonce}{next(self._numbers) % 0x1000000:06x}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, before it has a size."""

    method: str
    """One of METHODS, or the path of a template."""
    uri: str | None
    """Request-URI; None for that of the template."""
    secure: bool
    tokens: Tokens
    sender: str | None = None
    """The host that the message names as its sender's; None for the connection's."""
    template: Template | None = None

    @classmethod
    def choose(
        cls, method: str, uri: str | None, target: Address, secure: bool, tokens: Tokens, sender: str | None = None
    ) -> Message:
        """A built-in method by its name in any case, else a template file."""
        if method.upper() in METHODS:
            return cls(method.upper(), uri or f"sip:{target[0]}:{target[1]}", secure, tokens, sender)
        return cls(method, uri, secure, tokens, sender, Template(method))

    def draft(self, body: Body, here: Address) -> Draft:
        """A draft that has such a body, under an identity of its own."""
        sender = Sender(self.named(here), self.tokens.next(), self.secure)
        if self.template is None:
            return built_in(self.method, self.uri or "", body, sender)
        if body not in (Body.PLAIN, self.template.body):
            raise ConfigError(f"--grow: {self.method} has no {body.value} body that could grow")
        return self.template.draft(self.uri, sender)

    def named(self, here: Address) -> Address:
        """The address that the message names as its sender's."""
        return self.sender or here[0], here[1]

    def small(self) -> Case:
        """The message without growth: what a healthy endpoint answers."""

        def compose(here: Address) -> Probe:
            message = natural(self.draft(Body.PLAIN, here))
            return Probe(message, (Transaction.of(message),))

        return Case("small", compose)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Makes cases of a size."""

    message: Message
    place: Place
    segmentation: Callable[[int], Segmentation] = lambda number: Whole()
    """Given the number of the probe."""
    pause: float = 0.0
    """Seconds between two segments."""

    def smallest(self, host: str) -> int:
        """The size of the smallest message, sent from any port of a host."""
        here = self.message.named((host, _WIDEST_PORT))
        return smallest(self.message.draft(self.place.body, here), self.place, here)

    def case(self, size: int, number: int) -> Case:
        """A message of that size, the probe of that number."""

        def compose(here: Address) -> Probe:
            message = self.grown(size, here)
            return Probe(message, (Transaction.of(message),), self.segmentation(number), self.pause)

        return Case(f"size {size}", compose)

    def grown(self, size: int, here: Address) -> bytes:
        """A message of that size."""
        return grow(self.message.draft(self.place.body, here), self.place, size, self.message.named(here))

    def largest_that_fits(self, limit: int, alg: Alg, host: str) -> int:
        """The largest size up to twice `limit` that is no larger than it behind the ALG; the smallest if none is."""
        low, high = self.smallest(host), limit + 1
        while self._rewritten(high, alg, host) <= limit and high < 2 * limit:
            high += max(1, high - limit)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._rewritten(middle, alg, host) <= limit else (low, middle)
        return low

    def _rewritten(self, size: int, alg: Alg, host: str) -> int:
        message = self.grown(size, (host, _WIDEST_PORT))
        return len(alg.connection().feed(Direction.OUTWARD, message))
