"""`--tls-inspect terminate`, as Python's `ssl` on both sides experiences it."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.tls_ends import Answerer, Outcome, Papers, call
from tests.helpers.system import run_sipalg

FIREWALL = "firewall-root.crt"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends and of the firewall."""
    return Papers(tmp_path_factory.mktemp("pki"))


def authority(papers: Papers) -> tuple[str, ...]:
    """The firewall's CA, as an option."""
    return ("--tls-ca", papers.path(FIREWALL), papers.path("firewall-root.key"))


def meet(papers: Papers, start: StartProxy, version: str, *args: str) -> Outcome:
    """One connection between two ends that trust the firewall."""
    with closing(Answerer(papers.server(version, FIREWALL))) as server:
        proxy = start(
            *("--listen", "127.0.0.1:0", "--to", server.address, "--tls-inspect", "terminate"),
            *authority(papers),
            *args,
        )
        server.expect()
        client = call(papers.client(version, FIREWALL), proxy.port, data=bytes(70_000))
        return Outcome(client, server.word())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_mutual_tls_with_certificates_signed_again(
    papers: Papers, start_proxy: StartProxy, tmp_path: Path, version: str
) -> None:
    """Each end sees the other's names in a certificate of the firewall's; secrets are logged for their owner only."""
    log = tmp_path / "keys.log"
    assert meet(papers, start_proxy, version, "--tls-keylog", str(log)) == Outcome("ok", "ok")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    words = {"1.2": b"CLIENT_RANDOM ", "1.3": b"CLIENT_TRAFFIC_SECRET_0 "}
    assert log.read_bytes().count(words[version]) == 2


def test_no_certificate_for_the_server(papers: Papers, start_proxy: StartProxy) -> None:
    """The usual way inspection breaks mutual TLS, in the server's own words."""
    outcome = meet(papers, start_proxy, "1.2", "--tls-present", "none")
    assert outcome.server == "peer did not return a certificate"
    assert outcome.client != "ok"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("--tls-inspect", "terminate"), "--tls-ca (or [tls] ca) is missing"),
        (("--tls-ask", "never"), "--tls-ask: no --tls-inspect rule terminates"),
        (("--tls-inspect", "terminate", "--tls-ca", "/none", "/none"), "[tls] ca /none: No such file or directory"),
    ],
)
def test_settings_that_make_no_sense(args: tuple[str, ...], complaint: str) -> None:
    """One line, status 2."""
    done = run_sipalg("proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", *args)
    assert done.returncode == 2
    assert complaint in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
