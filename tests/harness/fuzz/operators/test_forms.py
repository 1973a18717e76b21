"""Other forms of the same message: tshark reads the same out of each."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from harness.fuzz.mutation import Mutations
from harness.fuzz.operators import forms
from harness.fuzz.specimen import SAMPLE_TOKEN
from harness.fuzz.spoiling import Effect
from tests.harness.fuzz.dissected import dissected
from tests.harness.fuzz.operators.spoils import BASE, SPECIMEN, spoilt

_TRIED = 8
_SPACE = re.compile(rb"(?m)^([A-Za-z-]+)[ \t]+:")


def test_tshark_reads_the_same(tmp_path: Path) -> None:
    """Not malformed, the same Call-ID, method and topmost branch, by every operator and several chances.

    tshark takes nothing for SIP that begins with an empty line, and no name for one that white space
    follows: it gets neither.
    """
    names, messages = [], []
    for operator in forms.OPERATORS:
        for number, one in enumerate(spoilt(operator, _TRIED)):
            names.append(f"{operator.name} {number}")
            messages.append(_SPACE.sub(rb"\1:", one.data.lstrip(b"\r\n")))
    for name, found in zip(names, dissected(tmp_path, messages), strict=True):
        assert not found.malformed, name
        assert (found.call_ids, found.methods) == ([SAMPLE_TOKEN], ["OPTIONS"]), name
        assert found.branch == "z9hG4bK" + SAMPLE_TOKEN, name


def test_all_are_harmless() -> None:
    """They must be accepted."""
    assert {operator.effect for operator in forms.OPERATORS} == {Effect.HARMLESS}


def test_each_is_seen() -> None:
    """What the names promise, in the bytes."""
    made = {operator.name: [one.data for one in spoilt(operator)] for operator in forms.OPERATORS}
    assert any(b"\r\ncALL-" in data or b"\r\nCaLl" in data or b"\r\ncALl" in data for data in made["case"])
    assert any(b"\r\nv: SIP/2.0/TCP" in data for data in made["compact"])
    assert any(b":\r\n" in data for data in made["fold"])
    assert any(b" :" in data for data in made["space"])
    assert any(not data.split(b"\r\n")[1].startswith(b"Via") for data in made["order"])
    assert any(b"\r\nX-Empty:\r\n" in data for data in made["unknown"])
    assert all(b"CSeq: 0" in data for data in made["zeros"])
    assert all(data.endswith(SPECIMEN.data) for data in made["empty-lines"])


def test_order_keeps_the_topmost_via_on_top() -> None:
    """Whatever name it goes by."""
    compact, order = (next(one for one in forms.OPERATORS if one.name == name) for name in ("compact", "order"))
    for first in spoilt(compact):
        for second in (order.spoil(first, Random(seed)) for seed in range(5)):
            vias = [field for field in second.fields if field.lower().startswith((b"v:", b"via:"))]
            assert SAMPLE_TOKEN.encode() in vias[0]


def test_together_they_say_the_same() -> None:
    """Three at a time, read by hand: names told apart, folds and white space gone, numbers as numbers."""
    mutations = Mutations(BASE, 3, [operator.name for operator in forms.OPERATORS])
    for number in range(1, 200):
        mutant = mutations.mutant(number)
        assert _read(mutant.data) == _read(BASE.data), mutant.name


_LONG = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id", b"m": b"contact", b"l": b"content-length"} | {
    b"c": b"content-type",
    b"s": b"subject",
    b"k": b"supported",
}


def _read(message: bytes) -> tuple[bytes, dict[bytes, list[bytes]], bytes]:
    """(start line, values by name, body), fields that nobody knows left out."""
    head, _, body = message.lstrip(b"\r\n").partition(b"\r\n\r\n")
    start, *lines = re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
    values: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        assert colon
        name = name.strip(b" \t").lower()
        if not name.startswith((b"x-", b"!x", b"vi")) or name == b"via":
            bare = re.sub(rb"^0+(?=\d)", b"", value.strip(b" \t"))
            values.setdefault(_LONG.get(name, name), []).append(bare)
    return start, values, body
