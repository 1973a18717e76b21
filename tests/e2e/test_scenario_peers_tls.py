"""Scenarios of mutual TLS with somebody else's Expressway-E or Webex: Kamailio and openssl, with certificates of ours.

Strategy: who serves has a port for each way to be; who connects is told where by the scenario, and told so in turn. The
evidence is what the built-in peer and the firewall between them have seen.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e import kamailio
from tests.e2e.kamailio import shown
from tests.e2e.ordering import reasons, run_scenarios
from tests.helpers.system import PATIENCE, require_system, run_sipalg

EXPRESSWAY, WEBEX, TELLER = "127.0.47.2", "127.0.47.3", "127.0.47.9"
_PLACE = re.compile(r"connect to ([\d.]+:\d+) with mutual TLS")
_OPTIONS = """\
OPTIONS sip:{place};transport=tls SIP/2.0
Via: SIP/2.0/{transport} {host};branch=z9hG4bK{token};rport
Max-Forwards: 70
From: <sip:test@example.com>;tag=1
To: <sip:webex@example.com>
Call-ID: {token}@example.com
CSeq: 1 OPTIONS
Content-Length: 0

"""


def options(place: str, transport: str, host: str) -> bytes:
    """A request to a place; each has a token of its own."""
    text = _OPTIONS.format(place=place, transport=transport, host=host, token=place.replace(":", "x"))
    return text.replace("\n", "\r\n").encode()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sipalg certs make` writes, and a CA more or less."""
    folder = tmp_path_factory.mktemp("peers") / "pki"
    done = run_sipalg("certs", "make", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def expressway(pki: Path) -> Iterator[dict[str, str]]:
    """Kamailio as Expressway-E, as it is in each row: where it listens."""
    chain = pki / "whole-chain.pem"
    chain.write_bytes((pki / "expressway-e-chain.pem").read_bytes() + (pki / "expressway-e-root.crt").read_bytes())
    ways = {
        "good": shown(pki, "expressway-e", "webex-root.crt", chain.name),
        "T1": shown(pki, "expressway-e", "expressway-e-root.crt", chain.name),
        "T7": shown(pki, "expressway-e-self-signed", "webex-root.crt", "expressway-e-self-signed.crt"),
    }
    with kamailio.answering(pki / "serving", EXPRESSWAY, ways.values()) as serving:
        yield {name: f"{EXPRESSWAY}:{port}" for name, port in zip(ways, serving.ports, strict=True)}


@pytest.mark.parametrize(("row", "way"), [("T1", "T1"), ("T5", "good"), ("T7", "T7")])
def test_kamailio_serves_with_a_mistake(pki: Path, expressway: dict[str, str], row: str, way: str) -> None:
    """Its alert or Webex's, and how many certificates it shows; its log is not asked for."""
    verdicts = run_scenarios(row, "--peer", f"expressway-e={expressway[way]}", "--certs", str(pki))
    assert reasons(verdicts) == []
    found = {each["what"]: each["found"] for each in verdicts[0]["evidence"]}
    alert = "unknown_ca from inside" if row == "T1" else "certificate_unknown from outside"
    assert found == {
        "TCP connection": "stands",
        "SIP request answered": "no",
        "alert": alert,
        "certificates from Expressway-E": "1" if row == "T7" else "several",
        "reset": "none",
        "Webex hears of the end": "yes",
    }


def test_kamailio_serves_with_the_cure(pki: Path, expressway: dict[str, str]) -> None:
    """SIP crosses, whichever the mistake was."""
    rows = ("T1", "T5", "T7")
    peer = ("--peer", f"expressway-e={expressway['good']}", "--certs", str(pki))
    verdicts = run_scenarios(*rows, "--fixed", *peer)
    assert (len(verdicts), reasons(verdicts)) == (len(rows), [])


@pytest.mark.parametrize("form", [("T1", "T2"), ("T2", "--fixed")], ids=["failure", "cure"])
def test_kamailio_connects(pki: Path, form: tuple[str, ...]) -> None:
    """As Webex: refused by an alert, reset, and with the cure answered; Expressway-E's log is whole."""
    with ExitStack() as stack:
        calling = stack.enter_context(
            kamailio.relaying(pki / f"calling-{form[1]}", WEBEX, shown(pki, "webex", "expressway-e-root.crt"))
        )
        sock = stack.enter_context(closing(socket.socket(type=socket.SOCK_DGRAM)))
        sock.bind((TELLER, 0))

        def obey(order: str) -> None:
            place = _PLACE.search(order)
            assert place is not None, order
            here = "{}:{}".format(*sock.getsockname())
            sock.sendto(options(place[1], "UDP", here), (WEBEX, calling.ports[0]))

        peer = ("--peer", f"webex={WEBEX}:5062", "--certs", str(pki), "--wait", "20")
        verdicts = run_scenarios(*form, *peer, obey=obey)
    assert reasons(verdicts) == []
    assert all(len(each["evidence"]) >= 7 for each in verdicts)


class Client:
    """`openssl s_client` as Expressway-E: it connects where an order says, and asks what a real one would."""

    def __init__(self, pki: Path) -> None:
        self._pki = pki
        self._processes: list[subprocess.Popen[bytes]] = []

    def obey(self, order: str) -> None:
        """Connect, and send a request; if there is nobody any more to take it, so be it."""
        place = _PLACE.search(order)
        assert place is not None, order
        shows = ("-cert", "expressway-e.crt", "-key", "expressway-e.key", "-cert_chain", "expressway-e-issuers.pem")
        trusts = ("-CAfile", "webex-root.crt", "-verify_return_error", "-verify_hostname", "callservice.ciscospark.com")
        command = [require_system("openssl", "openssl"), "s_client", "-connect", place[1], "-quiet", "-tls1_2"]
        process = subprocess.Popen(
            [*command, *shows, *trusts],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._pki,
        )
        self._processes.append(process)
        assert process.stdin is not None, "was asked for"
        process.stdin.write(options(place[1], "TLS", EXPRESSWAY))
        process.stdin.flush()

    def close(self) -> None:
        """It is gone."""
        for process in self._processes:
            process.kill()
            process.communicate(timeout=PATIENCE)


@contextmanager
def client(pki: Path) -> Iterator[Client]:
    """For as long as the block runs."""
    one = Client(pki)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("form", [(), ("--fixed",)], ids=["failure", "cure"])
def test_openssl_connects_to_kamailio(pki: Path, expressway: dict[str, str], form: tuple[str, ...]) -> None:
    """T4 with two strangers: what the firewall does and sees is all there is, and is enough."""
    certificates = ("--certs", str(pki), "--wait", "20")
    serves = kamailio.answering(pki / f"webex{len(form)}", WEBEX, [shown(pki, "webex", "expressway-e-root.crt")])
    with serves as webex, client(pki) as one:
        peers = ("--peer", f"expressway-e={EXPRESSWAY}:5062", "--peer", f"webex={WEBEX}:{webex.ports[0]}")
        verdicts = run_scenarios("T4", *form, *peers, *certificates, obey=one.obey)
    assert reasons(verdicts) == []
    found = {each["what"]: each["found"] for each in verdicts[0]["evidence"]}
    if form:
        assert found == {"TCP connection": "stands", "SIP request answered": "yes", "alert": "none", "reset": "none"}
    else:
        assert found["reset"] == "towards inside"
        assert (found["certificates from Expressway-E"], found["Webex hears of the end"]) == ("several", "no")


def test_without_certificates() -> None:
    """Nobody could know them: the run ends before anything is tried."""
    done = run_sipalg("scenario", "run", "T1", "--peer", f"webex={WEBEX}:5062")
    assert done.returncode == 2
    assert b"--peer webex: speaks TLS in webex-ca-not-trusted" in done.stderr
