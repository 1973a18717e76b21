"""The torture set, filled in as it would be sent from one address to another."""

from __future__ import annotations

from harness.fuzz.exchange import Transaction
from harness.fuzz.filling import Filling
from harness.fuzz.torture_case import TortureCase
from harness.fuzz.torture_set import TOPICS

TARGET, HERE = ("127.0.0.1", 5060), ("127.0.0.2", 54321)
TOKEN, NEXT_TOKEN = "0123456789abcdef", "fedcba9876543210"
FILLING = Filling(TARGET, HERE, TOKEN)

ALL = {case.name: case for cases in TOPICS.values() for case in cases}


def message(name: str) -> bytes:
    """The message of a case, without what follows it."""
    return FILLING.fill(ALL[name].message)


def sent(case: TortureCase) -> bytes:
    """All that is sent in one go."""
    return case.probe(FILLING, NEXT_TOKEN).data


def awaited(name: str) -> tuple[Transaction, ...]:
    """The transactions of a case."""
    return ALL[name].probe(FILLING, NEXT_TOKEN).transactions


def head(name: str) -> list[bytes]:
    """The lines of the header block."""
    return message(name).lstrip(b"\r\n").partition(b"\r\n\r\n")[0].split(b"\r\n")


def body(name: str) -> bytes:
    """What stands behind the header block."""
    return message(name).lstrip(b"\r\n").partition(b"\r\n\r\n")[2]
