"""Rows and situations as whoever runs them gets them: verdict, logs, capture, and what cannot be run."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from twisted.internet.error import CannotListenError

from alg.edge.entrance import Address
from alg.errors import ConfigError
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.peers import tls_peer, tls_stage
from harness.peers.tls_findings import RowRun
from harness.peers.tls_meeting import Loss
from harness.peers.tls_rows import GOOD, ROWS, Situation
from harness.peers.tls_stage import Surroundings, run_row, run_situation
from tests.harness.peers.capturing import Packet, packets
from tests.harness.peers.turning import Turned

VERSIONS = pytest.mark.parametrize("version", [TlsVersion.TLS_1_2, TlsVersion.TLS_1_3], ids=["1.2", "1.3"])
SHOWN = {
    **dict.fromkeys(("T1", "T3", "T5", "T7"), "alert: expected (unknown_ca|certificate_unknown) from .*, found none"),
    **dict.fromkeys(("T2", "T6"), "reset: expected inside, found none"),
    "T4": "reset: expected towards inside, found none",
}
"""What every row misses on the wire when its fault is taken out."""
FATAL, UNKNOWN_CA = 2, 48


def run(turned: Turned, pki: Pki, name: str, cured: bool, **changes: Situation) -> RowRun:
    """A row, of which something was changed by hand."""
    row = replace(ROWS[name], **changes)
    return turned.result(run_row(turned.reactor, row, cured, Surroundings(pki=pki)))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_whose_fault_is_taken_out(turned: Turned, pki: Pki, name: str) -> None:
    """It fails, and says that the fault is not on the wire, not in the log, and that SIP crossed."""
    done = run(turned, pki, name, False, broken=ROWS[name].fixed)
    assert not done.passed
    assert [reason for reason in done.reasons if re.fullmatch(SHOWN[name], reason)], done.reasons
    assert "SIP request answered: expected no, found yes" in done.reasons
    assert sum(reason.startswith("log of Expressway-E: ") for reason in done.reasons) == len(ROWS[name].signs.log)


@pytest.mark.parametrize("name", ROWS)
def test_a_cure_that_is_left_out(turned: Turned, pki: Pki, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row fails, and says that no SIP crossed, and which of the signs are still there."""
    monkeypatch.setattr(tls_stage, "_LAG", 0.3)
    done = run(turned, pki, name, True, fixed=ROWS[name].broken)
    assert not done.passed
    assert "SIP request answered: expected yes, found no" in done.reasons
    assert sum(reason.startswith("log of Expressway-E, ") for reason in done.reasons) == len(ROWS[name].signs.log)


@pytest.mark.parametrize(("name", "other"), [("T1", "T3"), ("T2", "T3"), ("T3", "T5"), ("T5", "T3"), ("T7", "T1")])
def test_a_row_with_the_fault_of_another(turned: Turned, pki: Pki, name: str, other: str) -> None:
    """Rows are told from each other, unless the guide itself finds no difference in them."""
    assert not run(turned, pki, name, False, broken=ROWS[other].broken).passed


def capture_of(done: RowRun, file: Path) -> list[Packet]:
    """As tshark reads it, without being told any keys."""
    file.write_bytes(done.outcome.capture)
    ends = [done.outcome.inside, done.outcome.outside]
    return packets(file, sorted({address[1] for end in ends for address in (end.local, end.remote)}))


@VERSIONS
def test_the_capture_of_t4(turned: Turned, pki: Pki, tmp_path: Path, version: TlsVersion) -> None:
    """Both sides of the firewall: RST inside, from whom Expressway-E takes for Webex; none outside; no alert."""
    around = Surroundings(pki=pki, version=version)
    done = turned.result(run_row(turned.reactor, ROWS["T4"], False, around))
    assert done.passed, done.reasons
    seen = capture_of(done, tmp_path / "t4.pcapng")
    inside = done.outcome.inside
    assert [(each.interface, each.source, each.destination) for each in seen if each.reset] == [
        ("inside", inside.remote, inside.local)
    ]
    assert {each.interface for each in seen} == {"inside", "outside"}
    assert [each for each in seen if each.alerts] == []
    assert 'Detail="No SSL error available, probably remote disconnect"' in done.outcome.log_inside


@VERSIONS
def test_the_capture_can_be_read(turned: Turned, pki: Pki, tmp_path: Path, version: TlsVersion) -> None:
    """What decrypts it is in it: the alert of T1 is seen in TLS 1.3 too, on both sides of the firewall."""
    around = Surroundings(pki=pki, version=version)
    done = turned.result(run_row(turned.reactor, ROWS["T1"], False, around))
    seen = capture_of(done, tmp_path / "t1.pcapng")
    found = [(each.interface, each.alerts) for each in seen if each.alerts]
    assert sorted(found) == [("inside", ((FATAL, UNKNOWN_CA),)), ("outside", ((FATAL, UNKNOWN_CA),))]


