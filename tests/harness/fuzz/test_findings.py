"""Findings: what they hold, and that they can be sent again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.classification import Kind
from harness.fuzz.findings import FindingFiles, Replay
from harness.fuzz.probing import Manner, Prober, Trial
from harness.fuzz.segments import At
from tests.harness.conftest import StartServer
from tests.harness.fuzz.probers import message_for, prober_for, sizes_for, target_of
from tests.harness.fuzz.servers import LimitedServer

LIMIT = 1000
SMALL = (
    b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=y\r\nFrom: x\r\nTo: x\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


def trial_of(server: LimitedServer) -> Trial:
    """One byte too many, in three segments."""
    sizes = sizes_for(server, segmentation=lambda number: At((10, 500)), pause=0.01)
    with closing(prober_for(server)) as prober:
        return prober.run(sizes.case(LIMIT + 1, 1))


def write(server: LimitedServer, trial: Trial, directory: Path, **more: bool) -> Path:
    """As finding number 7."""
    small = message_for(server).small().compose(("127.0.0.1", 5060)).data
    return FindingFiles(directory, target_of(server), Manner(timeout=3.0), **more).write(7, trial, small)


def test_everything_is_there(start_server: StartServer, tmp_path: Path) -> None:
    """The exact bytes both ways, the cuts, the times, the class, and how the target was afterwards."""
    server = start_server(LIMIT, refuses="513")
    place = write(server, trial_of(server), tmp_path)
    assert place.name == "0007-size-1001-rejected-513"
    assert (place / "sent.bin").read_bytes() == server.seen[0]
    assert (place / "received.bin").read_bytes().startswith(b"SIP/2.0 513 No\r\n")
    said = json.loads((place / "finding.json").read_text())
    assert (said["kind"], said["status"], said["cuts"], said["pause"]) == ("rejected", 513, [10, 500], 0.01)
    assert (said["host"], said["port"], said["timeout"]) == ("127.0.0.1", server.port, 3.0)
    assert len(said["sent_at"]) == 3
    assert sum(size for _, size in said["received"]) == len((place / "received.bin").read_bytes())
    assert (said["alive"], said["health"]) == (True, "accepted 200")
    text = (place / "finding.txt").read_text()
    assert "sent       1001 bytes in 3 segments, 0.01 s between two\n" in text
    assert f"again      sipalg fuzz replay {place}\n" in text


def test_it_can_be_sent_again(start_server: StartServer, tmp_path: Path) -> None:
    """The very same bytes, cut in the same places, judged in the same way."""
    server = start_server(LIMIT, refuses="513")
    place = write(server, trial_of(server), tmp_path)
    replay = Replay.load(str(place), owned=False, token="fedcba9876543210")
    assert replay.small is not None
    with closing(Prober(replay.target, replay.manner, replay.small)) as prober:
        again = prober.run(replay.case)
    assert again.outcome.label == "rejected 513"
    assert again.outcome.cuts == (10, 500)
    first, small, second, small_again = server.seen
    assert first == second
    assert small != small_again
    assert replay.manner.timeout == 3.0


def test_what_came_before_a_crash(start_server: StartServer, tmp_path: Path) -> None:
    """An accepted probe after which nobody was there any more."""
    server = start_server()
    trial = trial_of(server)
    place = FindingFiles(tmp_path, target_of(server), Manner()).write(3, trial, SMALL, gone=True)
    assert place.name == "0003-size-1001-accepted-200-gone"
    assert "afterwards DOES NOT ANSWER" in (place / "finding.txt").read_text()


def test_a_strangers_finding_is_not_replayed(start_server: StartServer, tmp_path: Path) -> None:
    """A directory that somebody sent does not decide who is tested."""
    place = write(start_server(LIMIT), trial_of(start_server(LIMIT)), tmp_path, owned=True)
    assert (place / "finding.txt").read_text().endswith(" --i-own-this-target\n")
    path = place / "finding.json"
    path.write_text(path.read_text().replace('"127.0.0.1"', '"192.0.2.1"', 1))
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1 is not loopback"):
        Replay.load(str(place), owned=False, token="0" * 16)
    assert Replay.load(str(place), owned=True, token="0" * 16).target.address[0] == "192.0.2.1"


@pytest.mark.parametrize(("name", "content"), [("finding.json", None), ("finding.json", "{}"), ("sent.bin", None)])
def test_what_is_no_finding(start_server: StartServer, tmp_path: Path, name: str, content: str | None) -> None:
    """Named with its path."""
    server = start_server(LIMIT)
    place = write(server, trial_of(server), tmp_path)
    if content is None:
        (place / name).unlink()
    else:
        (place / name).write_text(content)
    with pytest.raises(ConfigError, match=f"^{place}"):
        Replay.load(str(place), owned=False, token="0" * 16)


def test_names_are_tame(start_server: StartServer, tmp_path: Path) -> None:
    """A case may be called what it likes; its directory stays where it belongs."""
    trial = trial_of(start_server(LIMIT))
    odd = Trial("../../Überlänge / " + "x" * 100, trial.probe, trial.outcome, trial.health)
    place = FindingFiles(tmp_path, target_of(start_server()), Manner()).write(1, odd, SMALL)
    assert place.parent == tmp_path
    assert len(place.name) < 70
    assert trial.outcome.kind is Kind.CLOSED
