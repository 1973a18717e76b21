"""A third party takes part: SIPp as the callee of every scenario of an ALG, on whose legs the facts are seen."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.scenarios import alg_addresses, alg_media, alg_messages
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.verdict import Outcome, judge
from tests.e2e.test_sip_elements import listens, running
from tests.edge.sockets import free_port_pair
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.calls.strangers import failing, observe, verdicts
from tests.helpers.system import PATIENCE, require_system, sipalg_command, sipalg_environment

CALLEE = "127.0.79.3"
NAMES = [each.name for each in (*alg_messages.SCENARIOS, *alg_addresses.SCENARIOS, *alg_media.SCENARIOS)]
LIMITED = "growth-over-cucm-limit"
"""The one whose failure is the callee's doing."""
MOST_SECONDS = 60.0


@pytest.fixture
def turned() -> Iterator[Turned]:
    """For one test; no socket, no timer and no unhandled error may be left."""
    turned = Turned()
    with turned.watched():
        yield turned


@contextmanager
def answering(folder: Path) -> Iterator[int]:
    """SIPp, which answers whatever comes and sends back RTP, for as long as the block runs; the port it listens on."""
    port, media = free_port_pair(CALLEE), free_port_pair(CALLEE)
    where = ("-i", CALLEE, "-ci", CALLEE, "-mi", CALLEE, "-p", str(port), "-mp", str(media), "-rtp_echo", "-t", "t1")
    keys = ("-key", "audio_rtcp", str(media + 1), "-key", "video_rtcp", str(media + 3))
    script = str(Path(__file__).with_name("answering.xml"))
    command = [require_system("sipp", "sip-tester"), "-sf", script, *where, *keys, "-nostdin"]
    with running(command, folder, listens("TCP", CALLEE, port)):
        yield port


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
def test_sipp_answers(turned: Turned, tmp_path: Path, fixed: bool) -> None:
    """Every scenario shows its evidence, or its cure, with a callee that is not ours, and neither for the other."""
    names = [name for name in NAMES if fixed or name != LIMITED]
    assert len(names) >= 18
    with answering(tmp_path) as port:
        seen = observe(turned, tmp_path, names, fixed, lambda name, network: {"callee": (CALLEE, port)})
    found = verdicts(seen, fixed)
    assert failing(found) == {}
    assert {name for name, each in found.items() if len(each.evidence) < 2} == set()
    told = {each.what: each.found for one in found.values() for each in one.evidence}
    assert told["audio RTP at the callee"] == "heard"
    if fixed:
        assert told["audio RTP at the caller"] == "heard"


def test_a_callee_without_a_limit(turned: Turned, tmp_path: Path) -> None:
    """It does not pass for a CUCM that has one."""
    with answering(tmp_path) as port:
        seen = observe(turned, tmp_path, [LIMITED], False, lambda name, network: {"callee": (CALLEE, port)})
    verdict = judge(SCENARIOS[LIMITED], False, seen[LIMITED])
    assert (verdict.verdict, verdict.reason) == (
        Outcome.FAIL,
        "answer to INVITE: expected connection lost, found 200 OK (and 1 more)",
    )


@contextmanager
def resetting(limit: int) -> Iterator[int]:
    """Somebody who resets a connection once more than so many bytes have come on it; the port."""
    with socket.create_server((CALLEE, 0)) as listener:
        listener.settimeout(PATIENCE)

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                got = 0
                while got <= limit and (data := connection.recv(65536)):
                    got += len(data)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_callee_with_a_limit(turned: Turned, tmp_path: Path) -> None:
    """It resets, which is seen, as are the sizes on both sides of its limit."""
    with resetting(5000) as port:
        seen = observe(turned, tmp_path, [LIMITED], False, lambda name, network: {"callee": (CALLEE, port)})
    found = verdicts(seen, False)
    assert failing(found) == {}
    assert {each.what: each.found for each in found[LIMITED].evidence} == {
        "inside, INVITE against the limit of 5000 bytes": "is within it",
        "outside, INVITE against the limit of 5000 bytes": "exceeds it",
        **{"answer to INVITE": "connection lost", "reset by the callee": "yes"},
    }


def test_on_the_command_line(tmp_path: Path) -> None:
    """`--peer` has the callee."""
    with answering(tmp_path) as port:
        peer = ("--peer", f"callee={CALLEE}:{port}")
        command = sipalg_command("scenario", "run", "nonstandard-port", "--fixed", "--json", *peer)
        done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False, env=sipalg_environment())
    (said,) = json.loads(done.stdout)
    assert (said["verdict"], done.returncode, done.stderr) == ("pass", 0, b""), said["reason"]
    assert len(said["evidence"]) == 7
