"""We are the server: calls come, and are answered with 200s that grow."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Protocol

import pytest

from alg.errors import ConfigError
from harness.fuzz.answering import Answer, Answerer, NobodyCalled
from harness.fuzz.classification import Kind
from harness.fuzz.growing import PLACES, TooSmall
from harness.fuzz.probing import Manner
from harness.fuzz.segments import Every
from harness.fuzz.sizes import Tokens
from harness.fuzz.target import TlsOptions
from tests.harness.conftest import Pki
from tests.harness.fuzz.callers import Caller
from tests.harness.fuzz.servers import LOOPBACK
from tests.helpers.system import PATIENCE, eventually

LIMIT = 2000


class Listen(Protocol):
    """Starts to listen, and somebody calls."""

    def __call__(self, timeout: float = PATIENCE, patience: float = PATIENCE, **caller: Any) -> tuple[Answerer, Caller]:
        """`caller` are options of Caller."""


@pytest.fixture
def listen() -> Iterator[Listen]:
    """All of it ends with the test."""
    running: list[tuple[Answerer, Caller]] = []

    def start(timeout: float = PATIENCE, patience: float = PATIENCE, **caller: Any) -> tuple[Answerer, Caller]:
        us = answerer(timeout, patience)
        running.append((us, Caller(us.address[1], **caller)))
        return running[-1]

    yield start
    for us, caller in running:
        caller.stop()
        us.close()


def answerer(timeout: float = PATIENCE, patience: float = PATIENCE, context: ssl.SSLContext | None = None) -> Answerer:
    """Listening on a free port."""
    return Answerer((LOOPBACK, 0), Manner(timeout=timeout), patience, Tokens("0123456789").next, context)


def answer(size: int | None, grow: str = "sdp-attributes") -> Answer:
    """A 200 of that size."""
    return Answer(PLACES[grow], size)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("grow", ["header", "record-route", "sdp-attributes", "multipart"])
def test_a_200_of_exactly_that_size(listen: Listen, early: bool, grow: str) -> None:
    """The caller acknowledges it, and we hang up."""
    us, caller = listen(early=early)
    trial = us.attempt(answer(LIMIT, grow), "size")
    assert trial.outcome.kind is Kind.ACCEPTED
    assert trial.outcome.sent == caller.answers[0]
    assert len(trial.outcome.sent) == LIMIT
    assert caller.byes == 1
    assert any(data.startswith(b"ACK ") for _, data in trial.outcome.received)


def test_a_caller_that_hangs_up_itself(listen: Listen) -> None:
    """Its BYE is answered; ours is not sent."""
    us, caller = listen(hangs_up=True)
    for _ in range(3):
        assert us.attempt(answer(LIMIT), "size").outcome.accepted
    assert caller.byes == 0


@pytest.mark.parametrize(
    ("refuses", "kind"),
    [
        ("closed", Kind.CLOSED),
        ("reset", Kind.RESET),
        ("silent", Kind.SILENT),
        ("garbled", Kind.GARBLED),
        ("bye", Kind.REJECTED),
    ],
)
def test_a_200_that_is_not_taken(listen: Listen, refuses: str, kind: Kind) -> None:
    """A class for each way; the call behind it gets a small 200, which is taken."""
    us, caller = listen(limit=LIMIT, refuses=refuses, timeout=0.5 if refuses == "silent" else PATIENCE)
    trial = us.attempt(answer(LIMIT + 1), "size")
    assert trial.outcome.kind is kind
    assert trial.health is not None
    assert trial.health.alive
    assert len(caller.answers[1]) < 900


def test_a_caller_that_does_not_call_again(listen: Listen) -> None:
    """It did not survive, as far as can be told."""
    us, _ = listen(limit=LIMIT, refuses="gone", patience=0.5)
    trial = us.attempt(answer(LIMIT + 1), "size")
    assert trial.outcome.kind is Kind.CLOSED
    assert trial.health is not None
    assert (trial.health.alive, trial.health.detail) == (False, "nobody called within 0.5 s")


def test_nobody_calls() -> None:
    """Waits as long as it is told."""
    with closing(answerer(patience=0.05)) as us, pytest.raises(NobodyCalled, match=r"nobody called within 0\.05 s"):
        us.attempt(answer(LIMIT), "size")


def test_the_smallest_is_told_without_answering(listen: Listen) -> None:
    """The call waits, and gets what is asked for then."""
    us, caller = listen()
    smallest = us.smallest(PLACES["header"])
    assert caller.answers == []
    trial = us.attempt(answer(smallest, "header"), "size")
    assert len(trial.outcome.sent) == smallest
    with pytest.raises(TooSmall):
        us.attempt(answer(100, "header"), "size")


def test_segments(listen: Listen) -> None:
    """A 200 is cut like any probe."""
    us, _ = listen()
    outcome = us.attempt(Answer(PLACES["header"], 1000, Every(300), 0.01), "size").outcome
    assert outcome.cuts == (300, 600, 900)
    assert len(outcome.sent_at) == 4


def test_pings_are_answered_meanwhile(listen: Listen) -> None:
    """A keep-alive OPTIONS on another connection does not wait for a call's end."""
    us, caller = listen()
    with socket.create_connection((LOOPBACK, us.address[1]), PATIENCE) as other:
        other.sendall(
            b"OPTIONS sip:us SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKp\r\nFrom: <sip:x>;tag=x\r\nTo: <sip:us>\r\n"
            b"Call-ID: ping\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        us.attempt(answer(LIMIT), "size")
        us.attempt(answer(LIMIT), "size")
        assert other.recv(100).startswith(b"SIP/2.0 200 OK\r\n")
    assert len(caller.answers) == 2


def test_a_ping_in_the_middle_of_a_200() -> None:
    """It came on the same connection while segments of the 200 were still held back: its answer comes behind them."""
    with closing(answerer()) as us, socket.create_connection((LOOPBACK, us.address[1]), PATIENCE) as other:
        request = (
            b"%s sip:us SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK%s\r\nFrom: <sip:x>;tag=x\r\nTo: <sip:us>\r\n"
            b"Call-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
        )
        other.sendall(request % ((b"INVITE",) * 4))

        def acknowledge() -> None:
            eventually("a segment has come", lambda: len(other.recv(4096, socket.MSG_PEEK)) > 0)
            other.sendall(request % ((b"OPTIONS",) * 4))
            eventually("the 200 has come", lambda: len(other.recv(4096, socket.MSG_PEEK)) > 1000)
            other.sendall(request % (b"ACK", b"ACK", b"INVITE", b"ACK"))
            other.sendall(request % (b"BYE", b"BYE", b"INVITE", b"BYE"))

        thread = threading.Thread(target=acknowledge)
        thread.start()
        trial = us.attempt(Answer(PLACES["header"], 1000, Every(300), 0.1), "size")
        thread.join(PATIENCE)
        assert trial.outcome.accepted
        came = other.recv(4096)
    assert came.startswith(trial.outcome.sent)
    assert came[1000:].startswith(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKOPTIONS\r\n")


def test_a_cancelled_call() -> None:
    """Its INVITE is answered with 487, and is no probe."""
    with closing(answerer()) as us, socket.create_connection((LOOPBACK, us.address[1]), PATIENCE) as other:
        for method in (b"INVITE", b"CANCEL"):
            other.sendall(
                method
                + b" sip:us SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKc\r\nFrom: <sip:x>;tag=x\r\nTo: <sip:us>\r\n"
                b"Call-ID: cancelled\r\nCSeq: 1 " + method + b"\r\nContent-Length: 0\r\n\r\n"
            )
        seen: list[bytes] = []

        def heard() -> bool:
            us._serve(0.01)
            other.settimeout(0.01)
            try:
                seen.append(other.recv(65536))
            except TimeoutError:
                return False
            return b"487" in b"".join(seen)

        eventually("the INVITE is answered", heard)
    assert b"SIP/2.0 200 OK" in b"".join(seen)


def test_over_tls(pki: Pki) -> None:
    """The server shows its certificate; the caller's connection is encrypted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with closing(answerer(context=TlsOptions(str(pki.server)).server_context())) as us:
        caller = Caller(us.address[1], context=context)
        trial = us.attempt(answer(LIMIT), "size")
        caller.stop()
    assert trial.outcome.accepted
    assert b"transport=tls" in trial.outcome.sent


def test_an_address_that_is_taken() -> None:
    """Named with its option."""
    with (
        closing(answerer()) as us,
        pytest.raises(ConfigError, match=r"^--listen 127\.0\.0\.1:\d+: Address already in use$"),
    ):
        Answerer(us.address, Manner(), 1.0, Tokens("0123456789").next)
