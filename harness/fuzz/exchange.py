"""The caller's side of one probe: which answers are still awaited, what they make of it, and what is owed in return.

Strategy: no socket, no clock. Bytes that came in go into `received`, which returns what to send (ACK, BYE, CANCEL, 200
to the other side's BYE); how the connection ended goes into `ended`; that the time is up into `expired`. `finished`
says when there is nothing left to wait for, `verdict` what became of the probe. Nothing is left ringing: a call that is
answered is acknowledged and hung up, one that still rings when the time is up is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.config import Limits
from alg.sip.framing import MessageFramer, Passed
from alg.sip.message import status_code
from harness.fuzz import dialog
from harness.fuzz.classification import REFUSING, Kind, Verdict

LIMITS = Limits(max_header_bytes=64 * 1024 * 1024, max_body_bytes=64 * 1024 * 1024)
"""A response echoes the request's Via fields, so it may be as large as the largest probe."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """By what the responses to one request are told; an empty value fits any."""

    branch: bytes
    call_id: bytes
    method: bytes
    request: bytes
    """The whole request, for what follows from its answer."""

    @classmethod
    def of(cls, request: bytes) -> Transaction:
        """Of a request whose header fields can be read."""
        return cls(dialog.branch_of(request), dialog.call_id_of(request), dialog.sequence_of(request)[1], request)

    def differs(self, response: bytes) -> str:
        """What keeps a message from being a response to this transaction; empty if nothing does."""
        for name, own, other in (
            ("branch", self.branch, dialog.branch_of(response)),
            ("Call-ID", self.call_id, dialog.call_id_of(response)),
            ("CSeq method", self.method, dialog.sequence_of(response)[1]),
        ):
            if own and own != other:
                return f"its {name} is {other[:80]!r}, not {own!r}"
        return ""


class Exchange:
    """One probe's transactions, from its first byte to its verdict."""

    def __init__(
        self,
        transactions: tuple[Transaction, ...],
        refusing: frozenset[int] = REFUSING,
        earlier: frozenset[bytes] = frozenset(),
    ) -> None:
        assert transactions, "a probe awaits an answer, if only any"
        self._transactions = transactions
        self._refusing = refusing
        self._earlier = earlier
        """Call-IDs of probes that went over the same connection before."""
        self._framer = MessageFramer(LIMITS)
        self._finals: dict[int, int] = {}
        """Status of the final response, by transaction."""
        self._provisionals: dict[int, int] = {}
        self._cancelled: set[int] = set()
        self._hanging_up: set[int] = set()
        """Transactions whose BYE is unanswered."""
        self._garbled = ""
        self._ending = Verdict(Kind.SILENT)
        self._over = False

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._over or bool(self._garbled) or (self._answered and not self._hanging_up)

    @property
    def _answered(self) -> bool:
        return len(self._finals) == len(self._transactions)

    @property
    def verdict(self) -> Verdict:
        """What became of the probe, as far as is known."""
        if self._garbled:
            return Verdict(Kind.GARBLED, detail=self._garbled)
        refusals = [status for status in self._finals.values() if status in self._refusing]
        if refusals:
            return Verdict(Kind.REJECTED, refusals[0])
        if self._answered:
            status = next(reversed(self._finals.values()), None)
            return Verdict(Kind.ACCEPTED, status)
        detail = self._ending.detail
        if len(self._transactions) > 1:
            detail = f"{len(self._finals)} of {len(self._transactions)} answered; {detail}".removesuffix("; ")
        if self._provisionals:
            status = max(self._provisionals.values())
            detail = f"{detail}, after {status}" if detail else f"nothing final after {status}"
        return Verdict(self._ending.kind, detail=detail)

    def received(self, data: bytes) -> list[bytes]:
        """Bytes from the far end; the messages to send in return."""
        replies: list[bytes] = []
        for frame in self._framer.feed(data):
            if isinstance(frame, Passed):
                if frame.error is not None and not self._garbled:
                    self._garbled = f"no SIP: {frame.error}"
            elif status_code(frame.data) is None:
                replies += self._request(frame.data)
            else:
                replies += self._response(frame.data)
        return replies

    def ended(self, kind: Kind, reason: str) -> None:
        """The connection is gone."""
        self._over = True
        self._ending = Verdict(kind, detail=reason)
        self._check_whole()

    def expired(self) -> list[bytes]:
        """The time is up; a CANCEL of what rings gives the far end as much time again."""
        pending = [number for number in self._provisionals if number not in self._finals]
        replies = [message for number in pending if (message := self._cancel(number))]
        if not replies:
            self._over = True
            self._check_whole()
        return replies

    def _check_whole(self) -> None:
        if not self._framer.at_boundary and not self._answered and not self._garbled:
            self._garbled = "what came back ends inside a message"

    def _request(self, request: bytes) -> list[bytes]:
        """A request of the far end's: its BYE is answered and makes ours unnecessary, all else is none of ours."""
        call_id = dialog.call_id_of(request)
        known = {number for number, each in enumerate(self._transactions) if each.call_id == call_id}
        if dialog.method_of(request) != b"BYE" or not known:
            return []
        self._hanging_up -= known
        answer = dialog.ok(request)
        return [answer] if answer else []

    def _response(self, response: bytes) -> list[bytes]:
        status = status_code(response) or 0
        differences: list[str] = []
        for number, transaction in enumerate(self._transactions):
            difference = transaction.differs(response)
            if not difference:
                return self._answer(number, status, response)
            differences.append(difference)
        call_id, (_, method) = dialog.call_id_of(response), dialog.sequence_of(response)
        own = {each.call_id for each in self._transactions}
        if call_id in own and method in (b"ACK", b"BYE", b"CANCEL"):
            if method == b"BYE" and status >= 200:
                self._hanging_up = {
                    number for number in self._hanging_up if self._transactions[number].call_id != call_id
                }
        elif call_id not in self._earlier:
            self._garbled = f"a response {status} that belongs to no request of ours: {differences[0]}"
        return []

    def _answer(self, number: int, status: int, response: bytes) -> list[bytes]:
        """A response to one of our transactions."""
        invite = self._transactions[number].method == b"INVITE"
        request = self._transactions[number].request
        if status < 200:
            self._provisionals[number] = status
            return []
        repeated = number in self._finals
        self._finals.setdefault(number, status)
        if not invite:
            return []
        if status >= 300:
            ack = dialog.ack_failure(request, response)
            return [ack] if ack else []
        follow_ups = [dialog.in_dialog(b"ACK", request, response)]
        if not repeated:
            follow_ups.append(dialog.in_dialog(b"BYE", request, response, steps=1))
            if follow_ups[-1] is not None:
                self._hanging_up.add(number)
        return [message for message in follow_ups if message]

    def _cancel(self, number: int) -> bytes | None:
        if number in self._cancelled or self._transactions[number].method != b"INVITE":
            return None
        self._cancelled.add(number)
        return dialog.cancel(self._transactions[number].request)
