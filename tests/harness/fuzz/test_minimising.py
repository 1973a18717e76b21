"""Messages made smaller: as small as can be, still failing, still honest, within the questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.fuzz.minimising import Minimiser, Questions, Spent, shrunk
from harness.fuzz.specimen import SAMPLE_TOKEN, Specimen, name_of
from tests.harness.fuzz.operators.spoils import BASE, SPECIMEN

TOKEN = SAMPLE_TOKEN.encode()


@pytest.mark.parametrize("needed", [set(), {3}, {0, 19}, {4, 5, 6}, set(range(20))])
def test_shrunk_to_what_is_needed(needed: set[int]) -> None:
    """Nothing more, nothing less, in order."""
    assert list(shrunk(range(20), lambda left: needed <= set(left))) == sorted(needed)


def test_halving_takes_few_questions() -> None:
    """One needed item of a thousand is found in a few dozen."""
    asked = 0

    def fails(left: Sequence[int]) -> bool:
        nonlocal asked
        asked += 1
        return 700 in left

    assert list(shrunk(range(1000), fails)) == [700]
    assert asked < 60


def test_nothing_can_be_spared_alone() -> None:
    """Of what is left, even where things depend on each other."""

    def fails(left: Sequence[int]) -> bool:
        return len(left) >= 7 and left[0] == 0

    left = shrunk(range(40), fails)
    assert len(left) == 7
    assert not any(fails([*left[:at], *left[at + 1 :]]) for at in range(len(left)))


def test_questions() -> None:
    """The same is not asked twice; there are so many, and no more."""
    questions = Questions(lambda data: data == b"yes", 2)
    assert questions.fails(b"yes")
    assert not questions.fails(b"no")
    assert questions.fails(b"yes")
    assert questions.asked == 2
    with pytest.raises(Spent):
        questions.fails(b"more")


def smallest(data: bytes, fails: Callable[[bytes], bool], valid: bool = False, most: int = 2000) -> Specimen:
    """What is left."""
    assert fails(data)
    left = Minimiser(data, valid, Questions(fails, most)).run()
    assert fails(left)
    return Specimen.of(left)


def with_field(field: bytes) -> bytes:
    """The base with one field more."""
    return SPECIMEN.with_fields([*SPECIMEN.fields, field]).data


def test_fields_that_have_nothing_to_do_with_it_go() -> None:
    """Those that a request must have stay, and so does an honest length."""
    left = smallest(with_field(b"X-Bad: " + b"a" * 100 + b"!"), lambda data: b"!" in data.partition(b"\r\n\r\n")[0])
    names = [name_of(field) for field in left.fields]
    assert names == [
        *(b"via", b"max-forwards", b"from", b"to", b"call-id", b"cseq", b"content-type", b"contact", b"content-length"),
        b"x-bad",
    ]
    assert left.fields[-1] == b"X-Bad:!"
    assert left.honest
    assert left.body == b""


def test_lines_of_the_body() -> None:
    """The length goes with them."""
    left = smallest(BASE.data, lambda data: b"m=audio" in data)
    assert left.body == b"m=audio 49170 RTP/AVP 0\r\n"
    assert left.honest


def test_a_length_that_lied_goes_on_lying() -> None:
    """And its body is left alone."""
    liar = BASE.data.replace(b"Content-Length: ", b"Content-Length: 1")
    left = smallest(liar, lambda data: not Specimen.of(data).honest)
    assert left.body == SPECIMEN.body
    assert b"Content-Length: 1%d" % len(SPECIMEN.body) in left.fields


def test_a_valid_message_stays_valid() -> None:
    """Only fields that no request needs are taken from it, and nothing out of a value or the body."""
    left = smallest(with_field(b"X-Bad: aaaa!" + b"a" * 100), lambda data: b"!" in data, valid=True)
    names = {name_of(field) for field in left.fields}
    assert names == {
        *(b"via", b"max-forwards", b"from", b"to", b"call-id", b"cseq", b"contact", b"content-type", b"content-length"),
        b"x-bad",
    }
    assert b"X-Bad: aaaa!" + b"a" * 100 in left.fields
    assert left.body == SPECIMEN.body


def test_repeated_fields_go_down_to_one() -> None:
    """Those that an answer is made of, too."""
    data = SPECIMEN.with_fields([*SPECIMEN.fields, *[b"From: <sip:another@127.0.0.1>"] * 50]).data
    left = smallest(data, lambda data: data.count(b"\r\nFrom:") >= 3)
    assert [name_of(field) for field in left.fields].count(b"from") == 3


def test_identity_stays_in_a_very_long_value() -> None:
    """It is cut all the same."""
    via = SPECIMEN.fields[0] + b";x" * 2000
    data = SPECIMEN.with_fields([via, *SPECIMEN.fields[1:]]).data
    left = smallest(data, lambda data: data.partition(b"\r\nFrom")[0].count(b";x") >= 100)
    assert TOKEN in left.fields[0]
    assert len(left.fields[0]) < 500


def test_within_the_questions() -> None:
    """The smallest so far is the result."""
    data = with_field(b"X-Bad: " + b"a" * 5000 + b"!")
    few = smallest(data, lambda data: b"!" in data, most=8)
    assert len(few.data) < len(data)


def test_nothing_else_fails() -> None:
    """Where all of it is needed all of it stays."""
    assert smallest(BASE.data, lambda data: data == BASE.data).data == BASE.data
