"""TLS inspection as `openssl s_client` and `openssl s_server` experience it, in their own words.

Strategy: one proxy, with a listener and a server of its own for each case. All clients run at once, so that those who
are to hear nothing keep nobody waiting.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tls_words import client_word, server_word
from tests.edge.terminated import listener, tls_section, told
from tests.edge.tls_ends import SERVER_NAME, Papers
from tests.helpers.openssl import Server, server
from tests.helpers.system import eventually, require_system, running_proxy

SILENCE = "silence"
DEADLINE = 60.0
"""Seconds until a client that is to say something is given up."""
QUIET = 0.5
"""Seconds for which those who are to hear nothing go on hearing nothing, when everybody else is done."""
UNEXPECTED_EOF = "unexpected eof while reading"
BAD_RECORD_MAC = "decryption failed or bad record mac"
CONVERSATION = "".join(f"HELLO{'x' * 400}\n" for _ in range(60)) + "CLOSE\n"
"""The server says each line backwards, and leaves at the last one."""


@dataclass(frozen=True)
class Case:
    """One connection."""

    rule: str
    version: str
    client: str
    server: str
    """Its word, as the client's."""

    def __str__(self) -> str:
        return f"{self.rule} TLS {self.version}"


CASES = [
    *(Case("pass", version, "ok", "closed") for version in ("1.2", "1.3")),
    *(Case("reset:client-hello", version, "reset", "reset") for version in ("1.2", "1.3")),
    *(Case("reset:server-hello:inside:fin", version, "reset", UNEXPECTED_EOF) for version in ("1.2", "1.3")),
    Case("reset:server-certificate", "1.2", "reset", "reset"),
    Case("reset:certificate-request:outside:fin", "1.2", UNEXPECTED_EOF, "reset"),
    Case("reset:client-certificate:inside:fin", "1.2", "reset", UNEXPECTED_EOF),
    *(Case("reset:client-finished:inside", version, "reset", SILENCE) for version in ("1.2", "1.3")),
    *(Case("reset:client-finished:inside:fin", version, "reset", UNEXPECTED_EOF) for version in ("1.2", "1.3")),
    *(Case("reset:client-finished:outside:fin", version, UNEXPECTED_EOF, "reset") for version in ("1.2", "1.3")),
    Case("reset:application-data", "1.2", "reset", "cut"),
    Case("reset:application-data", "1.3", "ok", "closed"),
    *(Case("drop:client-finished", version, SILENCE, SILENCE) for version in ("1.2", "1.3")),
    *(Case("delay:server-hello:0.3", version, "ok", "closed") for version in ("1.2", "1.3")),
]
BLIND = [Case("alg-blind", version, "", "") for version in ("1.2", "1.3")]
TERMINATED = [Case("terminate", version, "ok", "closed") for version in ("1.2", "1.3")]
ALL = [*CASES, *BLIND, *TERMINATED]


@dataclass
class Run:
    """A client and a server of OpenSSL's, and what became of them."""

    server: Server
    client: subprocess.Popen[str]
    lines: str = ""
    """Of the client."""

    @property
    def client_said(self) -> str:
        """In a word."""
        status = self.client.returncode
        return SILENCE if status is not None and status < 0 else client_word(self.lines, status)

    @property
    def server_said(self) -> str:
        """In a word."""
        return server_word(self.server.said)


def shows(papers: Papers, name: str, *trust: str) -> list[str]:
    """Options of somebody who shows a certificate and demands one of these roots."""
    files = [papers.path(file) for file in (f"{name}.crt", f"{name}.key", f"{name}-issuers.pem", *trust)]
    return [word for pair in zip(("-cert", "-key", "-cert_chain", "-CAfile"), files, strict=True) for word in pair]


