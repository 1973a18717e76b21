"""`sipalg fuzz segmentation`, against a server that frames well and one that does not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from harness.fuzz.cutting import Cuttings
from harness.fuzz.findings import FindingFiles
from harness.fuzz.journal import Beginning, Journal
from harness.fuzz.probing import Clock, Manner
from harness.fuzz.run import DONE, FAILED, Keeping, Run
from harness.fuzz.segmentation import SegmentationRun
from harness.screen import ProgressBar
from tests.harness.conftest import StartServer
from tests.harness.fuzz.probers import message_for, prober_for, target_of
from tests.harness.fuzz.servers import LimitedServer


def segmentation(server: LimitedServer, place: Path, pause: float, *kinds: str) -> tuple[int, SegmentationRun]:
    """All cases of these kinds; the exit status and the run."""
    cases = Cuttings(message_for(server), pause, "127.0.0.1", frozenset(kinds)).cases()
    with closing(Journal.create(place, Beginning("segmentation", 1, {}))) as journal:
        files = FindingFiles(place / "findings", target_of(server), Manner())
        run = Run(Keeping(journal, files, lambda: b"small"), Clock(), 5000, ProgressBar(1))
        with closing(SegmentationRun(run, cases, prober_for(server, timeout=20.0), ProgressBar(1), 1)) as work:
            return work.carry_out(), work


def test_a_server_that_frames_well(start_server: StartServer, tmp_path: Path) -> None:
    """Everything is answered, neighbours in one segment too."""
    server = start_server()
    status, work = segmentation(server, tmp_path, 0.0)
    said = work.summary()
    assert status == DONE
    assert said["cases"] == said["answered"] == said["probes"] > 300
    assert (said["not_answered"], said["findings"], said["target_alive"]) == ([], [], True)


def test_a_server_that_takes_a_read_for_a_message(start_server: StartServer, tmp_path: Path) -> None:
    """Every case with a pause in it is a finding, unless the pause is between two messages."""
    server = start_server(65_536, counts="read")
    status, work = segmentation(server, tmp_path, 0.3, "coalesced")
    said = work.summary()
    assert status == FAILED
    assert said["answered"] == 3
    assert len(said["not_answered"]) == len(said["findings"]) == said["cases"] - 3
    assert all("messages cut at" in name for name in said["not_answered"])
