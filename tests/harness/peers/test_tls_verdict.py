"""Which alert a refusal becomes, as Python's `ssl` at the other end has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from OpenSSL import SSL

from alg.tls.endpoint import watch
from harness.ca import Pki
from harness.peers.tls_verdict import CERTIFICATE_UNKNOWN, Judge
from tests.harness.peers.stdlib_end import VERSIONS, Handshake

ALERTS = {
    **{10: "certificate expired", 18: "unknown ca", 19: "unknown ca", 20: "unknown ca", 23: "certificate revoked"},
    **{26: "unsupported certificate", 28: "bad certificate", 50: "handshake failure", 1: "internal error"},
    **{CERTIFICATE_UNKNOWN: "certificate unknown"},
}
"""By the number that the judge names."""


def shake(pki: Pki, papers: Path, version: str, serves: bool, judge: Judge, shown: str) -> Handshake:
    """A handshake that a judge has a say in."""
    context = SSL.Context(SSL.TLS_METHOD)
    credentials = pki["expressway-e"]
    context.use_certificate(credentials.certificate)
    context.use_privatekey(credentials.key)
    watch(context)
    return Handshake(context, papers, version, serves, shown, judge)


@pytest.mark.parametrize("serves", [True, False], ids=["server", "client"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", ALERTS)
def test_the_alert(pki: Pki, papers: Path, number: int, version: str, serves: bool) -> None:
    """The one that is named, in either version, from either side, although the chain itself may be worse or better."""
    done = shake(pki, papers, version, serves, lambda objection, certificate: number, "webex")
    assert done.failure == "certificate verify failed"
    assert done.complaint.endswith(f"alert {ALERTS[number]}")
    assert done.verdict is not None
    assert done.verdict.accepted is None


def test_certificate_unknown_byte_by_byte(pki: Pki, papers: Path) -> None:
    """In TLS 1.2 it is seven bytes in clear: fatal, 46."""
    done = shake(pki, papers, "1.2", False, lambda *_: CERTIFICATE_UNKNOWN, "webex")
    assert done.received.endswith(bytes.fromhex("15 03 03 00 02 02 2e"))


def test_what_the_judge_is_told(pki: Pki, papers: Path) -> None:
    """OpenSSL's first objection to the chain, and the certificate itself, once."""
    told: list[tuple[int, x509.Certificate]] = []

    def judge(objection: int, certificate: x509.Certificate) -> int:
        told.append((objection, certificate))
        return 0

    for shown in ("webex", "webex-leaf-only", "expressway-e-self-signed"):
        done = shake(pki, papers, "1.3", False, judge, shown)
        assert done.failure == ""
        assert done.verdict is not None
        assert done.verdict.accepted == pki[shown].certificate
    assert told == [
        (19, pki["webex"].certificate),
        (20, pki["webex-leaf-only"].certificate),
        (18, pki["expressway-e-self-signed"].certificate),
    ]


def test_a_certificate_that_cannot_be_judged(pki: Pki, papers: Path) -> None:
    """Is refused as a bad one."""

    def judge(objection: int, certificate: x509.Certificate) -> int:
        raise ValueError("unreadable")

    done = shake(pki, papers, "1.3", True, judge, "webex")
    assert done.complaint.endswith("alert bad certificate")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_has_to_show_a_certificate(pki: Pki, papers: Path, version: str) -> None:
    """One without is not even judged."""

    def judge(objection: int, certificate: x509.Certificate) -> int:
        raise AssertionError("there is nothing to judge")

    done = shake(pki, papers, version, True, judge, "")
    assert done.failure == "peer did not return a certificate"
