"""Whom each side of mutual TLS accepts: Expressway-E by its trusted CAs and its zones, Webex by CAs or Control Hub.

Strategy: two questions. `refuse`, while the handshake goes on: a certificate that is refused there ends it with an
alert. `admit`, once the chain is accepted: who is not admitted is disconnected without a word, as the product does
whose TLS library has nothing against the connection (seed 003, problems 2 and 6).

Names are compared by the product's rule: a name in the certificate, CN or SAN, equals the configured one. The rules of
RFC 6125, which service-identity follows, would let wildcards in and leave the CN out; the product lists the CN first
among its candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol as Interface

from cryptography import x509
from cryptography.x509.oid import NameOID

from alg.tls.bindings import verify_error
from harness.expressway.settings import DEFAULT_ZONE, DnsZone, Expressway
from harness.expressway.zones import dns_zone_by_identities
from harness.peers.tls_verdict import CERTIFICATE_UNKNOWN

Certificates = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a certificate."""

    common_name: str
    """Empty if there is none."""
    alt_names: tuple[str, ...]
    """DNS names alone."""

    @property
    def all(self) -> tuple[str, ...]:
        """The common name first."""
        return (self.common_name, *self.alt_names) if self.common_name else self.alt_names


@dataclass(frozen=True, slots=True)
class Refusal:
    """A certificate is not accepted."""

    error: int
    """A verification error of OpenSSL's, by which it chooses the alert."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """A connection is taken."""

    zone: str = ""
    """The zone it belongs to; Webex has none."""
    subject: str = ""
    """The name by which an inbound connection came into its zone."""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A connection is not taken, although nothing is wrong with its certificate."""

    reason: str


class Trust(Interface):
    """Whom somebody accepts."""

    @property
    def anchors(self) -> Certificates:
        """Chains have to lead to one of these."""

    @property
    def partial(self) -> bool:
        """A chain is complete with any of the anchors, whether that signed itself or not."""

    def refuse(self, objection: int, names: Names, inbound: bool) -> Refusal | None:
        """Whether to refuse a certificate; `objection` is OpenSSL's number of what is wrong with its chain, or 0."""

    def admit(self, names: Names, inbound: bool) -> Admission | Dismissal:
        """Whether to go on with whoever was not refused."""


@dataclass(frozen=True, slots=True)
class ExpresswayTrust:
    """Expressway-E: a chain that leads to its trusted CA list, and a zone for the names."""

    trusted: Certificates
    """Trusted CA certificate list. It is also where the certificates come from that are sent behind its own."""
    expressway: Expressway
    zone: str
    """Name of the DNS zone through which its own connections leave."""

    @property
    def anchors(self) -> Certificates:
        """The trusted CA certificate list."""
        return self.trusted

    @property
    def partial(self) -> bool:
        """A chain needs its root."""
        return False

    def refuse(self, objection: int, names: Names, inbound: bool) -> Refusal | None:
        """Chains are verified on the mutual TLS port, and outbound if the zone has TLS verify mode on."""
        if not objection or not (inbound or self._outbound_zone.tls_verify):
            return None
        return refusal_of(objection)

    def admit(self, names: Names, inbound: bool) -> Admission | Dismissal:
        """By SIP TLS Verify Subject Name: inbound it finds the zone, outbound the zone has it checked.

        What is not mapped lands in the default zone, which takes nobody by a certificate (seed 003, problem 6).
        """
        if inbound:
            found = dns_zone_by_identities(self.expressway, names.all)
            if found is None:
                return Dismissal(f"{DEFAULT_ZONE}: no DNS zone is mapped to a name of {names.common_name}")
            return Admission(found.name, found.tls_subject)
        zone = self._outbound_zone
        if zone.tls_verify and zone.tls_subject.lower() not in map(str.lower, names.all):
            return Dismissal(f"{zone.name}: {zone.tls_subject} is no name of {names.common_name}")
        return Admission(zone.name)

    @property
    def _outbound_zone(self) -> DnsZone:
        zone = self.expressway.zone(self.zone)
        assert isinstance(zone, DnsZone), f"{self.zone!r} is a DNS zone"
        return zone


@dataclass(frozen=True, slots=True)
class ControlHub:
    """What an organization has said to Webex about itself."""

    uploaded: Certificates = ()
    """Certificates for encrypted SIP calls. They take precedence over what is shown (seed 003, problem 5)."""
    verified_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebexTrust:
    """Webex: a chain that leads to a public CA or to an upload, and a name in a verified domain.

    Whatever it dislikes, its alert is `certificate_unknown` (seed 003, problems 3, 5 and 7).
    """

    authorities: Certificates
    """Public CAs."""
    control_hub: ControlHub

    @property
    def anchors(self) -> Certificates:
        """What was uploaded counts in place of the CAs."""
        return self.control_hub.uploaded or self.authorities

    @property
    def partial(self) -> bool:
        """An uploaded certificate is trusted as it is, without its issuer."""
        return bool(self.control_hub.uploaded)

    def refuse(self, objection: int, names: Names, inbound: bool) -> Refusal | None:
        """For a chain that leads to no anchor, for names in no verified domain, or for both."""
        reasons = []
        if objection:
            upload = self.control_hub.uploaded
            reasons.append(_words(objection) + (", by what was uploaded to Control Hub" if upload else ""))
        if not _any_within(names.all, self.control_hub.verified_domains):
            reasons.append(f"no name in a verified domain: {', '.join(names.all) or 'none at all'}")
        return Refusal(CERTIFICATE_UNKNOWN, tuple(reasons)) if reasons else None

    def admit(self, names: Names, inbound: bool) -> Admission | Dismissal:
        """Everybody."""
        return Admission()


def names_of(certificate: x509.Certificate) -> Names:
    """The names in a certificate; ValueError if they cannot be read."""
    subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        alt_names = []
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from error
    else:
        alt_names = extension.value.get_values_for_type(x509.DNSName)
    return Names(str(subject[0].value) if subject else "", tuple(alt_names))


def _any_within(names: Iterable[str], domains: Iterable[str]) -> bool:
    """Whether a name is one of the domains, or in one."""
    within = [domain.lower() for domain in domains]
    return any(f".{name.lower()}".endswith(f".{domain}") for name in names for domain in within)


def refusal_of(objection: int) -> Refusal:
    """For a chain that OpenSSL objects to, with OpenSSL's alert."""
    return Refusal(objection, (_words(objection),))


def _words(error: int) -> str:
    """A verification error as OpenSSL 1.0 spelt it, on which the product stands."""
    return verify_error(error).replace("self-signed", "self signed")
