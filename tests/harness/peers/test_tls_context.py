"""What the connections of a peer have in common, as Python's `ssl` at the other end meets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from alg.errors import ConfigError
from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_rows import GOOD, Situation
from harness.peers.tls_stage import inside_settings, outside_settings
from tests.harness.peers.ends import NOW, now
from tests.harness.peers.stdlib_end import VERSIONS, Handshake

EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED"""
YEARS_LATER = NOW + timedelta(days=40 * 365)


def made(pki: Pki, version: TlsVersion, situation: Situation = GOOD) -> SSL.Context:
    """Expressway-E's, for one connection."""
    settings = inside_settings(situation, pki, version)
    return PeerContexts(settings.identity, settings.trust, version, now).new()


@pytest.mark.parametrize(("ours", "theirs"), [("1.2", "1.3"), ("1.3", "1.2")])
@pytest.mark.parametrize("serves", [True, False])
def test_one_version_and_no_other(pki: Pki, papers: Path, ours: str, theirs: str, serves: bool) -> None:
    """Who speaks another one is refused; who speaks the same is not."""
    done = Handshake(made(pki, TlsVersion(ours)), papers, theirs, serves, "webex")
    assert not done.endpoint.up
    assert "version" in done.failure + done.complaint or "protocol" in done.failure + done.complaint
    same = Handshake(made(pki, TlsVersion(ours)), papers, ours, serves, "webex")
    assert (same.endpoint.up, same.failure, same.complaint) == (True, "", "")
    assert same.far.version() == f"TLSv{ours}"


@pytest.mark.parametrize("version", VERSIONS)
def test_certificates_are_judged_by_the_clock(pki: Pki, papers: Path, version: str) -> None:
    """Not by that of the machine, and anew for each connection: a peer that stands for years sees them expire."""
    times = chain([NOW, NOW], repeat(YEARS_LATER))
    settings = inside_settings(GOOD, pki, TlsVersion(version))
    common = PeerContexts(settings.identity, settings.trust, TlsVersion(version), lambda: next(times))
    objections: list[int] = []

    def judge(objection: int, certificate: x509.Certificate) -> int:
        objections.append(objection)
        return objection

    done = [Handshake(common.new(), papers, version, True, "webex", judge) for _ in range(2)]
    assert objections == [0, EXPIRED]
    assert [each.endpoint.up for each in done] == [True, False]
    assert done[1].complaint.endswith("alert certificate expired")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("anchor", "up"), [("expressway-e-leaf-only", True), ("webex-root", False)])
def test_an_upload_needs_no_issuer(pki: Pki, papers: Path, version: str, anchor: str, up: bool) -> None:
    """The leaf itself is the end of a chain where trust is partial."""
    settings = outside_settings(replace(GOOD, uploaded=(anchor,)), pki, TlsVersion(version))
    assert settings.trust.partial
    context = PeerContexts(settings.identity, settings.trust, TlsVersion(version), now).new()
    context.set_verify(SSL.VERIFY_PEER)
    assert Handshake(context, papers, version, True, "expressway-e-leaf-only").endpoint.up is up


def test_the_chain_is_as_long_as_the_trusted_list_allows(pki: Pki, papers: Path) -> None:
    """Leaf alone, with its issuer, with the root too: each in the order of the chain, byte by byte."""
    for trusted, shown in (
        ((), ("expressway-e",)),
        (("expressway-e-issuing",), ("expressway-e", "expressway-e-issuing")),
        (("expressway-e-root", "expressway-e-issuing"), ("expressway-e", "expressway-e-issuing", "expressway-e-root")),
    ):
        context = made(pki, TlsVersion.TLS_1_2, replace(GOOD, trusted_inside=trusted))
        sent = Handshake(context, papers, "1.2", True, "webex").received
        places = [sent.find(der(pki, name)) for name in shown]
        assert -1 not in places
        assert places == sorted(places)
        others = {"expressway-e-issuing", "expressway-e-root"} - set(shown)
        assert [name for name in others if der(pki, name) in sent] == []


def der(pki: Pki, name: str) -> bytes:
    """What a certificate looks like on the wire."""
    return pki[name].certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_is_resumed(pki: Pki, papers: Path, version: str) -> None:
    """A client that wants to go on with a session of before gets a whole handshake, with certificates."""
    context = made(pki, TlsVersion(version))
    first = Handshake(context, papers, version, True, "webex")
    assert first.endpoint.up
    again = Handshake(context, papers, version, True, "webex", resumed=first.far)
    assert again.endpoint.up
    assert (first.far.session_reused, again.far.session_reused) == (False, False)


def test_what_cannot_be_used(pki: Pki) -> None:
    """Another version, a key that OpenSSL finds too weak, and one that is not the certificate's."""
    settings = inside_settings(GOOD, pki, TlsVersion.TLS_1_2)
    with pytest.raises(ConfigError, match=r"^TLS version: a peer speaks 1\.2 or 1\.3, not 1\.1$"):
        PeerContexts(settings.identity, settings.trust, TlsVersion.TLS_1_1, now)
    weak = pki["expressway-e-weak-key"]
    with pytest.raises(ConfigError, match=r"^certificate: .*key too small"):
        PeerContexts(Identity((weak.certificate,), weak.key), settings.trust, TlsVersion.TLS_1_2, now)
    other = Identity((pki["expressway-e"].certificate,), pki["webex"].key)
    with pytest.raises(ConfigError, match=r"^certificate: .*mismatch"):
        PeerContexts(other, settings.trust, TlsVersion.TLS_1_2, now)
