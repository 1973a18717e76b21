"""Messages in pieces."""

from __future__ import annotations

from tests.faults.rig import Rig, request, right


def test_a_message_in_two_reads_leaves_as_it_came() -> None:
    """One in a single read is rewritten, also right behind such a one."""
    sent = request()
    rig = Rig(("split-message",))
    assert rig.send(sent[:40], sent[40:] + sent, sent) == sent + right(sent, sent)


def test_byte_by_byte() -> None:
    """Many pieces are pieces."""
    sent = request()
    assert Rig(("split-message",)).send(*(sent[at : at + 1] for at in range(len(sent)))) == sent
