"""Captured connections whose receiver closes its window: what probes it, and what tells that it has opened.

See `captured` for how to read the transcripts.
"""

from __future__ import annotations

import pytest

from alg.direction import Direction
from tests.tcp.captured import GROWN, Capture, opened
from tests.tcp.endpoint import SYN


def told(capture: Capture, *numbers: tuple[int, int]) -> list[str]:
    """What becomes of the outside's bare acknowledgments, each a number and a window."""
    return [line for ack, window in numbers for line in capture.outside(ack=ack, window=window)]


def test_a_probe_that_is_not_taken() -> None:
    """One byte of the next message comes into a closed window: what its sender says then stands where that begins."""
    capture = opened(show_window=True)
    assert capture.inside(b"ga\n") == [f"> 0 ack 0 window 5000 '{GROWN}ga\\n'"]
    assert capture.outside(ack=3, window=0) == ["< 0 ack 21 window 0"]
    assert capture.inside(b"g", at=3) == []
    assert capture.outside(ack=3, window=0) == []
    assert capture.outside(b"ta\n", ack=3, window=0) == ["< 0 ack 21 window 0 'Ta\\n'"]
    assert capture.inside(at=3, ack=3) == ["> 21 ack 3 window 5000"]
    assert capture.outside(at=3, ack=3, window=900) == ["< 3 ack 21 window 900"]
    assert capture.inside(b"gb\n", at=3, ack=3) == [f"> 21 ack 3 window 5000 '{GROWN}gb\\n'"]
    assert capture.outside(at=3, ack=6, window=900) == ["< 3 ack 42 window 900"]


def test_a_probe_that_is_taken() -> None:
    """Nobody can acknowledge what has not left; that there is room again is told all the same."""
    capture = opened(show_window=True)
    capture.inside(b"ga\n")
    assert capture.outside(ack=3, window=0) == ["< 0 ack 21 window 0"]
    assert capture.inside(b"g", at=3) == []
    assert capture.outside(ack=4, window=900) == ["< 0 ack 21 window 900"]
    assert capture.inside(b"b\n", at=4) == [f"> 21 ack 0 window 5000 '{GROWN}gb\\n'"]


def test_a_probe_that_completes_a_message() -> None:
    """Not taken, it comes again as what it was, at its place; so do acknowledgments behind and before it."""
    capture = opened()
    assert capture.inside(b"ga") == []
    assert capture.outside(ack=2, window=0) == []
    assert capture.inside(b"\n", at=2) == [f"> 0 ack 0 '{GROWN}ga\\n'"]
    assert capture.outside(b"ta\n", ack=2, window=0) == ["< 0 ack 2 'Ta\\n'"]
    assert capture.inside(at=2, ack=3) == ["> 2 ack 3"]
    assert capture.inside(b"\n", at=2, ack=3) == [f"> 2 ack 3 '{GROWN[2:]}ga\\n'"]
    assert capture.outside(at=3, ack=3, window=900) == ["< 3 ack 21"]
    assert capture.inside(at=2, ack=3) == ["> 20 ack 3"]


def test_a_keep_alive_while_a_message_waits() -> None:
    """What was acknowledged to its sender, and has not left, is probed where all that has left ends."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.inside(b"gb", at=3) == []
    assert capture.outside(ack=5) == ["< 0 ack 21"]
    assert capture.inside(at=4) == ["> 20 ack 0"]
    assert capture.outside(b"ga", ack=5) == []
    assert capture.inside(at=4, ack=2) == ["> 20 ack 0"]
    assert capture.inside(at=5, ack=2) == []


def test_keep_alives_of_one_direction_alone() -> None:
    """Nobody is seen to acknowledge anything, so what is below the next number probes."""
    capture = Capture()
    capture.inside(at=-1, ack=None, flags=SYN)
    capture.inside(b"ga\n")
    assert capture.inside(at=2) == ["> 20 ack 0"]
    assert capture.inside(b"\0", at=2) == ["> 20 ack 0 '\\x00'"]


def test_an_acknowledgment_from_before_what_waits() -> None:
    """With nothing to say besides, it is left out like any other."""
    capture = opened()
    capture.outside(b"ta\ng")
    assert capture.inside(b"g", ack=3) == ["> 0 ack 3"]
    assert capture.outside(at=3, ack=1) == []
    assert capture.outside(at=3, ack=0) == []


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [
        ([(5, 4998), (5, 4998)], []),
        ([(5, 4998), (5, 5000)], []),
        ([(5, 4998), (5, 4000), (5, 4000)], ["< 0 ack 21 window 4000"]),
        ([(3, 4000), (3, 4500), (5, 4498)], ["< 0 ack 21 window 4000", "< 0 ack 21 window 4500"]),
        ([(5, 0), (5, 900)], ["< 0 ack 21 window 900"]),
        ([(3, 0), (5, 0), (5, 900), (5, 900)], ["< 0 ack 21 window 0", "< 0 ack 21 window 900"]),
    ],
)
def test_windows_while_a_message_waits(numbers: list[tuple[int, int]], lines: list[str]) -> None:
    """One that moves of itself is told, once, and not if it is what was told last; one that fills is not."""
    capture = opened(show_window=True)
    capture.inside(b"ga\n")
    assert capture.outside(ack=3) == ["< 0 ack 21 window 5000"]
    assert capture.inside(b"gb", at=3) == []
    assert told(capture, *numbers) == lines


def test_a_window_that_opens_with_data_that_waits() -> None:
    """The other direction's bytes wait, the room that their segment tells of does not."""
    capture = opened(show_window=True)
    capture.inside(b"ga\n")
    assert capture.outside(ack=3, window=0) == ["< 0 ack 21 window 0"]
    assert capture.outside(b"ta", ack=3, window=900) == ["< 0 ack 21 window 900"]
    assert capture.outside(b"tb", at=2, ack=3, window=800) == []


def test_an_error_about_a_probe() -> None:
    """It quotes a number that has not left: that of the next byte."""
    capture = opened()
    capture.inside(b"ga\ng")
    number = (capture.isn[0] + 1 + 3) % 2**32
    assert capture.retold.outgoing_sequence(Direction.OUTWARD, number) == (number + 18) % 2**32
