"""What TLS inspection leaves in `--capture`, as tshark sees it without being told anything: T4's one reset, and keys.

Strategy: SIP over TLS is on 5061, where tshark looks for it by itself; the addresses of loopback are this run's own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.edge.sockets import LOOPBACK, Upstream
from tests.edge.terminated import FIREWALL, Pair, read, told
from tests.edge.tls_ends import SOON, Answerer, Outcome, Papers, call
from tests.harness.peers.capturing import packets
from tests.helpers.system import PATIENCE, ProxyProcess, eventually, require_system, running_proxy

SIPS = 5061
ALERT = 21
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends."""
    return Papers(tmp_path_factory.mktemp("pki"))


@VERSIONS
@pytest.mark.parametrize(("elsewhere", "word"), [("", "timeout"), (":fin", "eof")], ids=["silence", "fin"])
def test_t4(start_proxy: StartProxy, papers: Papers, tmp_path: Path, version: str, elsewhere: str, word: str) -> None:
    """A RST inside, as if from the server; none outside, but silence, or a FIN if so configured. We alert nobody."""
    capture, events = tmp_path / "t4.pcapng", tmp_path / "events.jsonl"
    with closing(Answerer(papers.server(version), SOON)) as server:
        place = ("--listen", f"{LOOPBACK}:0", "--to", server.address, "--events", str(events))
        rule = f"reset:client-finished:inside{elsewhere}"
        proxy = start_proxy(*place, "--tls-inspect", rule, "--capture", str(capture))
        server.expect()
        assert Outcome(call(papers.client(version), proxy.port), server.word()) == Outcome("reset", word)
        eventually("closed", lambda: told(events)[-1]["event"] == "closed")
        proxy.stop()
        port = int(server.address.partition(":")[2])
        seen = packets(capture, [proxy.port, port])
    inside, outside = ([each for each in seen if each.interface == side] for side in ("inside", "outside"))
    assert [each.source for each in seen if each.reset] == [(LOOPBACK, proxy.port)]
    assert inside[-1].reset
    assert [each for each in inside if each.fin] == []
    assert [each.source[1] == port for each in outside if each.fin] == [word == "timeout", word != "timeout"]
    alerts = [each for each in seen if each.alerts or ALERT in each.contents]
    assert [each for each in alerts if word == "timeout" or each.source[1] != port] == []


def test_t4_when_the_firewall_ends_first(start_proxy: StartProxy, papers: Papers, tmp_path: Path) -> None:
    """The outside that waits in silence is taken leave of; even then no RST is there, and the file is its owner's."""
    capture = tmp_path / "t4.pcapng"
    with closing(Answerer(papers.server("1.2"), PATIENCE)) as server:
        place = ("--listen", f"{LOOPBACK}:0", "--to", server.address, "--capture", str(capture))
        proxy = start_proxy(*place, "--tls-inspect", "reset:client-finished:inside")
        server.expect()
        assert call(papers.client("1.2"), proxy.port) == "reset"
        proxy.stop()
        assert server.word() == "eof"
        seen = packets(capture, [proxy.port, int(server.address.partition(":")[2])])
    assert [(each.interface, each.source) for each in seen if each.reset] == [("inside", (LOOPBACK, proxy.port))]
    assert [each.interface for each in seen if each.fin][:1] == ["outside"]
    assert capture.stat().st_mode & 0o777 == 0o600


@dataclass(frozen=True)
class Captured:
    """Two connections, TLS 1.2 and 1.3, over which an INVITE went there and back."""

    cipher: Path
    """With the secrets in it."""
    clear: Path
    keys: Path


