"""A phone that registers, on a stage: what that comes to, as facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenarios.reflection.play import Setting, Way, perform
from harness.scenarios.scenario import Observation
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.playing import observed

GOOD = {
    "Route of the SERVICE": "Expressway-C's own",
    "answer to SERVICE": "200 OK",
    "its Warning": "none",
    "connections to its Route": "none",
    "REGISTER at Expressway-C": "comes",
    "answer to REGISTER": "200 OK",
    "call of the phone": "stands",
}
BAD = {
    "Route of the SERVICE": "an address of the firewall",
    "answer to SERVICE": "408 Request Timeout",
    "its Warning": '399 Expressway-C:5061 "Request Timeout"',
    "connections to its Route": "4, all refused",
    "REGISTER at Expressway-C": "never comes",
    "answer to REGISTER": "408 Request Timeout",
    "call of the phone": "never comes",
}


def play(turned: Turned, folder: Path, setting: Setting) -> Observation:
    """What is seen of it."""
    return observed(turned, folder, lambda stage: perform({False: setting}, stage, False))


@pytest.mark.parametrize("kind", ["TLS", "TCP"])
@pytest.mark.parametrize("way", Way)
def test_ways(turned: Turned, tmp_path: Path, kind: str, way: Way) -> None:
    """Source translation alone does the harm."""
    assert play(turned, tmp_path, Setting(way, kind)).facts == (BAD if way is Way.TRANSLATED else GOOD)


@pytest.mark.parametrize(("kind", "facts"), [("TCP", GOOD), ("TLS", BAD)])
def test_alg(turned: Turned, tmp_path: Path, kind: str, facts: dict[str, str]) -> None:
    """An ALG repairs what it can see."""
    assert play(turned, tmp_path, Setting(Way.TRANSLATED, kind, alg=True)).facts == facts


def test_what_is_kept(turned: Turned, tmp_path: Path) -> None:
    """Both logs, in which the SERVICE is there as the document shows it, the capture and the addresses."""
    seen = play(turned, tmp_path, Setting())
    log = seen.logs["Expressway-C"]
    assert log.count('Detail="TCP Connection Failed"') == 4
    assert ";transport=tls;apparent;ds;lr>\n Route: <sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>" in log
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {"addresses.json", "capture.pcapng", "expressway-c.log", "expressway-e.log"}
