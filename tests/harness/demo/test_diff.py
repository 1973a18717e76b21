"""Differences of single messages."""

from __future__ import annotations

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.trace import AnyRecord, MessageRecord
from harness.demo.diff import ChangedLine, Gap, diff, elide_text, fit, plain_diff

_MESSAGE = (
    b"OPTIONS sip:service.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 10.0.30.2:5060;branch=z9hG4bKabcdefghijklmnop;received=10.0.30.2\r\n"
    b"Call-ID: 1@10.0.30.2\r\n"
    b"Subject: a\x1b[31mb\r\n"
    b"Contact: <sip:10.0.30.2>\r\n"
    b"Content-Length: 0\r\n"
    b"\r\n"
)


@pytest.fixture
def record() -> MessageRecord:
    """What the ALG says about `_MESSAGE`."""
    records: list[AnyRecord] = []
    nat = NatConfig((AddressMap.parse("10.0.30.2=64.100.0.10"),))
    Alg(AlgConfig(nat)).connection(sink=records.append).feed(Direction.OUTWARD, _MESSAGE)
    assert isinstance(records[0], MessageRecord)
    return records[0]


def test_lines_and_gaps_alternate(record: MessageRecord) -> None:
    """Two changed lines, and how many lines stand before, between and behind them."""
    entries = list(diff(record))
    assert [entry.lines if isinstance(entry, Gap) else entry.rules for entry in entries] == [
        1,
        ("Via", "Via received"),
        2,
        ("Contact",),
        2,
    ]


def test_changed_bytes_are_marked(record: MessageRecord) -> None:
    """Each address is a piece of its own, before and after."""
    via = next(entry for entry in diff(record) if isinstance(entry, ChangedLine))
    assert [text for text, changed in via.before if changed] == ["10.0.30.2", "10.0.30.2"]
    assert [text for text, changed in via.after if changed] == ["64.100.0.10", "64.100.0.10"]
    assert "".join(text for text, _ in via.before).startswith("Via: SIP/2.0/TCP 10.0.30.2:5060;branch=")


@pytest.mark.parametrize("width", [57, 60, 75, 120])
def test_fitted_line_keeps_its_changes(record: MessageRecord, width: int) -> None:
    """However narrow, the changed bytes stay whole and the line fits."""
    via = next(entry for entry in diff(record) if isinstance(entry, ChangedLine))
    fitted = fit(via, width)
    assert [piece for piece in fitted.after if piece[1]] == [piece for piece in via.after if piece[1]]
    assert len("".join(text for text, _ in fitted.after)) <= width
    assert (fitted == via) == (width == 120)


def test_plain_difference_has_signs_and_rules(record: MessageRecord) -> None:
    """The text form for files."""
    lines = plain_diff(record).splitlines()
    assert lines[4:8] == [
        "... 2 lines unchanged",
        "@ Contact",
        "-Contact: <sip:10.0.30.2>",
        "+Contact: <sip:64.100.0.10>",
    ]


@pytest.mark.parametrize(("text", "shown"), [("abcdefghij", "abcdefghij"), ("abcdefghijk", "abc...hijk")])
def test_long_text_loses_its_middle(text: str, shown: str) -> None:
    """Both ends say more than the middle of a URI."""
    assert elide_text(text, 10) == shown
