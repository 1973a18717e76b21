"""We are the server: waits for calls, answers each with a 200 of a chosen size, and sees whether it is acknowledged.

Strategy: all connections are served in one loop, so that a keep-alive OPTIONS or the BYE of the last call never waits
for the call at hand. One call is answered at a time; others wait their turn. The 200 is sent once, without the
retransmissions of RFC 3261 13.3.1.4: a second one would hide what became of the first. An ACK may come on another
connection than its INVITE did.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.sip.framing import Framed, MessageFramer, Passed
from alg.sip.message import status_code
from harness.fuzz import answers, dialog
from harness.fuzz.channel import Broken, Channel, Ended, Received, poll
from harness.fuzz.classification import Kind
from harness.fuzz.drafts import Draft
from harness.fuzz.exchange import LIMITS, Transaction
from harness.fuzz.growing import Place, grow, smallest
from harness.fuzz.probing import Clock, Health, Manner, Outcome, Probe, Trial
from harness.fuzz.secure import TlsSession
from harness.fuzz.segments import Segmentation, Whole
from harness.fuzz.sending import Sending
from harness.fuzz.target import refuse_strangers

_AFTER_THE_END = 0.5
"""Seconds for an ACK on another connection, once the one that the call came on is gone."""
_OWN_BYE = 0.3
"""Seconds for the caller to hang up, until we do."""


@dataclass(slots=True, eq=False)
class _Leg:
    """One connection of a caller's."""

    channel: Channel
    framer: MessageFramer = field(default_factory=lambda: MessageFramer(LIMITS))
    ending: Ended | Broken | None = None
    sending: Sending | None = None
    """Our 200 on its way."""

    def say(self, message: bytes) -> None:
        """Send a message, behind the 200 that is on its way."""
        if self.sending is not None and self.sending.left:
            self.sending.follow(message)
        else:
            self.channel.write(message)


@dataclass(slots=True, eq=False)
class Call:
    """An INVITE that waits for its answer, and what is heard of it later."""

    leg: _Leg
    invite: Framed
    call_id: bytes
    followed: bytes = b""
    """Method of what came after it: ACK, BYE or CANCEL."""
    gone: bool = False
    """The call is over: BYE, or a BYE of ours was answered."""
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    """What came that belongs to it, each with its time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call is answered."""

    place: Place
    size: int | None
    """Bytes of the 200; None for the smallest."""
    segmentation: Segmentation = field(default_factory=Whole)
    pause: float = 0.0
    """Seconds between two segments."""


class NobodyCalled(Exception):
    """No call came in time."""


