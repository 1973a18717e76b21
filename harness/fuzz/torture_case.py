"""One torture message: its bytes, what it is about, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from alg.edge.entrance import Address
from harness.fuzz.exchange import Transaction
from harness.fuzz.expectation import Expectation
from harness.fuzz.filling import PLAIN, Filling
from harness.fuzz.probing import Case, Probe


@dataclass(frozen=True, slots=True)
class Names:
    """What messages say of their ends."""

    sender: str | None = None
    """The host that they name as their sender's; None for the connection's."""
    user: str = ""
    """Whom they are for; empty for the target's host alone."""


@dataclass(frozen=True, slots=True)
class TortureCase:
    """A message that tests a parser, not an application."""

    name: str
    """Of directories too: words with dashes."""
    source: str
    """The section of the RFC that the subject comes from."""
    message: bytes
    """With the fields of `harness.fuzz.filling`."""
    why: str
    """What the RFC says of it."""
    expect: str = "accepted"
    """In the words of `harness.fuzz.expectation`."""
    sequel: bool = False
    """A plain request follows in the same segment, and must be answered as well: the end of the message was found."""
    unanswered: bool = False
    """It is no request that anybody answers: a response, an ACK, or nothing that could be told for a request."""

    @property
    def expectation(self) -> Expectation:
        """What may come of it."""
        return Expectation.parse(self.expect)

    def probe(self, filling: Filling, sequel_token: str) -> Probe:
        """The message, filled in, and what follows it."""
        message = filling.fill(self.message)
        awaited = () if self.unanswered else (Transaction.of(message.lstrip(b"\r\n")),)
        if not self.sequel:
            return Probe(message, awaited)
        behind = replace(filling, token=sequel_token).fill(PLAIN)
        return Probe(message + behind, (*awaited, Transaction.of(behind)))

    def case(self, target: Address, secure: bool, tokens: Callable[[], str], names: Names) -> Case:
        """The same for a prober."""

        def compose(here: Address) -> Probe:
            filling = Filling(target, (names.sender or here[0], here[1]), tokens(), secure, names.user)
            return self.probe(filling, tokens())

        return Case(self.name, compose)
