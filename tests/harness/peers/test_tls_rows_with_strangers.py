"""Rows in which one peer is somebody else's: here one that runs apart, of which nothing is known but what it sends."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed

from alg.edge.entrance import Address
from alg.tls.policy import TlsVersion
from harness.ca import Pki, load_recipes, read
from harness.peers.tls_findings import RowRun
from harness.peers.tls_rows import GOOD, ROWS, VERIFY_NAME, Situation
from harness.peers.tls_stage import INSIDE, OUTSIDE, Surroundings, outside_settings, recipes_of, run_row
from harness.peers.tls_trust import Names
from tests.harness.peers.ends import Alone, expressway, webex
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE

MAKE = {INSIDE: expressway, OUTSIDE: webex}


def serves(name: str, situation: Situation) -> bool:
    """Whether a peer is connected to."""
    return situation.inbound is (name == INSIDE)


def run(turned: Turned, pki: Pki, row_name: str, fixed: bool, stranger: str, as_fixed: bool) -> RowRun:
    """A row in one form; the stranger is as it would be in one of the forms."""
    row = ROWS[row_name]
    other: Alone = MAKE[stranger](turned, pki, row.fixed if as_fixed else row.broken)

    def expect(what: str, happened: Callable[[], bool]) -> Deferred[bool]:
        host, port = re.findall(rf"^{stranger}: connect to ([\d.]+):(\d+) ", what)[0]
        other.connect((host, int(port)))
        return succeed(True)

    at = other.listen() if serves(stranger, row.broken) else ("127.0.0.9", 0)
    around = Surroundings(pki=pki, strangers={stranger: at}, expect=expect)
    try:
        return turned.result(run_row(turned.reactor, row, fixed, around))
    finally:
        other.close()


def seen(done: RowRun, stranger: str) -> dict[str, bool]:
    """What was looked at, but for the log of a stranger, and whether it is as expected."""
    log = "log of Expressway-E"
    return {each.what: each.shown for each in done.evidence if stranger != INSIDE or not each.what.startswith(log)}


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("stranger", MAKE)
@pytest.mark.parametrize("name", ROWS)
def test_with_a_stranger(turned: Turned, pki: Pki, name: str, stranger: str, fixed: bool) -> None:
    """Everything is seen that does not stand in the stranger's log; that is not there."""
    done = run(turned, pki, name, fixed, stranger, as_fixed=fixed)
    found = seen(done, stranger)
    assert [what for what, shown in found.items() if not shown] == []
    assert len(found) >= 3
    log = {INSIDE: done.outcome.log_inside, OUTSIDE: done.outcome.log_outside}
    assert {who for who, text in log.items() if not text} == {stranger}


MISTAKES = {"T1": INSIDE, "T2": INSIDE, "T3": INSIDE, "T5": OUTSIDE, "T6": INSIDE, "T7": INSIDE}
"""Whose it is; in T4 it is the firewall's."""


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_stranger_who_is_as_in_the_other_form(turned: Turned, pki: Pki, name: str, fixed: bool) -> None:
    """A mistake that was not made, or was not mended, does not pass."""
    found = seen(run(turned, pki, name, fixed, MISTAKES[name], as_fixed=not fixed), MISTAKES[name])
    assert found["SIP request answered"] is False