@contextmanager
def client(
    papers: Papers, port: int, version: str, trust: str, words: str = CONVERSATION
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """An `s_client` that goes on until the server leaves, or the block does, and where to write what it is to say."""
    command = [
        *(require_system("openssl", "openssl"), "s_client", "-brief"),
        *("-connect", f"127.0.0.1:{port}", f"-tls{version.replace('.', '_')}", "-servername", SERVER_NAME),
        *(*shows(papers, "expressway-e", trust), "-verify_return_error", "-verify_hostname", SERVER_NAME),
    ]
    hears, says = os.pipe()
    os.write(says, words.encode())
    with (
        os.fdopen(hears) as said,
        os.fdopen(says, "w"),
        subprocess.Popen(command, stdin=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running,
    ):
        try:
            yield running, says
        finally:
            running.kill()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends."""
    return Papers(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def runs(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, Run]]:
    """All of them, over."""
    folder = tmp_path_factory.mktemp("openssl")
    config, events = folder / "sipalg.toml", folder / "events.jsonl"
    with ExitStack() as stack:
        servers, listeners = [], []
        for case in ALL:
            trust = "firewall-root.crt" if case.rule == "terminate" else "roots.pem"
            options = [*shows(papers, "webex", trust), "-Verify", "3", "-verify_return_error", "-rev"]
            servers.append(stack.enter_context(server(papers.folder, *options)))
        for case, far in zip(ALL, servers, strict=True):
            listeners.append(listener(far.address, case.rule))
        maps = '[[map]]\ninside = "10.0.30.2"\noutside = "64.100.0.10"\n'
        config.write_text(maps + tls_section(papers) + "".join(listeners))
        arguments = ("--config", str(config), "--events", str(events))
        proxy = stack.enter_context(running_proxy(*arguments, listeners=len(ALL)))
        found = {}
        for case, far, port in zip(ALL, servers, proxy.ports, strict=True):
            trust = "firewall-root.crt" if case.rule == "terminate" else "roots.pem"
            found[case] = Run(far, stack.enter_context(client(papers, port, case.version, trust))[0])
        _let_them_talk(found, events)
        yield found


def _let_them_talk(runs: dict[Case, Run], events: Path) -> None:
    """Until everybody has come to an end who is to."""
    speaking = [case for case in runs if case.client != SILENCE]
    for case in speaking:
        runs[case].lines = runs[case].client.communicate(timeout=DEADLINE)[0]
        if case.server != SILENCE:
            runs[case].server.finished()
    struck = sum(case.rule.startswith("drop") for case in runs)
    drops = ("drop", "drop:client-finished")
    eventually(
        "what is dropped has been dropped",
        lambda: [(event.get("action"), event.get("rule")) for event in told(events)].count(drops) == struck,
    )
    time.sleep(QUIET)
    for case in runs.keys() - set(speaking):
        assert runs[case].client.poll() is None, f"{case}: {runs[case].client.communicate()}"
        runs[case].client.kill()
        runs[case].lines = runs[case].client.communicate()[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_both_say(runs: dict[Case, Run], case: Case) -> None:
    """As configured, each in its own words."""
    run = runs[case]
    assert (run.client_said, run.server_said) == (case.client, case.server), f"{run.lines}\n{run.server.said}"
    assert "alert" not in run.lines + run.server.said


def test_an_alert_is_heard_of_nobody_who_was_reset(runs: dict[Case, Run]) -> None:
    """The client of T4 has verified its server, and is told nothing but the reset; the server goes on waiting."""
    for version in ("1.2", "1.3"):
        run = runs[Case("reset:client-finished:inside", version, "reset", SILENCE)]
        assert "error:" not in run.lines
        assert "CONNECTION" not in run.server.said


@pytest.mark.parametrize("case", BLIND, ids=str)
def test_blind_fixups(runs: dict[Case, Run], case: Case) -> None:
    """One of them finds a bad record MAC; the other one, alerted of it, says so, or says nothing and leaves."""
    said = {runs[case].client_said, runs[case].server_said}
    assert BAD_RECORD_MAC in said
    assert said - {BAD_RECORD_MAC} <= {"alert 20", "closed", "reset"}


@pytest.mark.parametrize("case", TERMINATED, ids=str)
def test_terminated(runs: dict[Case, Run], case: Case) -> None:
    """Both are content; each has verified the other's names, signed by the firewall."""
    run = runs[case]
    assert (run.client_said, run.server_said) == ("ok", "closed"), f"{run.lines}\n{run.server.said}"
    assert f"Protocol version: TLSv{case.version}" in run.lines
    assert f"Verified peername: {SERVER_NAME}" in run.lines
    depths = [line for line in run.server.said.splitlines() if line.startswith("depth=")]
    assert depths == [
        "depth=1 O = Example, CN = Example Firewall Inspection CA",
        "depth=0 O = Example, CN = expe.example.com",
    ]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_nothing_to_present(papers: Papers, version: str) -> None:
    """The usual way to break mutual TLS: the server misses a certificate, and the client is let down."""
    with ExitStack() as stack:
        options = [*shows(papers, "webex", "firewall-root.crt"), "-Verify", "3", "-verify_return_error", "-rev"]
        far = stack.enter_context(server(papers.folder, *options))
        ca = ("--tls-ca", papers.path("firewall-root.crt"), papers.path("firewall-root.key"))
        place = ("--listen", "127.0.0.1:0", "--to", far.address)
        inspect = ("--tls-inspect", "terminate", "--tls-present", "none", "--tls-highest", version)
        proxy = stack.enter_context(running_proxy(*place, *inspect, *ca))
        near, _ = stack.enter_context(client(papers, proxy.port, version, "firewall-root.crt"))
        lines = near.communicate(timeout=DEADLINE)[0]
        assert server_word(far.finished()) == "peer did not return a certificate"
        assert client_word(lines, near.returncode) == {"1.2": "alert 80", "1.3": "closed"}[version]


@pytest.mark.parametrize("rule", ["pass", "terminate"])
def test_renegotiation(papers: Papers, tmp_path: Path, rule: str) -> None:
    """Passes as cipher text; a firewall that terminates refuses, and the connection ends."""
    events = tmp_path / "events.jsonl"
    trust = "firewall-root.crt" if rule == "terminate" else "roots.pem"
    ca = ("--tls-ca", papers.path("firewall-root.crt"), papers.path("firewall-root.key")) if rule == "terminate" else ()
    sign = {"pass": ("message", "encrypted-handshake", "inward"), "terminate": ("action", "failed", "outward")}[rule]
    with ExitStack() as stack:
        options = [*shows(papers, "webex", trust), "-Verify", "3", "-rev", "-client_renegotiation"]
        far = stack.enter_context(server(papers.folder, *options))
        place = ("--listen", "127.0.0.1:0", "--to", far.address, "--events", str(events))
        proxy = stack.enter_context(running_proxy(*place, "--tls-inspect", rule, *ca))
        near, mouth = stack.enter_context(client(papers, proxy.port, "1.2", trust, words=""))
        eventually("the connection stands", lambda: "CONNECTION ESTABLISHED" in far.said)
        os.write(mouth, b"R\n")
        kind, value, direction = sign
        eventually(
            "the handshake has been renewed, or not",
            lambda: any((event.get(kind), event["direction"]) == (value, direction) for event in seen(events)),
        )
        os.write(mouth, b"HELLO\n")
        os.write(mouth, b"CLOSE\n")
        lines = near.communicate(timeout=DEADLINE)[0]
        far.finished()
    assert "RENEGOTIATING" in lines
    if rule == "pass":
        assert "OLLEH" in lines
        assert "2 server accepts that finished" in far.said
    else:
        assert "no renegotiation" in lines
        assert [event["description"] for event in seen(events) if event.get("action") == "alert"][:1] == [
            "no_renegotiation"
        ]


def seen(events: Path) -> list[dict[str, Any]]:
    """What TLS events there are."""
    return [event for event in told(events) if event["event"] == "tls"]
