"""What answers make of a probe, and what is owed in return: transcripts without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fuzz.classification import REFUSING, Kind
from harness.fuzz.drafts import Sender
from harness.fuzz.exchange import Exchange, Transaction
from harness.fuzz.growing import natural
from tests.harness.fuzz.messages import HERE, draft_for

OPTIONS = natural(draft_for("OPTIONS", "header"))
INVITE = natural(draft_for("INVITE", "header"))
SECOND = natural(draft_for("OPTIONS", "header", Sender(HERE, "fedcba9876543210")))


def answer(request: bytes, status: int, method: bytes | None = None) -> bytes:
    """A response, composed by hand."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in lines if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
    if method:
        kept = [line if not line.startswith(b"CSeq") else b"CSeq: 1 " + method for line in kept]
    kept = [line + b";tag=far" * line.startswith(b"To:") for line in kept]
    return b"\r\n".join(
        [b"SIP/2.0 %d Word" % status, *kept, b"Contact: <sip:far@192.0.2.7>", b"Content-Length: 0\r\n\r\n"]
    )


def exchange(
    *requests: bytes, refusing: frozenset[int] = REFUSING, earlier: frozenset[bytes] = frozenset()
) -> Exchange:
    """A probe of these requests."""
    return Exchange(tuple(Transaction.of(request) for request in requests), refusing, earlier)


def first_lines(messages: list[bytes]) -> list[bytes]:
    """What kind of messages they are."""
    return [message.partition(b" ")[0] for message in messages]


@pytest.mark.parametrize("status", [200, 202, 302, 404, 405, 415, 480, 486, 488, 503, 603])
def test_a_final_response_is_acceptance(status: int) -> None:
    """Whatever it says, somebody has read the message."""
    probe = exchange(OPTIONS)
    assert probe.received(answer(OPTIONS, status)) == []
    assert probe.finished
    assert (probe.verdict.kind, probe.verdict.status) == (Kind.ACCEPTED, status)


@pytest.mark.parametrize("status", [400, 413, 414, 500, 513])
def test_a_response_that_says_it_was_not_taken(status: int) -> None:
    """A refusal with its status."""
    probe = exchange(OPTIONS)
    probe.received(answer(OPTIONS, status))
    assert probe.finished
    assert (probe.verdict.kind, probe.verdict.status) == (Kind.REJECTED, status)


def test_what_counts_as_refusal_can_be_widened() -> None:
    """408 behind a proxy."""
    probe = exchange(OPTIONS, refusing=REFUSING | {408})
    probe.received(answer(OPTIONS, 408))
    assert probe.verdict.label == "rejected 408"


@given(st.integers(1, 400))
def test_any_segmentation_of_the_answer(cut: int) -> None:
    """A response in two pieces is one response."""
    probe, data = exchange(OPTIONS), b"\r\n\r\n" + answer(OPTIONS, 100) + answer(OPTIONS, 200)
    for piece in (data[:cut], data[cut:]):
        probe.received(piece)
    assert probe.finished
    assert probe.verdict.label == "accepted 200"


def test_an_answered_call_is_acknowledged_and_hung_up() -> None:
    """200, then ACK and BYE at once; finished when the BYE is answered."""
    probe = exchange(INVITE)
    assert probe.received(answer(INVITE, 180)) == []
    ack, bye = probe.received(answer(INVITE, 200))
    assert ack.startswith(b"ACK sip:far@192.0.2.7 ")
    assert b"\r\nCSeq: 2 BYE\r\n" in bye
    assert not probe.finished
    probe.received(answer(bye, 200))
    assert probe.finished
    assert probe.verdict.label == "accepted 200"


def test_a_repeated_200_is_acknowledged_again() -> None:
    """Once more ACK, no second BYE (13.2.2.4)."""
    probe = exchange(INVITE)
    probe.received(answer(INVITE, 200))
    assert first_lines(probe.received(answer(INVITE, 200))) == [b"ACK"]


def test_a_call_that_the_other_side_hangs_up() -> None:
    """Its BYE is answered, and nothing more is awaited."""
    probe = exchange(INVITE)
    _, bye = probe.received(answer(INVITE, 200))
    (ok,) = probe.received(bye)
    assert ok.startswith(b"SIP/2.0 200 OK\r\n")
    assert probe.finished


def test_a_failed_call_is_acknowledged() -> None:
    """ACK of 486, in the INVITE's own transaction."""
    probe = exchange(INVITE)
    (ack,) = probe.received(answer(INVITE, 486))
    assert b";branch=z9hG4bK0123456789abcdef\r\n" in ack
    assert probe.finished