@contextmanager
def takes_everybody(papers: Path) -> Iterator[Address]:
    """Expressway-E as Python's `ssl`: asks for a certificate and takes any, and resets behind the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "expressway-e-chain.pem", papers / "expressway-e.key")
    context.load_verify_locations(papers / "webex-root.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def serve() -> None:
        accepted, _ = listener.accept()
        with context.wrap_socket(accepted, server_side=True) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.9", 0)) as listener:
        listener.settimeout(PATIENCE)
        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()
        serving.join()


@pytest.mark.parametrize("name", ["T2", "T6"])
def test_a_reset_behind_a_handshake_that_succeeded(turned: Turned, pki: Pki, papers: Path, name: str) -> None:
    """Is not that of a certificate that was not accepted; it is the one sign that tells."""
    with takes_everybody(papers) as place:
        around = Surroundings(pki=pki, strangers={INSIDE: place})
        done = turned.result(run_row(turned.reactor, ROWS[name], False, around))
    reasons = [reason for reason in done.reasons if not reason.startswith("log of Expressway-E")]
    assert reasons == ["reset: expected inside, found inside, behind its Finished"]


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("stranger", [False, True], ids=["built-in", "stranger"])
@pytest.mark.parametrize("name", ["T2", "T6"])
def test_webex_with_another_name(
    turned: Turned, pki: Pki, name: str, stranger: bool, fixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would be reset whatever is verified: it shows the mistake of nobody else."""
    monkeypatch.setattr("harness.peers.tls_stage._LAG", 0.3)
    wrong = {"shown_outside": "expressway-e-rsa"}
    row = replace(ROWS[name], broken=replace(ROWS[name].broken, **wrong), fixed=replace(ROWS[name].fixed, **wrong))
    far = webex(turned, pki, row.broken)

    def expect(what: str, happened: Callable[[], bool]) -> Deferred[bool]:
        host, _, port = what.split()[3].partition(":")
        far.connect((host, int(port)))
        return succeed(True)

    strangers = {OUTSIDE: ("127.0.0.9", 0)} if stranger else {}
    around = Surroundings(pki=pki, strangers=strangers, expect=expect)
    done = turned.result(run_row(turned.reactor, row, fixed, around))
    far.close()
    reason = f"Webex's certificate names {VERIFY_NAME}: expected yes, found no, it is that of expe.example.com"
    assert reason in done.reasons
    assert fixed or done.reasons == [reason]


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize(("name", "stranger", "called"), [("T1", INSIDE, "Expressway-E"), ("T4", OUTSIDE, "Webex")])
def test_a_stranger_who_does_not_listen(
    turned: Turned, pki: Pki, name: str, stranger: str, called: str, fixed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reason is that it refused the connection; what the firewall makes of that is no reset of anybody's."""
    monkeypatch.setattr("harness.peers.tls_stage._LAG", 0.05)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.9", 0))
        around = Surroundings(pki=pki, strangers={stranger: deaf.getsockname()})
        done = turned.result(run_row(turned.reactor, ROWS[name], fixed, around))
    refusal = "Connection was refused by other side: 111: Connection refused"
    assert done.reasons[0] == f"TCP connection: expected stands, found does not reach {called}: {refusal}"
    assert "reset: none" in map(str, done.evidence) or "reset: expected towards inside, found none" in done.reasons


def test_two_strangers(turned: Turned, pki: Pki) -> None:
    """Then it is the firewall alone that sees what happens."""
    near, far = expressway(turned, pki), webex(turned, pki, ROWS["T5"].broken)

    def expect(what: str, happened: Callable[[], bool]) -> Deferred[bool]:
        host, _, port = what.split()[3].partition(":")
        far.connect((host, int(port)))
        return succeed(True)

    strangers = {INSIDE: near.listen(), OUTSIDE: ("127.0.0.9", 0)}
    done = turned.result(run_row(turned.reactor, ROWS["T5"], False, Surroundings(strangers=strangers, expect=expect)))
    near.close()
    far.close()
    assert {what for what, shown in seen(done, INSIDE).items() if not shown} == set()


def test_nobody_comes(turned: Turned, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no sign of a mistake."""
    monkeypatch.setattr("harness.peers.tls_stage._LAG", 0.05)
    around = Surroundings(pki=pki, strangers={OUTSIDE: ("127.0.0.9", 0)})
    done = turned.result(run_row(turned.reactor, ROWS["T1"], False, around))
    assert done.reasons[0] == "TCP connection: expected stands, found nobody connects"
    assert "alert: expected unknown_ca from inside, found none" in done.reasons


@pytest.mark.parametrize(
    ("strangers", "shown", "known"),
    [
        ((), {"expressway-e", "webex"}, {"webex-root", "expressway-e", "expressway-e-issuing", "expressway-e-root"}),
        ((INSIDE,), {"webex"}, {"expressway-e-root", "expressway-e"}),
        ((OUTSIDE,), {"expressway-e"}, {"webex-root", "expressway-e-issuing", "expressway-e-root"}),
        ((INSIDE, OUTSIDE), set(), set()),
    ],
)
def test_certificates_that_are_needed(strangers: tuple[str, ...], shown: set[str], known: set[str]) -> None:
    """Keys of peers of ours alone; what they trust without a key."""
    needed = recipes_of(GOOD, dict.fromkeys(strangers, ("127.0.0.9", 0)))
    assert (set(needed.shown), set(needed.known)) == (shown, known)


def test_an_organization_of_its_own(papers: Path, tmp_path: Path) -> None:
    """The names in the certificate that it has for its Expressway-E are its verified domains."""
    book = load_recipes("webex", "expressway-e", "firewall")
    for file in papers.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "expressway-e.crt").write_bytes((papers / "webex.crt").read_bytes())
    trust = outside_settings(GOOD, read(book, tmp_path, ["webex"], GOOD.known_outside), TlsVersion.TLS_1_2).trust
    assert trust.refuse(0, Names("l2sip-03.webex.example", ()), False) is None
    assert trust.refuse(0, Names("expe.example.org", ()), False) is not None