class Answerer:
    """Listens, and answers calls."""

    def __init__(
        self,
        listen: Address,
        manner: Manner,
        patience: float,
        token: Callable[[], str],
        context: ssl.SSLContext | None = None,
        owned: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.manner = manner
        self._patience = patience
        """Seconds to wait for a call."""
        self._token = token
        self._context = context
        self._owned = owned
        self._now = (clock or Clock()).now
        try:
            self._listener = socket.create_server(listen)
        except OSError as error:
            raise ConfigError(f"--listen {listen[0]}:{listen[1]}: {os.strerror(error.errno or 0)}") from None
        self._listener.setblocking(False)
        self._legs: list[_Leg] = []
        self._waiting: deque[Call] = deque()
        self._calls: dict[bytes, Call] = {}

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return host, port

    def smallest(self, place: Place) -> int:
        """The smallest 200 to the call that comes next, which stays where it is in the queue."""
        call = self._next_call()
        self._waiting.appendleft(call)
        return smallest(self._draft(call, place), place, self._here(call))

    def attempt(self, answer: Answer, name: str) -> Trial:
        """Answer the next call; what is not acknowledged is followed by a small answer to the call behind it."""
        probe, outcome = self._answer(self._next_call(), answer)
        health = None
        if not outcome.accepted:
            health = self._check(answer.place)
        return Trial(name, probe, outcome, health)

    def _check(self, place: Place) -> Health:
        try:
            _, outcome = self._answer(self._next_call(), Answer(place, None))
        except NobodyCalled as silence:
            return Health(False, 1, str(silence))
        return Health(outcome.accepted, 1, f"{outcome.label} {outcome.detail}".strip())

    def _draft(self, call: Call, place: Place) -> Draft:
        return answers.ok_draft(call.invite, place, self._here(call), self._token(), self._context is not None)

    def _here(self, call: Call) -> Address:
        """The address that the caller reaches us at."""
        return call.leg.channel.local[0], self.address[1]

    def _next_call(self) -> Call:
        end = self._now() + self._patience
        while self._now() < end:
            while self._waiting:
                call = self._waiting.popleft()
                if not (call.followed or call.leg.ending):
                    return call
            self._serve(end - self._now())
        raise NobodyCalled(f"nobody called within {self._patience:g} s")

    def _answer(self, call: Call, answer: Answer) -> tuple[Probe, Outcome]:
        start = self._now()
        here = self._here(call)
        drafted = self._draft(call, answer.place)
        size = answer.size or smallest(drafted, answer.place, here)
        message = grow(drafted, answer.place, size, here)
        transaction = Transaction(b"", call.call_id, b"ACK", message)
        probe = Probe(message, (transaction,), answer.segmentation, answer.pause)
        sending = Sending(call.leg.channel, message, answer.segmentation, answer.pause, start)
        call.leg.sending = sending
        deadline, gone_at = start + self.manner.timeout, float("inf")
        while not (call.followed and sending.over):
            now = self._now()
            if sending.advance(now):
                deadline = now + answer.pause + self.manner.timeout
            if call.leg.ending is not None and gone_at > now + _AFTER_THE_END:
                gone_at = now + _AFTER_THE_END
            end = min(deadline, gone_at)
            if now >= end:
                break
            self._serve(min(end - now, sending.patience(now)))
        kind, detail = self._verdict(call, sending)
        times = tuple(sending.sent_at), tuple((at - start, data) for at, data in call.heard), self._now() - start
        if kind is Kind.ACCEPTED:
            self._hang_up(call, message, here)
        return probe, Outcome(kind, None, detail, message, sending.cuts, *times)

    def _verdict(self, call: Call, sending: Sending) -> tuple[Kind, str]:
        if call.followed == b"ACK":
            return Kind.ACCEPTED, ""
        if call.followed:
            return Kind.REJECTED, f"{call.followed.decode()} instead of ACK"
        if isinstance(call.leg.ending, Broken):
            return Kind.RESET, call.leg.ending.reason
        if isinstance(call.leg.ending, Ended):
            garbled = call.leg.ending.reason.startswith("no SIP")
            return Kind.GARBLED if garbled else Kind.CLOSED, call.leg.ending.reason
        left = f", {sending.left} bytes were not sent" if sending.left else ""
        return Kind.SILENT, f"no ACK within {self.manner.timeout:g} s{left}"

    def _hang_up(self, call: Call, answer: bytes, here: Address) -> None:
        """Let the caller end the call, or end it."""
        self._until(lambda: call.gone, _OWN_BYE)
        if not (call.gone or call.leg.ending):
            bye = answers.bye(call.invite.data, answer, here, self._context is not None)
            if bye is not None:
                call.leg.channel.write(bye)
                self._until(lambda: call.gone, self.manner.timeout)

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = self._now() + seconds
        while not condition() and self._now() < end:
            self._serve(end - self._now())

    def _serve(self, seconds: float) -> None:
        """Wait until something happens, no longer than that, and deal with it."""
        poll([leg.channel for leg in self._legs], seconds, self._listener)
        self._accept()
        for leg in list(self._legs):
            for event in leg.channel.service():
                self._take(leg, event)

    def _accept(self) -> None:
        try:
            sock, (host, port) = self._listener.accept()
        except BlockingIOError:
            return
        try:
            refuse_strangers((host, port), "--listen", self._owned)
        except ConfigError:
            sock.close()
            return
        session = TlsSession(self._context, server_side=True) if self._context is not None else None
        self._legs.append(_Leg(Channel(sock, session)))

    def _take(self, leg: _Leg, event: Received | Ended | Broken) -> None:
        if not isinstance(event, Received):
            self._lose(leg, event)
            return
        for frame in leg.framer.feed(event.data):
            if isinstance(frame, Passed):
                if frame.error is not None:
                    leg.channel.reset()
                    self._lose(leg, Ended(f"no SIP: {frame.error}"))
                    return
            else:
                self._hear(leg, frame)

    def _lose(self, leg: _Leg, ending: Ended | Broken) -> None:
        leg.ending = ending
        self._legs.remove(leg)
        if leg.channel.over:
            leg.channel.release()

    def _hear(self, leg: _Leg, message: Framed) -> None:
        """One message of a caller's."""
        data = message.data
        call_id, (_, method) = dialog.call_id_of(data), dialog.sequence_of(data)
        call = self._calls.get(call_id)
        if call is not None:
            call.heard.append((self._now(), data))
        if status_code(data) is not None:
            if call is not None and method == b"BYE":
                call.gone = True
        elif method == b"INVITE":
            if call is None:
                self._calls[call_id] = call = Call(leg, message, call_id)
                self._waiting.append(call)
        elif method == b"ACK":
            if call is not None:
                call.followed = call.followed or b"ACK"
        else:
            self._follow(leg, data, method, call)

    def _follow(self, leg: _Leg, request: bytes, method: bytes, call: Call | None) -> None:
        """BYE, CANCEL, or something that has nothing to do with a call."""
        replies = [dialog.ok(request)]
        if call is not None and method in (b"BYE", b"CANCEL"):
            call.followed = call.followed or method
            call.gone = True
            if method == b"CANCEL":
                replies.append(dialog.response_to(call.invite.data, b"487 Request Terminated", b"sipalg"))
        for reply in replies:
            if reply is not None:
                leg.say(reply)

    def close(self) -> None:
        """Close everything, in order where the callers do the same."""
        self._listener.close()
        for leg in self._legs:
            leg.channel.close(_AFTER_THE_END, self._now)
        self._legs.clear()
