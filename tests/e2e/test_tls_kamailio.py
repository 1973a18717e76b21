"""TLS inspection between two Kamailios, calling and called, in their own words: SIP status codes and log lines."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.kamailio import CALLED, CALLER, FINAL_RESPONSE_TIMER, Kamailio, called, caller, standing
from tests.edge.terminated import FIREWALL, listener, tls_section
from tests.edge.tls_ends import Papers
from tests.helpers.system import PATIENCE, running_proxy

OUTSIDE = "127.0.0.102"
METHODS = {"1.2": "TLSv1.2", "1.3": "TLSv1.2+"}
RESET = "Connection reset by peer (104)"
BAD_RECORD_MAC = "decryption failed or bad record mac"
ALERTED = "sslv3 alert bad record mac"
HEAD = """\
OPTIONS sip:webex@127.0.0.1:{port};transport=tls SIP/2.0
Via: SIP/2.0/UDP {host}:{via};branch=z9hG4bK{number}
Max-Forwards: 70
From: <sip:test@example.com>;tag=1
To: <sip:webex@example.com>
Call-ID: {number}@example.com
CSeq: 1 OPTIONS
Content-Type: text/plain
Content-Length: {length}

"""
BODY = b"x" * 6000
"""Enough for blind fixups to hit some of it encrypted."""


@dataclass(frozen=True)
class Case:
    """One connection: what is done to it, what comes of it, and who still has it."""

    rule: str
    version: str
    status: int
    caller: bool
    called: bool

    def __str__(self) -> str:
        return f"{self.rule} TLS {self.version}"


CASES = [
    Case(rule, version, *fate)
    for rule, *fate in (
        ("pass", 200, True, True),
        ("delay:client-finished:0.3", 200, True, True),
        ("terminate", 200, True, True),
        ("reset:client-hello", 408, False, False),
        ("reset:client-finished", 408, False, False),
        ("reset:client-finished:inside", 408, False, True),
        ("reset:client-finished:outside", 408, True, False),
        ("drop:client-finished", 408, True, True),
    )
    for version in METHODS
]
BLIND = [Case("alg-blind", version, 408, caller=False, called=False) for version in METHODS]
ALL = [*CASES, *BLIND]


@dataclass
class Told:
    """What became of one of them."""

    status: int
    phrase: str
    """The topmost Via, as the called one saw it."""
    caller: bool
    """Whether it still has the connection."""
    called: bool
    caller_log: str
    called_log: str
    """What they say of it."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Told]:
    """Every case, all at once; each has ports of its own, by which the logs call it."""
    folder = tmp_path_factory.mktemp("kamailio")
    papers = Papers(folder / "pki")
    trust = folder / "trust.pem"
    trust.write_text("".join(Path(papers.path(name)).read_text() for name in ("roots.pem", FIREWALL)))
    config = folder / "sipalg.toml"
    with called(folder, papers, str(trust), len(ALL)) as far:
        maps = f'[[map]]\ninside = "{CALLER}"\noutside = "{OUTSIDE}"\n[media]\nmode = "rewrite"\n'
        targets = zip(far.ports, ALL, strict=True)
        listeners = "".join(listener(f"{CALLED}:{port}", case.rule) for port, case in targets)
        config.write_text(maps + tls_section(papers) + listeners)
        with running_proxy("--config", str(config), listeners=len(ALL)) as proxy:
            methods = {port: METHODS[case.version] for port, case in zip(proxy.ports, ALL, strict=True)}
            with caller(folder, papers, str(trust), methods) as near:
                answers = ask(near, proxy.ports)
                heres, theres = zip(*standing(), strict=True)
                heard = {peer: words for words, peer, _ in near.errors()}
                saw = {own: words for words, _, own in far.errors()}
    return {
        case: Told(
            *answers[number],
            *(("127.0.0.1", here) in theres, (CALLED, there) in heres),
            *(heard.get(here, ""), saw.get(there, "")),
        )
        for number, (case, here, there) in enumerate(zip(ALL, proxy.ports, far.ports, strict=True))
    }


def ask(near: Kamailio, ports: list[int]) -> dict[int, tuple[int, str]]:
    """Have an OPTIONS sent to each port; status and phrase of each, by its place."""
    answers: dict[int, tuple[int, str]] = {}
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as sock:
        sock.bind((CALLER, 0))
        sock.settimeout(FINAL_RESPONSE_TIMER + PATIENCE)
        for number, port in enumerate(ports):
            head = HEAD.format(port=port, host=CALLER, via=sock.getsockname()[1], number=number, length=len(BODY))
            sock.sendto(head.replace("\n", "\r\n").encode() + BODY, (CALLER, near.ports[0]))
        while len(answers) < len(ports):
            response = sock.recv(1 << 16).decode()
            number = re.search(r"Call-ID: (\d+)@", response)
            status = re.match(r"SIP/2.0 (\d{3}) (.*)\r", response)
            assert number is not None, response
            assert status is not None, response
            if int(status[1]) >= 200:
                answers[int(number[1])] = int(status[1]), status[2]
    return answers


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_both_say(found: dict[Case, Told], case: Case) -> None:
    """A 200 across the firewall, or 408; who was reset says so, the others have nothing to complain of."""
    told = found[case]
    assert (told.status, told.caller, told.called) == (case.status, case.caller, case.called), told
    assert told.caller_log == ("" if case.caller else RESET)
    assert told.called_log in ({""} if case.called else {RESET, ""})


@pytest.mark.parametrize("case", BLIND, ids=str)
def test_blind_fixups(found: dict[Case, Told], case: Case) -> None:
    """One of them finds a bad record MAC; the other one is alerted of it, unless the reset behind it is faster."""
    told = found[case]
    assert told.status == 408
    said = {told.caller_log, told.called_log}
    assert BAD_RECORD_MAC in said
    assert said - {BAD_RECORD_MAC} <= {ALERTED, RESET, ""}


@pytest.mark.parametrize("version", METHODS)
def test_the_alg_works_on_the_clear_text(found: dict[Case, Told], version: str) -> None:
    """Terminated, the called one sees the caller outside; passed, it sees the inside address."""
    for rule, host in (("terminate", OUTSIDE), ("pass", CALLER)):
        assert found[Case(rule, version, 200, caller=True, called=True)].phrase.startswith(f"SIP/2.0/TLS {host}:")
