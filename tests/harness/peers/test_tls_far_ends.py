"""`openssl s_client` and `s_server` in place of either peer: what becomes of them is said in their own words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from alg.edge.entrance import Address
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.peers.tls_meeting import Loss
from harness.peers.tls_rows import GOOD, ROWS
from tests.harness.peers.ends import expressway, webex
from tests.harness.peers.turning import Turned
from tests.helpers.openssl import openssl, server

VERSIONS = pytest.mark.parametrize(
    ("version", "flag"), [(TlsVersion.TLS_1_2, "-tls1_2"), (TlsVersion.TLS_1_3, "-tls1_3")], ids=["1.2", "1.3"]
)
OPTIONS = (
    "OPTIONS sip:expe.example.com SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.3:5062;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
    "From: <sip:l2sip>;tag=1\r\nTo: <sip:expe>\r\nCall-ID: a1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
UNKNOWN_CA = "tlsv1 alert unknown ca"
CERTIFICATE_UNKNOWN = "sslv3 alert certificate unknown"
"""The words of OpenSSL 3.0; the number says the same in any release."""


def shows(papers: Path, name: str) -> list[str]:
    """Options for somebody who shows a certificate with what belongs behind it."""
    issuers = ["-cert_chain", f"{name}-issuers.pem"] if (papers / f"{name}-issuers.pem").exists() else []
    return ["-cert", f"{name}.crt", "-key", f"{name}.key", *issuers, "-CAfile", "roots.pem"]


def client(papers: Path, name: str, target: Address, flag: str, *more: str, stdin: str = "") -> Callable[[], str]:
    """A run of `s_client`."""
    where = f"{target[0]}:{target[1]}"
    options = ["s_client", "-connect", where, flag, *shows(papers, name), *more]
    return lambda: openssl(*options, cwd=papers, stdin=stdin)


@VERSIONS
def test_a_good_client(turned: Turned, pki: Pki, papers: Path, version: TlsVersion, flag: str) -> None:
    """It finds Expressway-E's certificate good, and gets its 200."""
    with closing(expressway(turned, pki, version=version)) as peer:
        run = client(papers, "webex", peer.listen(), flag, "-verify_return_error", "-ign_eof", stdin=OPTIONS)
        threaded = turned.begin(run)
        assert peer.concluded().answered
        assert peer.peer.meetings[0].established
    said = threaded()
    assert "Verify return code: 0 (ok)" in said
    assert "SIP/2.0 200 OK" in said


@VERSIONS
def test_t1_a_client_whose_ca_is_not_trusted(
    turned: Turned, pki: Pki, papers: Path, version: TlsVersion, flag: str
) -> None:
    """It is told unknown ca."""
    with closing(expressway(turned, pki, ROWS["T1"].broken, version)) as peer:
        said = turned.meanwhile(client(papers, "webex", peer.listen(), flag, "-ign_eof", stdin=OPTIONS))
        assert peer.concluded().objections == ("self signed certificate in certificate chain",)
    assert UNKNOWN_CA in said
    assert "SSL alert number 48" in said


@VERSIONS
@pytest.mark.parametrize("name", ["T2", "T6"])
def test_a_client_that_is_dismissed(
    turned: Turned, pki: Pki, papers: Path, name: str, version: TlsVersion, flag: str
) -> None:
    """Its connection is reset: errno 104, and no alert."""
    with closing(expressway(turned, pki, ROWS[name].broken, version)) as peer:
        said = turned.meanwhile(client(papers, "webex", peer.listen(), flag, "-ign_eof", stdin=OPTIONS))
        assert peer.concluded().dismissed
    assert "errno=104" in said
    assert "alert" not in said


@VERSIONS
@pytest.mark.parametrize("name", ["expressway-e-leaf-only", "expressway-e-self-signed"])
def test_a_server_that_webex_refuses(
    turned: Turned, pki: Pki, papers: Path, name: str, version: TlsVersion, flag: str
) -> None:
    """T3 and T7: it is told certificate unknown."""
    with (
        server(papers, *shows(papers, name)[:4], "-no-CAfile", "-no-CApath", "-Verify", "3", flag) as far,
        closing(webex(turned, pki, version=version)) as peer,
    ):
        peer.connect(("127.0.0.1", int(far.address.partition(":")[2])))
        assert peer.concluded().failure is not None
        said = turned.meanwhile(far.finished)
    assert CERTIFICATE_UNKNOWN in said
    assert "SSL alert number 46" in said


@VERSIONS
@pytest.mark.parametrize("name", ["expressway-e-leaf-only", "expressway-e-self-signed"])
def test_a_client_that_webex_refuses(
    turned: Turned, pki: Pki, papers: Path, name: str, version: TlsVersion, flag: str
) -> None:
    """The same when Webex is called."""
    with closing(webex(turned, pki, version=version)) as peer:
        said = turned.meanwhile(client(papers, name, peer.listen(), flag, "-ign_eof", stdin=OPTIONS))
        assert peer.concluded().failure is not None
    assert CERTIFICATE_UNKNOWN in said
    assert "SSL alert number 46" in said


@VERSIONS
def test_a_server_that_refuses(turned: Turned, pki: Pki, papers: Path, version: TlsVersion, flag: str) -> None:
    """OpenSSL's own alert reaches the log, in TLS 1.3 although the handshake was done by then on this side."""
    refusing = ["-CAfile", "webex-root.crt", "-Verify", "3", "-verify_return_error", flag]
    with (
        server(papers, *shows(papers, "webex")[:6], *refusing) as far,
        closing(expressway(turned, pki, version=version)) as peer,
    ):
        peer.connect(("127.0.0.1", int(far.address.partition(":")[2])))
        meeting = peer.concluded()
        assert meeting.failure is not None
        assert meeting.failure.detail == UNKNOWN_CA
        assert not meeting.established
        assert "error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca" in peer.log


@VERSIONS
def test_a_good_server(turned: Turned, pki: Pki, papers: Path, version: TlsVersion, flag: str) -> None:
    """It accepts Expressway-E's chain, which is sent from the trusted CA list; its own words tell the depth."""
    with (
        server(papers, *shows(papers, "webex"), "-Verify", "3", "-verify_return_error", flag) as far,
        closing(expressway(turned, pki, GOOD, version)) as peer,
    ):
        peer.connect(("127.0.0.1", int(far.address.partition(":")[2])))
        turned.until("the handshake is done", lambda: bool(peer.peer.meetings) and peer.peer.meetings[0].established)
        turned.until("the request arrives", lambda: "OPTIONS sip:" in far.said)
        assert "Handshake succeeded" in peer.log
    assert far.said.count("depth=") >= 3


def test_a_client_without_a_certificate(turned: Turned, pki: Pki, papers: Path) -> None:
    """Mutual TLS takes nobody who shows none."""
    with closing(expressway(turned, pki)) as peer:
        host, port = peer.listen()
        said = turned.meanwhile(lambda: openssl("s_client", "-connect", f"{host}:{port}", "-tls1_2", cwd=papers))
        meeting = peer.concluded()
        assert meeting.failure is not None
        assert meeting.failure.detail == "peer did not return a certificate"
        assert meeting.loss in {Loss.NOT, Loss.EOF}
    assert "alert handshake failure" in said
