"""Who is accepted by which names, chains and uploads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from service_identity.cryptography import verify_certificate_hostname

from harness.ca import Pki
from harness.expressway.settings import DnsZone, Expressway, OnOff
from harness.peers.tls_trust import (
    Admission,
    ControlHub,
    Dismissal,
    ExpresswayTrust,
    Names,
    Refusal,
    WebexTrust,
    names_of,
)
from harness.peers.tls_verdict import CERTIFICATE_UNKNOWN
from tests.helpers.certificates import sign

SUBJECT = "callservice.ciscospark.com"
WEBEX = Names("l2sip-01.webex.example", (SUBJECT, "l2sip-01.webex.example"))
NO_ISSUER, SELF_SIGNED_IN_CHAIN = 20, 19


def expressway(**changes: object) -> ExpresswayTrust:
    """With one DNS zone."""
    zone = DnsZone(name="Hybrid", tls_verify=OnOff.ON, tls_subject=SUBJECT, inbound_classification=OnOff.ON)
    for name, value in changes.items():
        zone = DnsZone(**{**{key: getattr(zone, key) for key in zone.__struct_fields__}, name: value})
    return ExpresswayTrust((), Expressway(zones=(zone,)), "Hybrid")


WEBEX_TRUST = WebexTrust((), ControlHub((), ("example.com",)))


def test_a_chain_that_is_not_trusted() -> None:
    """OpenSSL's own error, which is OpenSSL's own alert, in the words of OpenSSL 1.0."""
    refusal = expressway().refuse(SELF_SIGNED_IN_CHAIN, WEBEX, inbound=True)
    assert refusal == Refusal(SELF_SIGNED_IN_CHAIN, ("self signed certificate in certificate chain",))
    assert expressway().refuse(0, WEBEX, inbound=True) is None


def test_verify_mode_off() -> None:
    """Outbound neither chain nor name matters; inbound the mutual TLS port verifies, and no zone takes anybody."""
    trust = expressway(tls_verify=OnOff.OFF)
    stranger = Names("stranger.example", ())
    assert trust.refuse(NO_ISSUER, stranger, inbound=False) is None
    assert trust.admit(stranger, inbound=False) == Admission("Hybrid")
    assert trust.refuse(NO_ISSUER, stranger, inbound=True) is not None
    assert isinstance(trust.admit(WEBEX, inbound=True), Dismissal)


@pytest.mark.parametrize(
    ("subject", "names", "admitted"),
    [
        (SUBJECT, WEBEX, True),
        ("CallService.CiscoSpark.com", WEBEX, True),
        ("calllservice.ciscospark.com", WEBEX, False),
        (SUBJECT, Names(SUBJECT, ()), True),
        (SUBJECT, Names("", ("*.ciscospark.com",)), False),
        (SUBJECT, Names("", (f"x{SUBJECT}", "ciscospark.com")), False),
        (SUBJECT, Names("", ()), False),
    ],
)
@pytest.mark.parametrize("inbound", [True, False])
def test_the_name_is_equal_or_it_is_not(subject: str, names: Names, admitted: bool, inbound: bool) -> None:
    """CN or SAN, in any case; no wildcards, no parts."""
    decision = expressway(tls_subject=subject).admit(names, inbound)
    assert isinstance(decision, Admission) is admitted
    if isinstance(decision, Admission):
        assert decision == Admission("Hybrid", subject if inbound else "")


def test_a_wildcard_is_where_the_product_and_rfc_6125_part() -> None:
    """service-identity takes the certificate that the product does not."""
    certificate = sign("x", names=["*.ciscospark.com"]).certificate
    verify_certificate_hostname(certificate, SUBJECT)
    assert isinstance(expressway().admit(names_of(certificate), inbound=True), Dismissal)


def test_inbound_classification_off() -> None:
    """The right name leads to the default zone, which takes nobody; outbound it has no say."""
    trust = expressway(inbound_classification=OnOff.OFF)
    decision = trust.admit(WEBEX, inbound=True)
    assert isinstance(decision, Dismissal)
    assert decision.reason.startswith("DefaultZone")
    assert trust.admit(WEBEX, inbound=False) == Admission("Hybrid")


@pytest.mark.parametrize(
    ("names", "within"),
    [
        (Names("expe.example.com", ()), True),
        (Names("expe", ("other.example", "EXPE.Example.com")), True),
        (Names("example.com", ()), True),
        (Names("expe.notexample.com", ()), False),
        (Names("example.com.evil.example", ()), False),
        (Names("expressway", ()), False),
        (Names("", ()), False),
    ],
)
def test_verified_domains(names: Names, within: bool) -> None:
    """A name is one, or in one."""
    refusal = WEBEX_TRUST.refuse(0, names, inbound=True)
    assert (refusal is None) is within
    if refusal is not None:
        assert refusal.error == CERTIFICATE_UNKNOWN
        assert refusal.reasons[0].startswith("no name in a verified domain: ")


def test_whatever_webex_dislikes_is_certificate_unknown() -> None:
    """With all of its reasons."""
    refusal = WEBEX_TRUST.refuse(NO_ISSUER, Names("expressway", ()), inbound=True)
    assert refusal == Refusal(
        CERTIFICATE_UNKNOWN,
        ("unable to get local issuer certificate", "no name in a verified domain: expressway"),
    )
    assert WEBEX_TRUST.admit(Names("", ()), inbound=True) == Admission()


def test_uploads_take_precedence(pki: Pki) -> None:
    """They are the only anchors then, and need no issuer; the refusal says so."""
    root, uploaded = pki["expressway-e-root"].certificate, pki["expressway-e-previous"].certificate
    trust = WebexTrust((root,), ControlHub((), ("example.com",)))
    assert (trust.anchors, trust.partial) == ((root,), False)
    trust = replace(trust, control_hub=ControlHub((uploaded,), ("example.com",)))
    assert (trust.anchors, trust.partial) == ((uploaded,), True)
    refusal = trust.refuse(NO_ISSUER, Names("expe.example.com", ()), inbound=False)
    assert refusal is not None
    assert refusal.reasons == ("unable to get local issuer certificate, by what was uploaded to Control Hub",)


def test_names_of_certificates(pki: Pki) -> None:
    """CN and DNS names alone, in their order; none where there are none."""
    names = names_of(pki["expressway-e"].certificate)
    assert names == Names("expe.example.com", ("expe.example.com", "example.com"))
    assert names.all == ("expe.example.com", "expe.example.com", "example.com")
    assert names_of(pki["expressway-e-self-signed"].certificate) == Names("expressway", ())
    assert names_of(nameless(pki)).all == ()


def nameless(pki: Pki) -> x509.Certificate:
    """A certificate without any name."""
    authority = pki.authority("firewall-root")
    public_key = pki["webex"].certificate.public_key()
    validity = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    return authority.issue("", (), public_key, (), *validity)
