"""What real peers are told to do, row by row."""

from __future__ import annotations

import pytest

from harness.peers.tls_duties import duty
from harness.peers.tls_rows import ROWS

CHANGES = {
    ("T1", True): ("trusts no CA of Webex's", "with the cure, trusts webex-root."),
    ("T2", True): ("is not calllservice.ciscospark.com", "with the cure, resets in the handshake whoever is not calls"),
    ("T3", True): ("shows expressway-e alone", "with the cure, shows expressway-e with expressway-e-issuing and "),
    ("T5", False): ("trusts expressway-e-previous alone", "with the cure, trusts expressway-e-root."),
    ("T6", True): ("inbound mapping off", "with the cure, has TLS verify inbound mapping on."),
    ("T7", True): ("shows expressway-e-self-signed", "with the cure, shows expressway-e with "),
}


@pytest.mark.parametrize("inside", [True, False], ids=["expressway-e", "webex"])
@pytest.mark.parametrize("name", ROWS)
def test_mistake_and_cure(name: str, inside: bool) -> None:
    """Whose mistake it is has something to change, the other one has not; each knows who connects."""
    told = duty(ROWS[name], inside)
    mistake, cure = CHANGES.get((name, inside), ("", "the same with the cure."))
    assert mistake in told
    assert cure in told
    serves = (name != "T4") is inside
    assert told.startswith("is connected to from host 4" if serves else "when it is asked to, connects to host 4, port")


@pytest.mark.parametrize("name", ROWS)
def test_what_it_has_to_answer(name: str) -> None:
    """Who is connected to: with any final response."""
    serves = name != "T4"
    answer = "answers the OPTIONS that it gets with a final response, whichever"
    assert (answer in duty(ROWS[name], True), answer in duty(ROWS[name], False)) == (serves, not serves)


@pytest.mark.parametrize("name", ROWS)
def test_whose_alert_differs(name: str) -> None:
    """Where Webex's own alert is looked for, it is said that a program on OpenSSL has another."""
    told = duty(ROWS[name], False)
    assert "says certificate_unknown (46)" in told
    assert ("stock OpenSSL says unknown_ca (48)" in told) is (name in {"T3", "T5", "T7"})
    assert "stock OpenSSL" not in duty(ROWS[name], True)
