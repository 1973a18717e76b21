"""What is made of an outcome; outcomes are made by hand here, one thing after the other missing from a good one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alg.tls.policy import TlsVersion
from alg.tls.sightings import Message, Sender, Sighting
from harness.expressway.log.tls import CERTIFICATE_UNKNOWN
from harness.peers.tls_findings import Finding, Outcome, RowRun
from harness.peers.tls_meeting import Loss, Meeting
from harness.peers.tls_rows import GOOD, Row, Signs
from harness.peers.tls_trust import Names

REFUSED, CLOSED = 'Detail="sslv3 alert certificate unknown"', 'Reason="Got EOF on socket"'
SIGNS = Signs((REFUSED, CLOSED), alert=("outside", "certificate_unknown"))
LOG = f"... {REFUSED} ...\n... {CLOSED} ...\n"
CLIENTS, SERVERS = (
    Sighting(Message.CLIENT_FINISHED, Sender.CLIENT, 0, 1, {}),
    Sighting(Message.SERVER_FINISHED, Sender.SERVER, 0, 1, {}),
)
"""Finished."""
TLS_1_2, TLS_1_3 = TlsVersion.TLS_1_2, TlsVersion.TLS_1_3


def row(signs: Signs) -> Row:
    """Any row."""
    return Row("T0", "a cause", GOOD, GOOD, "a cure", signs, "what a capture shows")


def certificates(count: int) -> Sighting:
    """Of Expressway-E, the server."""
    return Sighting(Message.SERVER_CERTIFICATE, Sender.SERVER, 0, 1, {"chain": count})


def alert(sender: Sender, description: str) -> Sighting:
    """In clear."""
    return Sighting(Message.ALERT, sender, 0, 1, {"level": "fatal", "description": description})


def refused() -> Outcome:
    """Webex, the client, has refused Expressway-E."""
    seen = [certificates(3), alert(Sender.CLIENT, "certificate_unknown")]
    inside = Meeting(True, failure=CERTIFICATE_UNKNOWN, loss=Loss.EOF, seen=seen)
    return Outcome(LOG, "", inside, Meeting(False, failure=CERTIFICATE_UNKNOWN, seen=seen), TLS_1_2)


def crossed() -> Outcome:
    """SIP has crossed."""
    seen = [certificates(3)]
    return Outcome("", "", Meeting(True, answered=True, seen=seen), Meeting(False, answered=True, seen=seen), TLS_1_2)


def test_all_signs_of_a_mistake() -> None:
    """Each is in the evidence, and there are no reasons against it."""
    run = RowRun(row(SIGNS), False, refused())
    assert run.evidence == [
        Finding("TCP connection", "stands", "stands"),
        Finding("log of Expressway-E", REFUSED, REFUSED),
        Finding("log of Expressway-E", CLOSED, CLOSED),
        Finding("SIP request answered", "no", "no"),
        Finding("alert", "certificate_unknown from outside", "certificate_unknown from outside"),
        Finding("certificates from Expressway-E", "several", "several"),
        Finding("reset", "none", "none"),
        Finding("Webex hears of the end", "yes", "yes"),
    ]
    assert (run.passed, run.reasons) == (True, [])


@pytest.mark.parametrize(
    ("signs", "reason"),
    [
        (replace(SIGNS, log=("other words",)), "log of Expressway-E: expected other words, found not there"),
        (replace(SIGNS, alert=None), "alert: expected none, found certificate_unknown from outside"),
        (
            replace(SIGNS, alert=("inside", "certificate_unknown")),
            "alert: expected certificate_unknown from inside, found certificate_unknown from outside",
        ),
        (
            replace(SIGNS, alert=("outside", "unknown_ca")),
            "alert: expected unknown_ca from outside, found certificate_unknown from outside",
        ),
        (replace(SIGNS, chain_inside=1), "certificates from Expressway-E: expected 1, found several"),
        (replace(SIGNS, reset_by="inside"), "reset: expected inside, found none"),
        (replace(SIGNS, quiet_outside=True), "Webex hears of the end: expected no, found yes"),
    ],
)
def test_one_sign_is_missing(signs: Signs, reason: str) -> None:
    """The row fails, and says which."""
    run = RowRun(row(signs), False, refused())
    assert (run.passed, run.reasons) == (False, [reason])


def test_the_mistake_did_no_harm() -> None:
    """SIP crossed all the same: nothing of it is shown, and that it crossed is among the reasons."""
    run = RowRun(row(SIGNS), False, crossed())
    assert not run.passed
    assert "SIP request answered: expected no, found yes" in run.reasons
    assert "alert: expected certificate_unknown from outside, found none" in run.reasons


def test_the_cure_helps() -> None:
    """SIP crosses, and no sign is left."""
    run = RowRun(row(SIGNS), True, crossed())
    assert (run.passed, run.reasons) == (True, [])
    assert Finding(f"log of Expressway-E, {REFUSED}", "not there", "not there") in run.evidence


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (replace(crossed(), inside=Meeting(True)), "SIP request answered: expected yes, found no"),
        (replace(crossed(), outside=Meeting(False)), "SIP request answered: expected yes, found no"),
        (
            replace(crossed(), log_inside=f"... {CLOSED}"),
            f"log of Expressway-E, {CLOSED}: expected not there, found {CLOSED}",
        ),
        (
            replace(crossed(), outside=Meeting(False, answered=True, seen=[alert(Sender.SERVER, "unknown_ca")])),
            "alert: expected none, found unknown_ca from inside",
        ),
        (
            replace(crossed(), outside=Meeting(False, answered=True, loss=Loss.RESET)),
            "reset: expected none, found towards outside",
        ),
    ],
)
def test_the_cure_does_not_help(outcome: Outcome, reason: str) -> None:
    """The row fails, and says why."""
    run = RowRun(row(SIGNS), True, outcome)
    assert (run.passed, run.reasons) == (False, [reason])


@pytest.mark.parametrize(
    ("inside", "outside", "found"),
    [
        ({"dismissed": True}, {"loss": Loss.RESET}, "inside"),
        ({"dismissed": True}, {}, "none"),
        ({"loss": Loss.RESET}, {}, "towards inside"),
        ({}, {"loss": Loss.RESET}, "towards outside"),
        ({"loss": Loss.RESET}, {"loss": Loss.RESET}, "towards inside and outside"),
        ({"loss": Loss.EOF}, {"loss": Loss.EOF}, "none"),
        ({"loss": Loss.RESET}, {"dismissed": True}, "outside"),
        ({"dismissed": True, "seen": [CLIENTS]}, {"loss": Loss.RESET}, "inside"),
        ({"dismissed": True, "seen": [SERVERS]}, {"loss": Loss.RESET}, "inside, behind its Finished"),
        (
            {"serves": False, "dismissed": True, "seen": [CLIENTS]},
            {"serves": True, "loss": Loss.RESET},
            "inside, behind its Finished",
        ),
    ],
)
def test_whose_reset_it_is(inside: dict[str, bool], outside: dict[str, bool], found: str) -> None:
    """That of one side, if that dismissed the other, which was reset; else somebody's in between. Whoever has sent its
    Finished has accepted the other side before.
    """
    outcome = Outcome("", "", replace(Meeting(True), **inside), replace(Meeting(False), **outside), TLS_1_2)
    assert Finding("reset", "none", found) in outcome.of_cure(SIGNS)


@pytest.mark.parametrize(
    ("outside", "hears"),
    [
        (Meeting(False), "no"),
        (Meeting(False, loss=Loss.EOF), "yes"),
        (Meeting(False, failure=CERTIFICATE_UNKNOWN), "yes"),
        (Meeting(False, answered=True), "yes"),
        (Meeting(False, seen=[alert(Sender.CLIENT, "certificate_unknown")]), "yes"),
    ],
)
def test_silence(outside: Meeting, hears: str) -> None:
    """No end, no failure, no answer."""
    found = Outcome("", "", Meeting(True), outside, TLS_1_2).of_mistake(SIGNS)
    assert found[-1] == Finding("Webex hears of the end", "yes", hears)


def test_tls_1_3_hides_alerts_and_certificates() -> None:
    """They are no evidence there; log and resets are."""
    outcome = replace(refused(), version=TLS_1_3)
    assert {finding.what for finding in outcome.of_mistake(SIGNS)} == {
        "TCP connection",
        "log of Expressway-E",
        "SIP request answered",
        "reset",
        "Webex hears of the end",
    }


def test_a_reset_behind_an_alert() -> None:
    """Is none: a socket is reset that is closed with something unread."""
    outcome = refused()
    for end in (outcome.inside, outcome.outside):
        end.loss = Loss.RESET
    assert Finding("reset", "none", "none") in outcome.of_mistake(SIGNS)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({Sender.CLIENT: Names("a.example.com", ("b.example.com", "SIP.example.com"))}, "yes"),
        ({Sender.CLIENT: Names("sip.example.com", ())}, "yes"),
        ({Sender.CLIENT: Names("a.example.com", ("*.example.com",))}, "no, it is that of a.example.com"),
        ({Sender.CLIENT: Names("", ("b.example.com",))}, "no, it is that of b.example.com"),
        ({Sender.CLIENT: Names("", ())}, "no, it names nobody"),
        ({Sender.SERVER: Names("sip.example.com", ())}, "it was not seen"),
    ],
)
def test_names_of_webex(names: dict[Sender, Names], found: str) -> None:
    """Looked at where a row says so, in either form, as long as certificates are seen: CN or SAN, no wildcards."""
    signs = replace(SIGNS, names_outside="sip.example.com")
    finding = Finding("Webex's certificate names sip.example.com", "yes", found)
    outcome = Outcome("", "", Meeting(True), Meeting(False, names=names), TLS_1_2)
    for findings in (Outcome.of_mistake, Outcome.of_cure):
        assert finding in findings(outcome, signs)
        assert finding not in findings(outcome, SIGNS)
        assert finding not in findings(replace(outcome, version=TLS_1_3), signs)


def test_no_connection() -> None:
    """Is said first, and what the firewall does to whoever connects is no reset."""
    outcome = Outcome(
        "", "", Meeting(True), Meeting(False, loss=Loss.RESET), TLS_1_2, connection="does not reach Webex"
    )
    for found in (outcome.of_mistake(SIGNS), outcome.of_cure(SIGNS)):
        assert found[0] == Finding("TCP connection", "stands", "does not reach Webex")
        assert Finding("reset", "none", "none") in found
