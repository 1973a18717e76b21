"""A Call-ID that is translated."""

from __future__ import annotations

from tests.faults.rig import INSIDE, INWARD, OUTSIDE, Rig, request, right


def test_the_call_id_changes() -> None:
    """The rest of the message is right, and the record says which rule it was."""
    rig = Rig(("call-id-rewritten",))
    assert rig.send(request()) == right(request()).replace(
        f"Call-ID: 1@{INSIDE}".encode(), f"Call-ID: 1@{OUTSIDE}".encode()
    )
    assert "Call-ID" in rig.rules


def test_compact_form_and_the_other_direction() -> None:
    """`i` is one too; inward it goes back."""
    sent = request(host=OUTSIDE).replace(b"Call-ID:", b"i:")
    assert f"i: 1@{INSIDE}\r\n".encode() in Rig(("call-id-rewritten",)).send(sent, direction=INWARD)


def test_what_only_looks_like_an_address_stays() -> None:
    """Part of a longer token."""
    sent = request().replace(f"1@{INSIDE}".encode(), f"1@{INSIDE}1".encode())
    assert Rig(("call-id-rewritten",)).send(sent) == right(sent)
