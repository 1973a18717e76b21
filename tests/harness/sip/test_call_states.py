"""What a call is to others."""

from __future__ import annotations

from harness.sip.call_states import CallState, End, Ended


def test_words_are_for_people() -> None:
    """Each state and each end can be told apart by what is printed."""
    assert len({state.value for state in CallState}) == len(CallState)
    assert len({end.value for end in End}) == len(End)


def test_end_says_what_ended_it() -> None:
    """Nothing more than is known."""
    ended = Ended(End.FAILED, detail="no response in time")
    assert (ended.response, ended.request) == (None, None)
