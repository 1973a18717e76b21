"""Mutants: the same seed, the same bytes; valid before they are spoilt."""

from __future__ import annotations

from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.drafts import METHODS
from harness.fuzz.mutation import Base, Mutations, case_of
from harness.fuzz.operators import OPERATORS
from harness.fuzz.specimen import SAMPLE_TOKEN, Specimen
from harness.fuzz.spoiling import Effect
from tests.harness.fuzz.dissected import dissected
from tests.harness.fuzz.operators.spoils import BASE, HOST, message

HERE = (HOST, 40001)


def mutations(seed: int = 1, *only: str) -> Mutations:
    """Of an OPTIONS."""
    return Mutations(BASE, seed, only)


def test_the_base_is_valid(tmp_path: Path) -> None:
    """Every method's, as tshark sees it, and its length is right."""
    bases = [Base.of(message(method), HOST).data for method in METHODS]
    for method, data, found in zip(METHODS, bases, dissected(tmp_path, bases), strict=True):
        assert not found.malformed, method
        assert (found.call_ids, found.methods) == ([SAMPLE_TOKEN], [method])
        assert Specimen.of(data).honest
        assert data.count(b"\r\nContact:") == 1


def test_the_same_seed_makes_the_same_bytes() -> None:
    """And another one others."""
    first, again, other = ([mutations(seed).mutant(n).data for n in range(1, 50)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) > 40


def test_mutant_0_is_the_message() -> None:
    """Nothing is spoilt."""
    mutant = mutations().mutant(0)
    assert (mutant.name, mutant.operators, mutant.data) == ("mutant 0", (), BASE.data)
    assert mutant.expectation == Effect.HARMLESS.expectation


def test_one_to_three_operators() -> None:
    """In the order of the table; the worst of them says what may come of it."""
    order = list(OPERATORS.values())
    effects = set()
    for number in range(1, 100):
        mutant = mutations().mutant(number)
        assert 1 <= len(mutant.operators) <= 3
        assert [order.index(each) for each in mutant.operators] == sorted(
            order.index(each) for each in mutant.operators
        )
        assert mutant.effect == max(each.effect for each in mutant.operators)
        assert mutant.name.split()[:2] == ["mutant", str(number)]
        effects.add(mutant.effect)
    assert effects == set(Effect)


def test_only_some() -> None:
    """Those that are named; a name that nothing has is an error."""
    used = {each.name for number in range(30) for each in mutations(1, "case", "quote").mutant(number).operators}
    assert used == {"case", "quote"}
    with pytest.raises(ConfigError, match=r"--only nothing: .*--list"):
        mutations(1, "nothing")


def test_an_operator_does_the_same_without_the_others() -> None:
    """Each has its own chance, so that one may be taken away."""
    for number in range(1, 60):
        whole = mutations().mutant(number)
        if len(whole.operators) > 1:
            alone = mutations().spoilt(number, whole.operators[:1])
            again = mutations(1, whole.operators[0].name).spoilt(number, whole.operators[:1])
            assert alone.data == again.data


def test_sent_under_its_own_identity() -> None:
    """Branch, tag and Call-ID change with every probe; so does the port."""
    case = case_of("mutant 0", BASE.data, BASE, message())
    first, second = case.compose(HERE), case.compose(HERE)
    assert first.data != second.data
    assert SAMPLE_TOKEN.encode() not in first.data
    assert b"Via: SIP/2.0/TCP 127.0.0.1:40001;branch=z9hG4bK0123456789000000\r\n" in first.data
    assert (first.transactions[0].call_id, first.transactions[0].method) == (b"0123456789000000", b"OPTIONS")
    assert len(first.data) == len(BASE.data)


def test_a_template_is_taken_as_it_is(tmp_path: Path) -> None:
    """No field and no body is added."""
    path = tmp_path / "request.sip"
    path.write_bytes(
        b"PING sip:a SIP/2.0\r\nVia: SIP/2.0/TCP b;branch=z9hG4bKx\r\nFrom: <sip:c>;tag=1\r\nTo: <sip:d>\r\n"
        b"Call-ID: e\r\nCSeq: 1 PING\r\n\r\n"
    )
    data = Base.of(message(str(path)), HOST).data
    assert data.startswith(b"PING sip:a SIP/2.0\r\nVia: SIP/2.0/TCP b;branch=z9hG4bK" + SAMPLE_TOKEN.encode())
    assert data.endswith(b"\r\nCSeq: 1 PING\r\nContent-Length: 0\r\n\r\n")