def test_clock_and_token(turned: Turned) -> None:
    """Whatever differs from run to run comes from whoever runs it: the log is stamped, certificates are of that day."""
    then = datetime(2017, 6, 13, 18, 31, 38, 758000, UTC)
    tokens = count(1)
    around = Surroundings(clock=lambda: then, token=lambda: f"token-{next(tokens)}")
    outcome = turned.result(run_situation(turned.reactor, GOOD, around))
    assert outcome.succeeded
    for log, name in ((outcome.log_inside, "expe"), (outcome.log_outside, "l2sip-01")):
        stamped = [line for line in log.splitlines() if " tvcs: " in line]
        assert stamped
        assert all(line.startswith(f"2017-06-13T18:31:38.758+00:00 {name} tvcs: ") for line in stamped)
    assert re.search(r"Call-ID: token-[12]\b", outcome.log_inside)


def test_keys_go_to_whoever_asks(turned: Turned, pki: Pki) -> None:
    """Those of both peers, which have the same."""
    lines: list[bytes] = []
    turned.result(run_situation(turned.reactor, GOOD, Surroundings(pki=pki, key_log=lines.append)))
    assert len(lines) == 2
    assert len(set(lines)) == 1


def test_peers_are_where_they_are_told(turned: Turned, pki: Pki) -> None:
    """With the port that they are told, so that a capture has 5062 where an engineer looks for it."""
    around = Surroundings(("127.0.7.2", 5062), ("127.0.7.3", 5062), ("127.0.7.4", 5062), pki=pki)
    for inbound in (True, False):
        situation = replace(GOOD, inbound=inbound)
        outcome = turned.result(run_situation(turned.reactor, situation, around))
        server, client = (outcome.inside, outcome.outside)[:: 1 if inbound else -1]
        assert outcome.succeeded
        assert server.local == (f"127.0.7.{2 if inbound else 3}", 5062)
        assert client.local[0] == f"127.0.7.{3 if inbound else 2}"
        assert client.remote == ("127.0.7.4", 5062)


def test_nobody_is_at_the_other_end(turned: Turned, pki: Pki) -> None:
    """That is an outcome: one peer reached nobody, the other one heard nothing."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.4", 0))
        nowhere: Address = unused.getsockname()
        around = Surroundings(pki=pki, way=lambda *_: nowhere, patience=0.2)
        outcome = turned.result(run_situation(turned.reactor, GOOD, around))
    assert (outcome.outside.loss, outcome.outside.remote) == (Loss.UNREACHABLE, nowhere)
    assert (outcome.inside.serves, outcome.inside.loss, outcome.inside.local) == (True, Loss.NOT, ("", 0))
    assert (outcome.succeeded, outcome.capture, outcome.log_inside) == (False, b"", "")


def test_somebody_who_does_not_answer(turned: Turned, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """When patience is at an end, it is told how things are then."""
    monkeypatch.setattr(tls_peer, "_FAREWELL", 0.05)
    with closing(socket.create_server(("127.0.0.4", 0))) as silent:
        around = Surroundings(pki=pki, way=lambda *_: silent.getsockname(), patience=0.2)
        row = ROWS["T3"]
        running = run_row(turned.reactor, row, True, around)
        done = turned.meanwhile(lambda: silent.accept()[0])
        with closing(done):
            result = turned.result(running)
    assert result.reasons == [
        "TCP connection: expected stands, found does not reach Expressway-E",
        "SIP request answered: expected yes, found no",
    ]
    assert (result.outcome.outside.failure, result.outcome.outside.loss) == (None, Loss.NOT)


@pytest.mark.parametrize(
    ("situation", "changes", "failure", "words"),
    [
        (replace(GOOD, inspection=("reset:lunch:inside",)), {}, ConfigError, "lunch"),
        (replace(GOOD, shown_inside="expressway-e-weak-key"), {}, ConfigError, "^certificate: .*key too small"),
        (GOOD, {"version": TlsVersion.TLS_1_1}, ConfigError, "^TLS version: "),
        (GOOD, {"inside": ("192.0.2.1", 0)}, CannotListenError, "192.0.2.1"),
        (GOOD, {"between": ("192.0.2.1", 0)}, CannotListenError, "192.0.2.1"),
    ],
)
def test_what_cannot_be_run(
    turned: Turned,
    pki: Pki,
    situation: Situation,
    changes: dict[str, Address],
    failure: type[Exception],
    words: str,
) -> None:
    """The Deferred fails, and nothing is left behind."""
    running = run_situation(turned.reactor, situation, replace(Surroundings(pki=pki), **changes))
    with pytest.raises(failure, match=words):
        turned.result(running)
