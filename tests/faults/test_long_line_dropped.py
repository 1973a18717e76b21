"""Messages with a long line."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right


def test_a_line_over_the_limit_costs_the_message() -> None:
    """998 bytes pass, 999 do not; the body has no such limit."""
    fits, exceeds = (request(more=f"X: {'a' * size}\r\n") for size in (995, 996))
    assert Rig(("long-line-dropped",)).send(fits) == right(fits)
    assert Rig(("long-line-dropped",)).send(exceeds) == b""
    body = request("MESSAGE", body="a" * 5000, kind="text/plain")
    assert Rig(("long-line-dropped",)).send(body) == right(body)


def test_a_limit_of_ones_own() -> None:
    """Any line of a request is longer than one byte."""
    assert Rig(("long-line-dropped:length=1",)).send(request()) == b""
