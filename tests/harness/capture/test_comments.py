"""Comments on stretches of a stream."""

from __future__ import annotations

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.trace import AnyRecord, MessageRecord
from harness.capture.comments import Comments, describe
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request


def records(data: bytes) -> list[MessageRecord]:
    """Of the messages in an outward stream."""
    found: list[AnyRecord] = []
    alg = Alg(AlgConfig(nat=NatConfig((AddressMap.parse(MAP),))))
    alg.connection(sink=found.append).feed(Direction.OUTWARD, data)
    return [record for record in found if isinstance(record, MessageRecord)]


def test_what_a_comment_says() -> None:
    """Each rule once, in the order of the message, and the growth."""
    [record] = records(request(INSIDE))
    growth = len(request(OUTSIDE)) - len(request(INSIDE))
    rules = "Via, Via received, From, Contact, Record-Route, Content-Length, SDP o=, SDP c=, SDP a=rtcp"
    assert describe(record) == f"INVITE rewritten by {rules}: +{growth} bytes"


def test_an_endless_method() -> None:
    """A peer's endless method does not make an endless comment."""
    [record] = records(options(INSIDE).replace(b"OPTIONS", b"X" * 5000, 1))
    assert describe(record) == f"{'X' * 32} rewritten by Via: +2 bytes"


@pytest.mark.parametrize("step", [1, 20, 150, 1000])
def test_comments_follow_the_bytes(step: int) -> None:
    """A stretch has the comments of the messages that it has bytes of; a message that stayed as it was has none."""
    comments, plain = Comments(), options("192.0.2.9", 2)
    for record in records(options(INSIDE) + plain + options(INSIDE, 3)):
        comments.note(record)
    marks = "a" * len(options(OUTSIDE)) + "-" * len(plain) + "b" * len(options(OUTSIDE, 3))
    starts = range(0, len(marks), step)
    assert [len(comments.on(start, start + step)) for start in starts] == [
        len(set(marks[start : start + step]) - {"-"}) for start in starts
    ]


def test_what_is_settled_is_forgotten() -> None:
    """Only from the last byte of a message on."""
    comments, size = Comments(), len(options(OUTSIDE))
    for record in records(options(INSIDE) + options(INSIDE, 2)):
        comments.note(record)
    comments.settle(size - 1)
    assert len(comments.on(0, 2 * size)) == 2
    comments.settle(size)
    assert len(comments.on(0, 2 * size)) == 1
    comments.clear()
    assert comments.on(0, 2 * size) == []
