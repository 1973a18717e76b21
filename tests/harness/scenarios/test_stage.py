"""Networks of loopback, each for one run."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from twisted.internet import task
from twisted.internet.defer import Deferred

from harness.ca import load_recipes, make, write
from harness.scenarios.stage import Network, Stage, loopback


def test_two_runs_get_two_networks() -> None:
    """Even if they begin to look at the same place; what is given back can be had again."""
    with Network(loopback(7)) as first, Network(loopback(7)) as second:
        hosts = {first.host(2), second.host(2)}
        assert len(hosts) == 2
        assert all(host.startswith("127.") and host.endswith(".2") for host in hosts)
    with Network(loopback(7)) as again:
        assert again.host(2) in hosts


@pytest.mark.parametrize("start", [0, 255, 256, 16383, 16384, 4194303])
def test_every_process_number_has_its_network(start: int) -> None:
    """Addresses are valid, and away from those that people use."""
    with Network(loopback(start)) as network:
        numbers = [int(part) for part in network.host(250).split(".")]
    assert numbers[0] == 127
    assert 64 <= numbers[1] < 128
    assert 0 <= numbers[2] < 256


def test_a_network_that_is_named() -> None:
    """The first one of them that can be had; an error with the reason if there is none."""
    with Network(["192.0.2", "127.99.6"]) as network:
        assert network.host(7) == "127.99.6.7"
        with pytest.raises(OSError, match=r"127\.99\.6\.254: Address already in use"):
            Network(["192.0.2", "127.99.6"])


@pytest.mark.parametrize(("comes", "waited"), [(True, 1.0), (False, 60.0)])
def test_what_a_real_peer_does_is_waited_for(tmp_path: Path, comes: bool, waited: float) -> None:
    """It is asked for; until it has happened, or time is up."""
    clock = task.Clock()
    asked: list[str] = []
    with Network() as network:
        stage = Stage(clock, network, tmp_path, wait=60.0, tell=asked.append)
        over = Deferred.fromCoroutine(stage.expect("webex: call somebody", lambda: comes and clock.seconds() >= 1.0))
    assert asked == ["webex: call somebody (within 60 s)"]
    answers: list[bool] = []
    over.addCallback(answers.append)
    while not answers:
        clock.advance(0.01)
    assert (answers, round(clock.seconds(), 1)) == ([comes], waited)


def test_certificates_that_others_know(tmp_path: Path) -> None:
    """Those of a directory, and else new ones each time."""
    write(make(load_recipes(), datetime.now(UTC), ["webex"]), tmp_path)
    with Network() as network:
        known = [Stage(None, network, tmp_path, certificates=tmp_path).pki(["webex"])["webex"] for _ in range(2)]
        new = Stage(None, network, tmp_path).pki(["webex"])["webex"]
        with_known = Stage(None, network, tmp_path).pki(["webex"], ["cucm-root"])
    assert with_known.certificate("cucm-root") == with_known["cucm-root"].certificate
    shown = x509.load_pem_x509_certificate((tmp_path / "webex.crt").read_bytes())
    assert [each.certificate for each in known] == [shown, shown]
    assert new.certificate != shown


def test_what_is_kept_is_for_its_owner(tmp_path: Path) -> None:
    """Captures may hold keys."""
    with Network() as network:
        Stage(None, network, tmp_path).keep("capture.pcapng", b"\x0a")
        Stage(None, network, tmp_path).keep("expe.log", "zürich")
    file = tmp_path / "capture.pcapng"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"\x0a"
    assert (tmp_path / "expe.log").read_text("utf-8") == "zürich"