def test_a_call_that_rings_is_cancelled() -> None:
    """When the time is up: CANCEL, its 200 is not the answer, 487 is."""
    probe = exchange(INVITE)
    probe.received(answer(INVITE, 180))
    (cancel,) = probe.expired()
    assert cancel.startswith(b"CANCEL ")
    assert probe.received(answer(INVITE, 200, b"CANCEL")) == []
    assert not probe.finished
    assert first_lines(probe.received(answer(INVITE, 487))) == [b"ACK"]
    assert probe.verdict.label == "accepted 487"


def test_a_call_that_rings_for_ever() -> None:
    """Silent, after 180."""
    probe = exchange(INVITE)
    probe.received(answer(INVITE, 180))
    assert first_lines(probe.expired()) == [b"CANCEL"]
    assert probe.expired() == []
    assert probe.finished
    assert (probe.verdict.kind, probe.verdict.detail) == (Kind.SILENT, "nothing final after 180")


def test_nothing_is_cancelled_before_a_provisional_response() -> None:
    """RFC 3261 9.1."""
    probe = exchange(INVITE)
    assert probe.expired() == []
    assert probe.verdict.kind is Kind.SILENT


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.CLOSED])
def test_the_connection_goes_before_the_answer(kind: Kind) -> None:
    """A class each, with the reason."""
    probe = exchange(OPTIONS)
    probe.ended(kind, "why")
    assert probe.finished
    assert (probe.verdict.kind, probe.verdict.detail) == (kind, "why")


def test_an_answer_counts_although_the_connection_goes() -> None:
    """513 and a reset behind it: rejected."""
    probe = exchange(OPTIONS)
    probe.received(answer(OPTIONS, 513))
    probe.ended(Kind.RESET, "connection reset")
    assert probe.verdict.label == "rejected 513"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no SIP"),
        (answer(SECOND, 200), "its branch is"),
        (answer(OPTIONS, 200).replace(b"Call-ID: 0", b"Call-ID: 1"), "its Call-ID is"),
        (answer(OPTIONS, 200, b"REGISTER"), "its CSeq method is"),
        (b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "its branch is"),
        (b"SIP/2.0 200 OK\r\nContent-Length: x\r\n\r\n", "Content-Length is no number"),
    ],
)
def test_what_is_no_answer_of_ours(data: bytes, why: str) -> None:
    """Garbled, with what is wrong."""
    probe = exchange(OPTIONS)
    probe.received(data)
    assert probe.finished
    assert probe.verdict.kind is Kind.GARBLED
    assert why in probe.verdict.detail


@pytest.mark.parametrize("how", ["ended", "expired"])
def test_half_an_answer(how: str) -> None:
    """A response that breaks off."""
    probe = exchange(OPTIONS)
    probe.received(answer(OPTIONS, 200)[:-10])
    if how == "ended":
        probe.ended(Kind.CLOSED, "connection closed")
    else:
        probe.expired()
    assert (probe.verdict.kind, probe.verdict.detail) == (Kind.GARBLED, "what came back ends inside a message")


def test_a_late_answer_to_an_earlier_probe() -> None:
    """On a connection that is used again it is no fault."""
    probe = exchange(OPTIONS, earlier=frozenset({b"fedcba9876543210"}))
    probe.received(answer(SECOND, 200))
    assert not probe.finished
    probe.received(answer(OPTIONS, 200))
    assert probe.verdict.kind is Kind.ACCEPTED


def test_requests_of_the_far_end_are_none_of_ours() -> None:
    """Its own OPTIONS ping neither counts nor is answered."""
    probe = exchange(OPTIONS)
    assert probe.received(SECOND) == []
    assert not probe.finished


def test_several_requests_in_one_probe() -> None:
    """All are to be answered, in any order; one that is not is told."""
    probe = exchange(OPTIONS, SECOND)
    probe.received(answer(SECOND, 200))
    assert not probe.finished
    probe.expired()
    assert (probe.verdict.kind, probe.verdict.detail) == (Kind.SILENT, "1 of 2 answered")
    probe = exchange(OPTIONS, SECOND)
    probe.received(answer(SECOND, 200) + answer(OPTIONS, 200))
    assert probe.finished
    assert probe.verdict.kind is Kind.ACCEPTED


def test_an_empty_value_fits_any() -> None:
    """Whoever breaks a branch on purpose awaits whatever comes."""
    probe = Exchange((Transaction(b"", b"", b"", b""),))
    probe.received(answer(OPTIONS, 400))
    assert probe.verdict.label == "rejected 400"


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything(data: bytes) -> None:
    """A far end may send what it likes."""
    probe = exchange(INVITE)
    probe.received(data)
    probe.received(answer(INVITE, 200)[:100] + data)
    probe.expired()
    assert probe.verdict.kind in Kind
