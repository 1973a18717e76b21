"""What `sipalg fuzz size` searches: requests, requests through the ALG, and responses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.errors import ConfigError
from harness.fuzz.findings import FindingFiles
from harness.fuzz.growing import PLACES
from harness.fuzz.journal import Beginning, Journal
from harness.fuzz.probing import Clock, Manner, Prober
from harness.fuzz.run import CUT_SHORT, Keeping, Run, RunEnded
from harness.fuzz.segments import Every, Random, Whole
from harness.fuzz.size import Bounds, Cutting, RequestRun, ResponseRun
from harness.fuzz.sizes import Message, Sizes, Tokens
from harness.screen import ProgressBar
from tests.harness.conftest import StartServer
from tests.harness.fuzz.callers import Caller
from tests.harness.fuzz.messages import HERE
from tests.harness.fuzz.probers import NONCE, message_for, prober_for, sizes_for, target_of
from tests.harness.fuzz.servers import LimitedServer
from tests.harness.fuzz.test_answering import answerer

HIGH = 131_072
SEED = 20_261_121


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """In a directory of this test's own."""
    with closing(Journal.create(tmp_path, Beginning("size", SEED, {}))) as made:
        yield made


def run_for(journal: Journal, server: LimitedServer | None = None) -> Run:
    """A run that keeps its findings."""
    target = target_of(server or LimitedServer(1))
    files = FindingFiles(journal.directory / "findings", target, Manner())
    return Run(Keeping(journal, files, lambda: b"small"), Clock(), 200, ProgressBar(1))


def search(
    server: LimitedServer, journal: Journal, sizes: Sizes, low: int, high: int, timeout: float
) -> dict[str, Any]:
    """What a bisection says."""
    run = run_for(journal, server)
    with closing(
        RequestRun(run, Bounds(low, high, None, SEED), sizes, prober_for(server, timeout=timeout), None, None)
    ) as work:
        assert work.carry_out() == 0
        return work.summary()


def journal_findings(journal: Journal) -> list[Path]:
    """The directories that there are."""
    return sorted((journal.directory / "findings").glob("*"))


@pytest.mark.parametrize("limit", [5000, 11_000, 18_000])
def test_a_maximum_incoming_message_size(start_server: StartServer, journal: Journal, limit: int) -> None:
    """An INVITE that is too large is answered by closing the connection, without a word; it works before and after."""
    server = start_server(limit)
    said = search(server, journal, sizes_for(server, "sdp-attributes", "INVITE"), 600, 20_000, 20.0)
    assert (said["largest_accepted"], said["smallest_refused"], said["refusal"]) == (limit, limit + 1, "closed")
    assert all((place / "received.bin").read_bytes() == b"" for place in journal_findings(journal))


def test_segments_smaller_than_one_read(start_server: StartServer, journal: Journal) -> None:
    """A server that takes one read for a message is refused everything that needs two segments."""
    server = start_server(65_536, counts="read")
    sizes = sizes_for(server, segmentation=Cutting(700, False, 1), pause=0.3)
    said = search(server, journal, sizes, 690, 710, 20.0)
    assert (said["largest_accepted"], said["smallest_refused"]) == (700, 701)


@pytest.mark.parametrize("grow", ["header", "record-route"])
def test_growth_by_rewriting(start_server: StartServer, journal: Journal, grow: str) -> None:
    """Both limits are exact: the endpoint's, and that of a sender in front of the ALG."""
    server = start_server(5000)
    alg = Alg(AlgConfig(NatConfig((AddressMap.parse("10.0.30.2=64.100.0.10"),))))
    message = Message.choose("INVITE", None, ("127.0.0.1", server.port), False, Tokens(NONCE), "10.0.30.2")
    sizes = Sizes(message, PLACES[grow])
    manner = Manner(timeout=20.0, rate=5000.0)
    straight, through = (Prober(target_of(server), manner, message.small(), alg=each) for each in (None, alg))
    run = run_for(journal, server)
    bounds = Bounds(sizes.smallest("127.0.0.1"), 20_000, None, SEED)
    with closing(RequestRun(run, bounds, sizes, straight, alg, through)) as work:
        work.carry_out()
        said = work.summary()
    assert (said["largest_accepted"], said["smallest_refused"], said["refusal"]) == (5000, 5001, "closed")
    own = said["alg"]
    assert own["largest_arrived"] == own["largest_accepted"] + own["growth"] <= 5000
    assert own["smallest_refused"] == own["largest_accepted"] + 1
    assert (own["refusal"], own["monotonic"]) == ("closed", True)
    assert own["growth"] == 10 if grow == "header" else own["growth"] > 60
    assert said["probes"] < 60
    assert max(size for size in server.accepted) == 5000


@pytest.mark.parametrize(("early", "grow"), [(False, "sdp-media"), (True, "record-route")])
def test_a_200_that_is_too_large(journal: Journal, early: bool, grow: str) -> None:
    """Delayed and early offer: the caller closes the connection instead of sending ACK."""
    us = answerer()
    caller = Caller(us.address[1], limit=3000, early=early, hangs_up=True)
    bounds = Bounds(2999, 3002, None, SEED)
    work = ResponseRun(run_for(journal), bounds, PLACES[grow], Cutting(None, False, 1), 0.0, us)
    with closing(work):
        assert work.carry_out() == 0
        caller.stop()
        said = work.summary()
    assert (said["largest_accepted"], said["smallest_refused"], said["refusal"]) == (3000, 3001, "closed")
    assert said["monotonic"]
    assert said["probes"] < 40


def test_nobody_calls(journal: Journal) -> None:
    """A run that is cut short, and says why."""
    with closing(answerer(patience=0.05)) as us:
        work = ResponseRun(
            run_for(journal), Bounds(1, 9000, None, 1), PLACES["header"], Cutting(None, False, 1), 0.0, us
        )
        with pytest.raises(RunEnded, match="nobody called") as ended:
            work.carry_out()
    assert ended.value.status == CUT_SHORT


def test_a_range_below_the_smallest_200(journal: Journal) -> None:
    """It depends on the call, so it is told when the first one comes."""
    us = answerer()
    caller = Caller(us.address[1])
    with closing(us):
        work = ResponseRun(
            run_for(journal), Bounds(1, 300, None, 1), PLACES["header"], Cutting(None, False, 1), 0.0, us
        )
        with pytest.raises(ConfigError, match=r"^--max 300: the smallest 200 to this call has \d+ bytes"):
            work.carry_out()
        caller.stop()


def test_how_probes_are_cut() -> None:
    """Whole, in segments of a size, or by a chance that each probe and each seed has of its own."""
    assert Cutting(None, False, 1)(5) == Whole()
    assert Cutting(300, False, 1)(5) == Every(300)
    made = [Cutting(None, True, seed)(number) for seed in (1, 2) for number in (1, 2, 1)]
    assert all(isinstance(each, Random) for each in made)
    assert made[0] == made[2]
    assert len(set(made)) == 4


def test_the_health_check_is_of_the_same_method(start_server: StartServer) -> None:
    """An endpoint that knows nothing but INVITE is not taken for dead."""
    server = start_server()
    assert message_for(server, "INVITE").small().compose(HERE).data.startswith(b"INVITE ")
