"""Every growth against every kind of limit: what is found is what the server was told.

Strategy: a server's limit, how it refuses and how it is reached are drawn from SIPALG_SEED, which is printed. The sizes
to be found are told by bisecting over the messages themselves, apart from the search under test.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.fuzz.findings import FindingFiles
from harness.fuzz.growing import PLACES
from harness.fuzz.journal import Beginning, Journal
from harness.fuzz.probing import Clock, Manner
from harness.fuzz.run import Keeping, Run
from harness.fuzz.segments import Every, Random, Whole
from harness.fuzz.size import Bounds, RequestRun
from harness.fuzz.sizes import Sizes
from harness.fuzz.target import TlsOptions
from harness.screen import ProgressBar
from tests.harness.conftest import Pki, StartServer
from tests.harness.fuzz.messages import HERE, split
from tests.harness.fuzz.probers import prober_for, sizes_for, target_of
from tests.harness.fuzz.servers import LimitedServer
from tests.helpers.system import eventually

HIGH = 131_072
SEED = int(os.environ.get("SIPALG_SEED", "20261121"))
CLASSES = {"reset": "reset", "closed": "closed", "513": "rejected", "400": "rejected"}
SILENCE = 1.5
"""Seconds after which silence is one; many servers are silent at the same time."""
_LISTENING, _TIME_WAIT = "0A", "06"


def search(server: LimitedServer, place: Path, sizes: Sizes, low: int, high: int, **how: Any) -> dict[str, Any]:
    """What a bisection says."""
    prober = prober_for(server, **how)
    with closing(Journal.create(place, Beginning("size", SEED, {}))) as journal:
        files = FindingFiles(place / "findings", target_of(server), Manner())
        run = Run(Keeping(journal, files, lambda: b"small"), Clock(), 200, ProgressBar(1))
        with closing(RequestRun(run, Bounds(low, high, None, SEED), sizes, prober, None, None)) as work:
            assert work.carry_out() == 0
            return work.summary()


def counted(message: bytes, what: str) -> int:
    """Bytes that a server counts."""
    head, body = split(message)
    return {"whole": len(message), "header": len(head), "body": len(body), "read": len(message)}[what]


def limit_of(sizes: Sizes, what: str, limit: int, low: int, high: int) -> tuple[int | None, int | None]:
    """(largest accepted, smallest refused) between two sizes."""
    fits = [counted(sizes.grown(size, HERE), what) <= limit for size in (low, high)]
    if all(fits):
        return high, None
    if not fits[0]:
        return None, low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if counted(sizes.grown(middle, HERE), what) <= limit else (low, middle)
    return low, high


def connections_to(port: int) -> set[str]:
    """The states of the connections that this machine's kernel has with a port, listening ones left out."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [(local.rpartition(":")[2], remote.rpartition(":")[2], state) for _, local, remote, state, *_ in rows]
    return {state for *both, state in ends if f"{port:04X}" in both} - {_LISTENING}


@pytest.mark.parametrize("counts", ["whole", "header", "body", "read"])
@pytest.mark.parametrize("grow", PLACES)
def test_every_growth_against_every_kind_of_limit(
    start_server: StartServer, pki: Pki, tmp_path: Path, grow: str, counts: str
) -> None:
    """Limit and class are exact in under 40 probes, whatever the transport, and no connection is left half open."""
    rng = random.Random(f"{SEED} {grow} {counts}")
    limit = rng.randint(600, 70_000)
    refuses = rng.choice(list(CLASSES))
    method = rng.choice(["OPTIONS", "INVITE", "MESSAGE"])
    reuse = rng.choice([False, True])
    at_once = counts == "read"
    transport = "tcp" if at_once else rng.choice(["tcp", "tls", "mutual tls"])
    cut = Whole() if at_once else rng.choice([Whole(), Every(1000), Random(rng.randrange(1000))])
    print(f"SIPALG_SEED={SEED}: {method}, limit {limit}, {refuses}, {transport}, {cut}, {reuse=}")
    mutual = transport == "mutual tls"
    context = None if transport == "tcp" else pki.server_context(mutual)
    tls = None if transport == "tcp" else TlsOptions(str(pki.client) if mutual else None, ca=str(pki.ca), verify=True)
    server = start_server(limit, counts=counts, refuses=refuses, context=context)
    sizes = sizes_for(server, grow, method, segmentation=lambda number: cut)
    low = sizes.smallest("127.0.0.1")
    said = search(server, tmp_path, sizes, low, HIGH, method=method, timeout=20.0, reuse=reuse, tls=tls)
    expected = limit_of(sizes, counts, limit, low, HIGH)
    assert (said["largest_accepted"], said["smallest_refused"]) == expected
    assert said["refusal"] == (CLASSES[refuses] if expected[1] else None)
    assert said["monotonic"]
    assert said["probes"] < 40
    assert said["target_alive"]
    assert sorted(map(Path, said["findings"])) == sorted((tmp_path / "findings").glob("*"))
    eventually("no connection is half open", lambda: connections_to(server.port) <= {_TIME_WAIT})


def test_silence(start_server: StartServer, tmp_path: Path) -> None:
    """Every growth and every kind of limit again, all at once, against servers that say nothing; a few sizes each."""
    rng = random.Random(SEED)
    print(f"SIPALG_SEED={SEED}")

    def one(grow: str, counts: str) -> None:
        limit = rng.randint(600, 70_000)
        server = start_server(limit, counts=counts, refuses="silent")
        sizes = sizes_for(server, grow)
        expected = limit_of(sizes, counts, limit, sizes.smallest("127.0.0.1"), HIGH)
        largest, refused = expected
        assert largest is not None
        assert refused is not None
        said = search(server, tmp_path / f"{grow}-{counts}", sizes, largest - 1, refused, timeout=SILENCE)
        assert (said["largest_accepted"], said["smallest_refused"]) == expected
        assert (said["refusal"], said["monotonic"], said["target_alive"]) == ("silent", True, True)

    part = {grow: "body" if place.in_body else "header" for grow, place in PLACES.items()}
    pairs = [(grow, counts) for grow in PLACES for counts in ("whole", "read", part[grow])]
    with ThreadPoolExecutor(len(pairs)) as pool:
        for done in [pool.submit(one, *pair) for pair in pairs]:
            done.result()
