"""The classes of outcomes."""

from __future__ import annotations

from harness.fuzz.classification import REFUSING, Kind, Verdict


def test_the_classes() -> None:
    """Their names are what `--json` says."""
    names = ["accepted", "rejected", "reset", "closed", "silent", "refused", "garbled"]
    assert [str(kind) for kind in Kind] == names
    assert [kind for kind in Kind if kind.answered] == [Kind.ACCEPTED, Kind.REJECTED]


def test_refusing_statuses_are_about_the_message() -> None:
    """What says that a message was not taken; not what says that it was read and disliked."""
    assert {400, 413, 513} <= REFUSING
    assert not REFUSING & {404, 405, 415, 420, 481, 486, 488, 603}


def test_labels() -> None:
    """A class with its status."""
    assert Verdict(Kind.REJECTED, 513).label == "rejected 513"
    assert Verdict(Kind.CLOSED).label == "closed"
