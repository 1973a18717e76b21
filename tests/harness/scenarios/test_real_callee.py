"""A third party takes part: SIPp as the callee of every scenario of an ALG, on whose legs the facts are seen."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness.scenarios import alg_addresses, alg_media, alg_messages
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.verdict import Outcome, judge
from tests.e2e.test_sip_elements import listens, running
from tests.edge.sockets import free_port_pair
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.alg_calls.strangers import failing, observe, verdicts
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
    """Somebody who answers OPTIONS, and resets a connection once a message on it has more than so many bytes; the port
    it listens on.
    """
    with socket.create_server((CALLEE, 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(PATIENCE)
                        _serve(connection, limit)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


def _serve(connection: socket.socket, limit: int) -> None:
    """Until a message is too large, or the other end is tired of it."""
    got = b""
    while len(got) <= limit and (data := connection.recv(65536)):
        got += data
        if got.startswith(b"OPTIONS ") and got.endswith(b"\r\n\r\n") and len(got) <= limit:
            lines = got.splitlines()
            copied = [line for line in lines if line.startswith((b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:"))]
            answer = b"SIP/2.0 405 Method Not Allowed", *copied, b"Content-Length: 0", b"", b""
            connection.sendall(b"\r\n".join(answer))
            got = b""


def test_a_callee_with_a_limit(turned: Turned, tmp_path: Path) -> None:
    """It answers what is within its limit, in any words, and resets at what is not."""
    with resetting(5000) as port:
        seen = observe(turned, tmp_path, [LIMITED], False, lambda name, network: {"callee": (CALLEE, port)})
    found = verdicts(seen, False)
    assert failing(found) == {}
    assert {each.what: each.found for each in found[LIMITED].evidence} == {
        "OPTIONS of 4990 bytes outside": "is answered",
        "inside, INVITE against the limit of 5000 bytes": "is within it",
        "outside, INVITE against the limit of 5000 bytes": "exceeds it",
        "inside, Request-URI of the INVITE": "the callee",
        **{"answer to INVITE": "connection lost", "reset by the callee": "yes"},
    }


@pytest.mark.parametrize("limit", [-1, 4000])
def test_a_callee_that_resets_for_another_reason(turned: Turned, tmp_path: Path, limit: int) -> None:
    """As soon as somebody comes, or at a limit of another size: a smaller message fares no better."""
    with resetting(limit) as port:
        seen = observe(turned, tmp_path, [LIMITED], False, lambda name, network: {"callee": (CALLEE, port)})
    verdict = judge(SCENARIOS[LIMITED], False, seen[LIMITED])
    assert verdict.verdict is Outcome.FAIL
    assert verdict.reason.startswith("OPTIONS of 4990 bytes outside: expected is answered, found ")


def test_on_the_command_line(tmp_path: Path) -> None:
    """`--peer` has the callee."""
    with answering(tmp_path) as port:
        peer = ("--peer", f"callee={CALLEE}:{port}")
        command = sipalg_command("scenario", "run", "nonstandard-port", "--fixed", "--json", *peer)
        done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False, env=sipalg_environment())
    (said,) = json.loads(done.stdout)
    assert (said["verdict"], done.returncode, done.stderr) == ("pass", 0, b""), said["reason"]
    assert len(said["evidence"]) == 8


IN_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("l4f-off", "caller"): ("ACK and BYE", "Contact", "new connection", "not on its first one"),
    ("nonstandard-port", "caller"): ("ACK and BYE", "Contact", "new connection", "not on its first one"),
    ("stale-content-length", "caller"): ("from an address that is longer than that of host 2",),
    (LIMITED, "caller"): ("from an address that is shorter than that of host 102",),
    (LIMITED, "callee"): ("answer OPTIONS",),
    ("media-level-c-missed", "caller"): ("video is needed",),
    ("media-level-c-missed", "callee"): ("video is needed",),
    ("source-port-translated", "caller"): ("until the registrar resets", "PCMA"),
}
"""What has to be said of a duty."""


@pytest.mark.parametrize(("name", "part"), IN_WORDS)
def test_a_duty_says_what_its_signs_need(name: str, part: str) -> None:
    """An engineer sets up the peer by it alone."""
    (duty,) = [each.duty for each in SCENARIOS[name].parts if each.name == part]
    assert [text for text in IN_WORDS[name, part] if text not in duty] == []


@pytest.mark.parametrize("name", ["keepalive-swallowed", "unknown-method-dropped"])
def test_a_duty_without_a_call(name: str) -> None:
    """It has nothing of one."""
    duty = SCENARIOS[name].parts[0].duty
    assert ("audio" in duty, "BYE" in duty) == (False, False)


@pytest.mark.parametrize("name", NAMES)
def test_addresses_of_a_filter_are_introduced(name: str) -> None:
    """By the drawing or in what happens: nobody can replace one by his own if he does not know whose it is."""
    scenario = SCENARIOS[name]
    addresses = re.findall(r"\d+\.\d+\.\d+\.\d+", scenario.wireshark)
    assert [each for each in addresses if each not in scenario.topology + scenario.happens] == []
