"""Several messages in one read."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right


def test_only_the_first_is_rewritten() -> None:
    """The next read begins anew."""
    sent = request()
    rig = Rig(("many-in-one-segment",))
    assert rig.send(sent * 3, sent) == right(sent) + sent * 2 + right(sent)