@pytest.fixture(scope="module")
def captured(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Captured:
    """Of a firewall that terminates."""
    folder = tmp_path_factory.mktemp("terminated")
    files = Captured(folder / "cipher.pcapng", folder / "clear.pcapng", folder / "keys")
    network = f"127.{64 + os.getpid() // 250 % 64}.{os.getpid() % 250}"
    with closing(Answerer(host=f"{network}.2", port=SIPS)) as server:
        inspect = ("--tls-inspect", "terminate", "--tls-ca", papers.path(FIREWALL), papers.path("firewall-root.key"))
        place = ("--listen", f"{network}.1:{SIPS}", "--to", server.address, "--map", MAP, "--media", "rewrite")
        captures = ("--capture", str(files.cipher), "--capture-clear", str(files.clear))
        with running_proxy(*place, *inspect, *captures, "--tls-keylog", str(files.keys)):
            for version in ("1.2", "1.3"):
                server.expect(papers.server(version, FIREWALL))
                said = call(papers.client(version, FIREWALL), SIPS, data=request(INSIDE), host=f"{network}.1")
                assert Outcome(said, server.word()) == Outcome("ok", "ok")
    return files


def dissected(capture: Path, shown: str, *fields: str, more: Sequence[str] = ()) -> list[list[str]]:
    """Fields of the packets that a display filter shows, by tshark as it is when it has been installed."""
    command = [require_system("tshark", "tshark"), "-n", "-r", str(capture), "-Y", shown, "-T", "fields", *more]
    for field in fields:
        command += ["-e", field]
    home = {**os.environ, "HOME": str(capture.parent), "XDG_CONFIG_HOME": str(capture.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=home)
    return [line.split("\t") for line in done.stdout.splitlines()]


MESSAGES = [["inside", INSIDE], ["outside", OUTSIDE], ["outside", OUTSIDE], ["inside", INSIDE]]
"""On which interface an INVITE shows, and who its sender is there; the server sends it back as it came."""


def test_wireshark_shows_sip_without_further_settings(captured: Captured) -> None:
    """The secrets are in the file, before the packets that they decrypt, on both legs and in both versions."""
    shown = dissected(
        captured.cipher, "sip.Method == INVITE", "frame.interface_name", "sip.contact.host", "frame.protocols"
    )
    assert [row[:2] for row in shown] == MESSAGES * 2
    assert all(":tls:sip" in row[2] for row in shown)
    assert [row for row in dissected(captured.cipher, "tls", "_ws.malformed") if row != [""]] == []


@VERSIONS
def test_packets_are_there_once_the_secrets_are(
    start_proxy: StartProxy, papers: Papers, tmp_path: Path, version: str
) -> None:
    """They have waited for them, and wait no longer: while the connection stands, its messages can be read."""
    capture = tmp_path / "capture.pcapng"
    with closing(Upstream()) as upstream:
        inspect = ("--tls-inspect", "terminate", "--tls-ca", papers.path(FIREWALL), papers.path("firewall-root.key"))
        place = ("--listen", f"{LOOPBACK}:0", "--to", upstream.address)
        proxy = start_proxy(*place, *inspect, "--capture", str(capture))
        with closing(Pair(papers, proxy.port, upstream, version)) as pair:
            pair.client.sendall(options(OUTSIDE))
            assert read(pair.server, len(options(OUTSIDE))) == options(OUTSIDE)
            eventually("the message left in the capture", lambda: len(messages(capture, proxy, upstream)) == 2)
            assert messages(capture, proxy, upstream) == ["inside", "outside"]


def messages(capture: Path, proxy: ProxyProcess, upstream: Upstream) -> list[str]:
    """Interfaces with an OPTIONS, by a tshark that has to be told on which ports SIP over TLS is."""
    decode = [word for port in (proxy.port, upstream.port) for word in ("-d", f"tcp.port=={port},tls")]
    decode += [word for port in (proxy.port, upstream.port) for word in ("-d", f"tls.port=={port},sip")]
    return [row[0] for row in dissected(capture, "sip.Method == OPTIONS", "frame.interface_name", more=decode)]


def test_clear_text_on_request(captured: Captured) -> None:
    """As if there had been no TLS, with the comments that a proxy without TLS would leave."""
    assert dissected(captured.clear, "tls", "frame.number") == []
    shown = dissected(
        captured.clear, "sip.Method == INVITE", "frame.interface_name", "sip.contact.host", "frame.comment"
    )
    assert [row[:2] for row in shown] == MESSAGES * 2
    assert [row[2].partition(" by ")[0] for row in shown] == ["", "INVITE rewritten", "", "INVITE rewritten"] * 2


def test_the_key_log_is_of_both_legs(captured: Captured) -> None:
    """It names the connections by the randoms of their ClientHellos; nobody but its owner reads it."""
    hellos = {row[0] for row in dissected(captured.cipher, "tls.handshake.type == 1", "tls.handshake.random")}
    assert len(hellos) == 4
    lines = [line.split() for line in captured.keys.read_text("ascii").splitlines()]
    assert {line[1] for line in lines} == hellos
    assert {line[0] for line in lines} >= {"CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
    assert captured.keys.stat().st_mode & 0o777 == 0o600
