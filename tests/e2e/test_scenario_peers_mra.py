"""A phone that registers through a firewall that reflects, with somebody else's peers: SIPp as phone, Kamailio as both.

Strategy: Kamailio knows no SERVICE and no apparent address. As Expressway-C it follows a Route as any proxy does, and
fails where a real one fails; as Expressway-E its script has it ask before it passes a REGISTER on.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.ordering import reasons, run_scenarios
from tests.e2e.test_sip_elements import listens, running
from tests.edge.sockets import free_port_pair
from tests.helpers.system import PATIENCE, require_system

FOLDER: Final = Path(__file__).parent
CORE, EDGE, PHONE, TELLER = 2, 3, 4, 5
"""Hosts."""
PHONES_PORT = 5061
FORMS = pytest.mark.parametrize("form", [(), ("--fixed",)], ids=["failure", "cure"])
_HEAD = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
"""
_MODULES = ("kex", "corex", "tm", "tmx", "sl", "rr", "pv", "textops", "siputils", "uac")
_GREETING = """\
OPTIONS sip:{zone};transport=tcp SIP/2.0
Via: SIP/2.0/UDP {host};branch=z9hG4bKzone;rport
Max-Forwards: 70
From: <sip:zone@example.com>;tag=1
To: <sip:zone@example.com>
Call-ID: zone@example.com
CSeq: 1 OPTIONS
X-CUCM: {cucm}
Content-Length: 0

"""


def host(number: int, form: tuple[str, ...]) -> str:
    """An address that the other form does not use, as ports are fixed."""
    return f"127.0.49.{number + 10 * len(form)}"


@contextmanager
def kamailio(folder: Path, script: str, listen: list[str], **words: str) -> Iterator[None]:
    """With a script of ours, some words replaced; it is ready when it listens on the last one."""
    lines = [f"listen={each}\n" for each in listen] + [f'loadmodule "{each}.so"\n' for each in _MODULES]
    text = (FOLDER / script).read_text()
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    (folder / script).write_text(_HEAD + "".join(lines) + text)
    options = ("-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder), "-P", str(folder / "pid"))
    kind, host, port = listen[-1].split(":")
    command = [require_system("kamailio", "kamailio"), *options, "-f", str(folder / script)]
    with running(command, folder, listens(kind.upper(), host, int(port))):
        yield


class Phone:
    """SIPp, which registers when it is told to, and calls of its own accord."""

    def __init__(self, folder: Path, host: str) -> None:
        self._folder = folder
        self._host = host
        self._process: subprocess.Popen[bytes] | None = None

    def register(self, place: str) -> None:
        """Over TCP."""
        command = [require_system("sipp", "sip-tester"), place, "-sf", str(FOLDER / "phone.xml"), "-t", "t1", "-m", "1"]
        command += ["-i", self._host, "-ci", self._host, "-nostdin", "-timeout", "20s", "-timeout_error"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder
        )

    def done(self) -> int:
        """Its exit status, 0 if everything came that it expects."""
        assert self._process is not None, "was told to register"
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """It is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)


@FORMS
def test_phone_and_expressway_c(tmp_path: Path, form: tuple[str, ...]) -> None:
    """SIPp registers, Kamailio follows the Route of the SERVICE: what both do is seen on the Expressway-E."""
    core, phones_host = host(CORE, form), host(PHONE, form)
    port = free_port_pair(core)
    listen = [f"udp:{core}:{port}", f"tcp:{core}:{port}"]
    with (
        kamailio(tmp_path, "expressway_c.cfg", listen, MY_ADDRESS=core),
        closing(Phone(tmp_path, phones_host)) as phone,
        closing(socket.socket(type=socket.SOCK_DGRAM)) as teller,
    ):
        teller.bind((host(TELLER, form), 0))

        def obey(order: str) -> None:
            zone = re.match(r"expressway-c: connect .* to ([\d.]+:\d+) over TCP; CUCM is at ([\d.]+:\d+)", order)
            access = re.match(r"phone: register .* at ([\d.]+:\d+) over TCP", order)
            if zone is not None:
                via = "{}:{}".format(*teller.getsockname())
                greeting = _GREETING.format(zone=zone[1], cucm=zone[2], host=via).replace("\n", "\r\n")
                teller.sendto(greeting.encode(), (core, port))
            elif access is not None:
                phone.register(access[1])

        peers = ("--peer", f"expressway-c={core}:{port}", "--peer", f"phone={phones_host}:5060", "--wait", "20")
        verdicts = run_scenarios("nat-reflection-tcp", *form, *peers, obey=obey)
        assert reasons(verdicts) == []
        assert phone.done() == 0
    found = {each["what"]: each["found"] for each in verdicts[0]["evidence"]}
    assert found["answer to REGISTER"] == found["answer to SERVICE"] == ("200 OK" if form else "408 Request Timeout")
    assert found["REGISTER at Expressway-C"] == ("comes" if form else "never comes")
    assert found.get("call of the phone") == ("stands" if form else None)


@FORMS
def test_expressway_e(tmp_path: Path, form: tuple[str, ...]) -> None:
    """Kamailio asks with the address that it sees; the Expressway-C knows itself by it, or does not."""
    edge = host(EDGE, form)
    port = free_port_pair(edge)
    listen = [f"tcp:{edge}:{PHONES_PORT}", f"tcp:{edge}:{port}"]
    with kamailio(tmp_path, "expressway_e.cfg", listen, ZONE_PORT=str(port)):
        verdicts = run_scenarios("nat-reflection-tcp", *form, "--peer", f"expressway-e={edge}:{port}", "--wait", "20")
    assert reasons(verdicts) == []
    found = {each["what"]: each["found"] for each in verdicts[0]["evidence"]}
    assert found["Route of the SERVICE"] == ("Expressway-C's own" if form else "an address of the firewall")
    assert found["connections to its Route"] == ("none" if form else "4, all refused")
    assert found.get("call of the phone") == ("stands" if form else None)
