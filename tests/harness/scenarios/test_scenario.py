"""Signs look into what was observed, and into nothing else."""

from __future__ import annotations

from harness.scenarios.scenario import NOT_THERE, Observation, fact, says, says_nothing_of

SEEN = Observation({"answer to INVITE": "200 OK"}, {"Expressway-E": 'Detail="TCP Connecting"\nDetail="Handshake"'})


def test_a_fact() -> None:
    """It is there if the answer is the expected one; what was found is told in any case."""
    assert fact("answer to INVITE", "200 OK").check(SEEN).shown
    other = fact("answer to INVITE", "603 Decline").check(SEEN)
    assert (other.found, other.shown) == ("200 OK", False)
    assert fact("answer to BYE", "200 OK").check(SEEN).found == NOT_THERE


def test_a_text_in_a_log() -> None:
    """Of that peer alone."""
    assert says("Expressway-E", "TCP Connecting").check(SEEN).shown
    assert not says("Expressway-E", "TCP Connection Failed").check(SEEN).shown
    assert not says("Webex", "TCP Connecting").check(SEEN).shown


def test_a_text_that_is_not_in_a_log() -> None:
    """A log that there is not proves nothing."""
    assert says_nothing_of("Expressway-E", "alert").check(SEEN).shown
    found = says_nothing_of("Expressway-E", "Handshake").check(SEEN)
    assert (found.shown, found.found) == (False, "Handshake")
    assert not says_nothing_of("Webex", "alert").check(SEEN).shown


def test_who_wrote_a_log_is_a_witness_of_it() -> None:
    """Of what it has and of what it has not; others may be needed as well."""
    assert says("CUCM SDL trace", "a line", "webex").witnesses == ("cucm", "webex")
    assert says_nothing_of("Expressway-E", "alert").witnesses == ("expressway-e",)
    assert fact("answer to INVITE", "200 OK", "callee").witnesses == ("callee",)
