"""TLS inspection between two Kamailios, calling and called, in their own words: SIP status codes and log lines."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.kamailio import CALLED, CALLER, FINAL_RESPONSE_TIMER, Kamailio, called, caller
from tests.edge.terminated import FIREWALL, listener, tls_section, told
from tests.edge.tls_ends import Papers
from tests.helpers.system import PATIENCE, eventually, running_proxy

OUTSIDE = "127.0.0.102"
METHODS = {"1.2": "TLSv1.2", "1.3": "TLSv1.2+"}
RESET = "Connection reset by peer (104)"
BAD_RECORD_MAC = "decryption failed or bad record mac"
ALERTED = "sslv3 alert bad record mac"
REQUEST = """\
OPTIONS sip:webex@127.0.0.1:{port};transport=tls SIP/2.0
Via: SIP/2.0/UDP {host}:{via};branch=z9hG4bK{number}
Max-Forwards: 70
From: <sip:test@example.com>;tag=1
To: <sip:webex@example.com>
Call-ID: {number}@example.com
CSeq: 1 OPTIONS
Content-Length: 0

"""


@dataclass(frozen=True)
class Case:
    """One connection: what is done to it, and what of it either log has."""

    rule: str
    version: str
    status: int
    caller: str = ""
    called: str = ""

    def __str__(self) -> str:
        return f"{self.rule} TLS {self.version}"


CASES = [
    *(Case(rule, version, 200) for rule in ("pass", "delay:client-finished:0.3") for version in METHODS),
    *(Case("terminate", version, 200) for version in METHODS),
    *(Case("reset:client-hello", version, 408, RESET, RESET) for version in METHODS),
    *(Case("reset:client-finished", version, 408, RESET, RESET) for version in METHODS),
    *(Case("reset:client-finished:inside", version, 408, RESET) for version in METHODS),
    *(Case("reset:client-finished:outside", version, 408, "", RESET) for version in METHODS),
    *(Case("drop:client-finished", version, 408) for version in METHODS),
    *(Case("alg-blind", version, 408) for version in METHODS),
]


@dataclass
class Told:
    """What became of all."""

    statuses: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Status and phrase, by the number of the case."""
    caller: dict[int, str] = field(default_factory=dict)
    """Log lines."""
    called: dict[int, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Every case, all at once; the logs name connections by their ports."""
    folder = tmp_path_factory.mktemp("kamailio")
    papers = Papers(folder / "pki")
    trust = folder / "trust.pem"
    trust.write_text(Path(papers.path("roots.pem")).read_text() + Path(papers.path(FIREWALL)).read_text())
    config, events = folder / "sipalg.toml", folder / "events.jsonl"
    with ExitStack() as stack:
        far = stack.enter_context(called(folder, papers, str(trust)))
        maps = f'[[map]]\ninside = "{CALLER}"\noutside = "{OUTSIDE}"\n[media]\nmode = "rewrite"\n'
        listeners = "".join(listener(f"{CALLED}:{far.port}", case.rule) for case in CASES)
        config.write_text(maps + tls_section(papers) + listeners)
        arguments = ("--config", str(config), "--events", str(events))
        proxy = stack.enter_context(running_proxy(*arguments, listeners=len(CASES)))
        methods = {port: METHODS[case.version] for port, case in zip(proxy.ports, CASES, strict=True)}
        near = stack.enter_context(caller(folder, papers, str(trust), methods))
        answers = ask(near, proxy.ports)
        print(near.said)
        print(far.said)
        yield Told(answers)


def ask(near: Kamailio, ports: list[int]) -> dict[int, tuple[int, str]]:
    """Have an OPTIONS sent to each port; status and phrase of each, by its place."""
    answers: dict[int, tuple[int, str]] = {}
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as sock:
        sock.bind((CALLER, 0))
        sock.settimeout(FINAL_RESPONSE_TIMER + PATIENCE)
        for number, port in enumerate(ports):
            text = REQUEST.format(port=port, host=CALLER, via=sock.getsockname()[1], number=number)
            sock.sendto(text.replace("\n", "\r\n").encode(), (CALLER, near.port))
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
def test_x(found: Told, case: Case) -> None:
    assert found.statuses[CASES.index(case)][0] == case.status, found.statuses[CASES.index(case)]
