"""Which alert a refusal becomes, as Python's `ssl` at the other end has it."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from OpenSSL import SSL

from alg.tls.endpoint import Endpoint, Notes, TlsFailure, watch
from harness.ca import Pki, write
from harness.peers.tls_verdict import CERTIFICATE_UNKNOWN, Judge, Verdict

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
ALERTS = {
    **{10: "certificate expired", 18: "unknown ca", 19: "unknown ca", 20: "unknown ca", 23: "certificate revoked"},
    **{26: "unsupported certificate", 28: "bad certificate", 50: "handshake failure", 1: "internal error"},
    **{CERTIFICATE_UNKNOWN: "certificate unknown"},
}
"""By the number that the judge names."""


class Meeting:
    """An endpoint with a judge, and a far end that is Python's."""

    def __init__(self, pki: Pki, folder: Path, version: str, serves: bool, judge: Judge, shown: str) -> None:
        write(pki, folder, replace=True)
        context = SSL.Context(SSL.TLS_METHOD)
        credentials = pki["expressway-e"]
        context.use_certificate(credentials.certificate)
        context.use_privatekey(credentials.key)
        watch(context)
        self.notes = Notes(None)
        self.endpoint = Endpoint(context, serves, self.notes)
        self.verdict = Verdict(self.endpoint.connection, judge)
        far = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if serves else ssl.PROTOCOL_TLS_SERVER)
        if serves:
            far.check_hostname, far.verify_mode = False, ssl.CERT_NONE
        if shown:
            far.load_cert_chain(folder / f"{shown}-chain.pem", folder / f"{shown}.key")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            far.minimum_version = far.maximum_version = VERSIONS[version]
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.far = far.wrap_bio(self.incoming, self.outgoing, server_side=not serves)
        self.complaint = ""
        """The far end's."""
        self.failure = ""
        """Ours."""
        self.received = b""
        for _ in range(8):
            self._turn()

    def _turn(self) -> None:
        try:
            if not self.complaint:
                self.far.do_handshake()
                self.far.read()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.complaint = str(error.reason).replace("_", " ").lower()
        self.endpoint.take(self.outgoing.read())
        try:
            if not self.failure:
                self.endpoint.shake()
        except TlsFailure as failure:
            self.failure = failure.reason
        data = self.endpoint.drain()
        self.received += data
        self.incoming.write(data)


@pytest.mark.parametrize("serves", [True, False], ids=["server", "client"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", ALERTS)
def test_the_alert(pki: Pki, tmp_path: Path, number: int, version: str, serves: bool) -> None:
    """The one that is named, in either version, from either side, although the chain itself may be worse or better."""
    meeting = Meeting(pki, tmp_path, version, serves, lambda objection, certificate: number, "webex")
    assert meeting.failure == "certificate verify failed"
    assert meeting.complaint.endswith(f"alert {ALERTS[number]}")
    assert meeting.verdict.accepted is None


def test_certificate_unknown_byte_by_byte(pki: Pki, tmp_path: Path) -> None:
    """In TLS 1.2 it is seven bytes in clear: fatal, 46."""
    meeting = Meeting(pki, tmp_path, "1.2", False, lambda *_: CERTIFICATE_UNKNOWN, "webex")
    assert meeting.received.endswith(bytes.fromhex("15 03 03 00 02 02 2e"))


def test_what_the_judge_is_told(pki: Pki, tmp_path: Path) -> None:
    """OpenSSL's first objection to the chain, and the certificate itself, once."""
    told: list[tuple[int, x509.Certificate]] = []

    def judge(objection: int, certificate: x509.Certificate) -> int:
        told.append((objection, certificate))
        return 0

    for shown in ("webex", "webex-leaf-only", "expressway-e-self-signed"):
        meeting = Meeting(pki, tmp_path, "1.3", False, judge, shown)
        assert meeting.failure == ""
        assert meeting.verdict.accepted == pki[shown].certificate
    assert told == [
        (19, pki["webex"].certificate),
        (20, pki["webex-leaf-only"].certificate),
        (18, pki["expressway-e-self-signed"].certificate),
    ]


def test_a_certificate_that_cannot_be_judged(pki: Pki, tmp_path: Path) -> None:
    """Is refused as a bad one."""

    def judge(objection: int, certificate: x509.Certificate) -> int:
        raise ValueError("unreadable")

    meeting = Meeting(pki, tmp_path, "1.3", True, judge, "webex")
    assert meeting.complaint.endswith("alert bad certificate")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_has_to_show_a_certificate(pki: Pki, tmp_path: Path, version: str) -> None:
    """One without is not even judged."""

    def judge(objection: int, certificate: x509.Certificate) -> int:
        raise AssertionError("there is nothing to judge")

    meeting = Meeting(pki, tmp_path, version, True, judge, "")
    assert meeting.failure == "peer did not return a certificate"
