"""One torture message as a case: what is sent, and what is awaited."""

from __future__ import annotations

from harness.fuzz.filling import PLAIN, request
from harness.fuzz.sizes import Tokens
from harness.fuzz.torture_case import Names, TortureCase

TARGET, HERE = ("127.0.0.1", 5060), ("127.0.0.2", 40000)


tokens = Tokens("0123456789").next


def test_a_case_is_filled_in_when_it_is_sent() -> None:
    """With the connection's address; another identity every time."""
    case = TortureCase("name", "RFC", PLAIN, "why").case(TARGET, False, tokens, Names())
    first, second = case.compose(HERE), case.compose(HERE)
    assert case.name == "name"
    assert b" 127.0.0.2:40000;branch=" in first.data
    assert first.transactions[0].branch != second.transactions[0].branch
    assert first.transactions[0].request == first.data


def test_names() -> None:
    """Of the sender, whose port stays the connection's, and of the user."""
    case = TortureCase("name", "RFC", PLAIN, "why").case(TARGET, True, tokens, Names("10.0.30.2", "ann"))
    data = case.compose(HERE).data
    assert b"Via: SIP/2.0/TLS 10.0.30.2:40000;" in data
    assert data.startswith(b"OPTIONS sip:ann@127.0.0.1:5060 ")


def test_a_sequel_is_awaited_as_well() -> None:
    """A plain request behind, of its own identity."""
    case = TortureCase("name", "RFC", request(body=b"x"), "why", sequel=True)
    probe = case.case(TARGET, False, tokens, Names()).compose(HERE)
    first, second = probe.transactions
    assert probe.data == first.request + second.request
    assert first.call_id != second.call_id


def test_what_nobody_answers_is_not_awaited() -> None:
    """Only what follows it."""
    case = TortureCase("name", "RFC", b"SIP/2.0 200 OK\n{usual}\n\n", "why", sequel=True, unanswered=True)
    probe = case.case(TARGET, False, tokens, Names()).compose(HERE)
    (transaction,) = probe.transactions
    assert probe.data.endswith(transaction.request)
    assert transaction.request.startswith(b"OPTIONS ")


def test_expected_as_written() -> None:
    """Accepted, unless something else is written."""
    assert TortureCase("n", "s", b"", "w").expectation.allows("accepted", 200)
    assert not TortureCase("n", "s", b"", "w", "4xx").expectation.allows("accepted", 200)
