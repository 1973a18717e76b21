"""The ways in which mutual TLS between Expressway-E and Webex fails, as data: seed 003, problems 1 to 7.

Strategy: a `Situation` says everything that decides a handshake, by the names of recipes in `certs/`; GOOD is one in
which nothing is wrong. A row is a situation with one mistake, the one without it, and what the mistake looks like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

VERIFY_NAME: Final = "callservice.ciscospark.com"
"""What the certificate of Webex's SIP servers names."""
OWN: Final = "expressway-e"
"""The certificate that an organization has for its Expressway-E; the names in it are among its verified domains."""
DNS_ZONE: Final = "Hybrid Call Services DNS"


@dataclass(frozen=True, slots=True)
class Situation:
    """Expressway-E is inside, Webex outside, and what is between them."""

    inbound: bool = True
    """Webex connects; else Expressway-E does."""
    shown_inside: str = OWN
    """Expressway-E's certificate; behind it go those of its issuers that are in `trusted_inside`."""
    trusted_inside: tuple[str, ...] = ("webex-root", "expressway-e-issuing", "expressway-e-root")
    """Trusted CA certificate list."""
    verify_mode: bool = True
    """SIP TLS Verify Mode"""
    verify_name: str = VERIFY_NAME
    """SIP TLS Verify Subject Name"""
    inbound_classification: bool = True
    """SIP TLS Verify InboundClassification"""
    shown_outside: str = "webex"
    trusted_outside: tuple[str, ...] = ("expressway-e-root",)
    """Public CAs that Webex trusts."""
    uploaded: tuple[str, ...] = ()
    """Certificates in Control Hub."""
    verified_domains: tuple[str, ...] = ("example.com",)
    inspection: tuple[str, ...] = ()
    """Rules of `--tls-inspect`."""

    @property
    def known_outside(self) -> tuple[str, ...]:
        """Certificates that Webex looks into, whoever has shown them."""
        return (*self.trusted_outside, *self.uploaded, OWN)


GOOD: Final = Situation()


@dataclass(frozen=True, slots=True)
class Signs:
    """How a mistake shows."""

    log: tuple[str, ...]
    """What stands in Expressway-E's log."""
    alert: tuple[str, str] | None
    """The TLS alert on the wire: who sends it, `inside` or `outside`, and which."""
    chain_inside: int = 3
    """Certificates that Expressway-E shows."""
    reset_by: str = ""
    """Whose RST arrives: that of `inside`, or one of a firewall, `towards inside`."""
    quiet_outside: bool = False
    """Nothing at all reaches Webex from there on."""
    names_outside: str = ""
    """What Webex's certificate names with the mistake as without; empty if it does not matter."""


@dataclass(frozen=True, slots=True)
class Row:
    """One mistake."""

    name: str
    cause: str
    broken: Situation
    fixed: Situation
    cure: str
    signs: Signs
    capture: str
    """What a capture shows, for people."""


_INBOUND = 'Event="Inbound TLS Negotiation Error" Service="SIP"'
_OUTBOUND = 'Event="Outbound TLS Negotiation Error" Service="SIP"'
_UNTRUSTED = "self signed certificate in certificate chain"
_UNACCEPTABLE = "Peer's TLS certificate identity was unacceptable"
_UNKNOWN = "sslv3 alert certificate unknown"
_DISCONNECT = "No SSL error available, probably remote disconnect"


def _closed(reason: str) -> str:
    return f'Detail="TCP Connection Closed" Reason="{reason}"'


_SIGNS_UNACCEPTABLE = Signs(
    (_INBOUND, f'Detail="{_UNACCEPTABLE}" Protocol="TLS"', _closed(_UNACCEPTABLE)),
    alert=None,
    reset_by="inside",
    names_outside=VERIFY_NAME,
)
_SIGNS_UNKNOWN = Signs(
    (
        _INBOUND,
        f'Detail="{_UNKNOWN}" Protocol="TLS"',
        f'ssl_error_reason="error:14094416:SSL routines:ssl3_read_bytes:{_UNKNOWN}"',
        _closed("Got EOF on socket"),
    ),
    alert=("outside", "certificate_unknown"),
)

ROWS: Final = {
    row.name: row
    for row in (
        Row(
            "T1",
            "Expressway-E does not trust the CA that signed Webex's certificate",
            replace(GOOD, trusted_inside=("expressway-e-issuing", "expressway-e-root")),
            GOOD,
            "add the CA to the trusted CA certificate list",
            Signs(
                (
                    _INBOUND,
                    f'Detail="{_UNTRUSTED}" Protocol="TLS"',
                    "ssl3_get_client_certificate:certificate verify failed",
                    _closed(_UNTRUSTED),
                ),
                alert=("inside", "unknown_ca"),
            ),
            "Alert (Fatal, Unknown CA) from Expressway-E behind Webex's certificate",
        ),
        Row(
            "T2",
            "the TLS verify subject name of the DNS zone is misspelt",
            replace(GOOD, verify_name="calllservice.ciscospark.com"),
            GOOD,
            "correct the TLS verify subject name",
            _SIGNS_UNACCEPTABLE,
            "RST from Expressway-E right behind Webex's certificate, which has the right name",
        ),
        Row(
            "T3",
            "Expressway-E sends its certificate without those of its issuers",
            replace(GOOD, trusted_inside=("webex-root",)),
            GOOD,
            "add intermediate and root to the trusted CA certificate list, from where they are sent",
            replace(_SIGNS_UNKNOWN, chain_inside=1),
            "one certificate from Expressway-E, then Alert (Fatal, Certificate Unknown) from Webex",
        ),
        Row(
            "T4",
            "a firewall's application inspection ends the handshake",
            replace(GOOD, inbound=False, inspection=("reset:client-finished:inside",)),
            replace(GOOD, inbound=False),
            "turn the inspection off",
            Signs(
                (_OUTBOUND, f'Detail="{_DISCONNECT}" Protocol="TLS" Common-name="', _closed("Got EOF on socket")),
                alert=None,
                reset_by="towards inside",
                quiet_outside=True,
            ),
            "inside, RST as if from Webex behind Client Key Exchange, Certificate Verify, Change Cipher Spec and "
            "Finished; outside, no RST; no TLS alert at all",
        ),
        Row(
            "T5",
            "an older certificate that was uploaded to Control Hub takes precedence over the one that is shown",
            replace(GOOD, uploaded=("expressway-e-previous",)),
            GOOD,
            "delete the upload in Control Hub",
            _SIGNS_UNKNOWN,
            "the whole chain from Expressway-E, and still Alert (Fatal, Certificate Unknown) from Webex",
        ),
        Row(
            "T6",
            "TLS verify inbound mapping is off, so the connection lands in the default zone",
            replace(GOOD, inbound_classification=False),
            GOOD,
            "turn TLS verify inbound mapping on, in the DNS zone",
            _SIGNS_UNACCEPTABLE,
            "RST from Expressway-E right behind Webex's certificate; chain, name and verify name are right",
        ),
        Row(
            "T7",
            "Expressway-E shows the self-signed certificate that it was installed with",
            replace(GOOD, shown_inside="expressway-e-self-signed"),
            GOOD,
            "have a certificate signed that names a verified domain",
            replace(_SIGNS_UNKNOWN, chain_inside=1),
            "Alert (Fatal, Certificate Unknown) from Webex; neither CN nor SAN is in a verified domain",
        ),
    )
}
"""By name."""
