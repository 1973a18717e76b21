"""What a real Expressway-E or Webex has to be like in a row, told from the row's situations.

Strategy: a situation becomes clauses about one peer: what it does, shows, trusts and verifies. The duty is the clauses
of the mistake, and those that are others with the cure. Certificates go by the names of their files in `--certs`.
"""

from __future__ import annotations

from typing import Final

from harness.peers.tls_rows import DNS_ZONE, VERIFY_NAME, Row, Situation

_ISSUERS: Final = ("expressway-e-issuing", "expressway-e-root")
_MEETS: Final = {
    True: "is connected to from host 4 with mutual TLS 1.2, and answers the OPTIONS that it gets with a "
    "final response, whichever",
    False: "when it is asked to, connects to host 4, port 5062, with mutual TLS 1.2, and sends a SIP request",
}
"""By whether it is the server."""
_OWN: Final = {
    True: "A certificate of its own does as well, if DIR has that as expressway-e.crt, whose names become verified "
    "domains, and its root as expressway-e-root.crt",
    False: f"A certificate of its own does as well, if it names {VERIFY_NAME} and DIR has its root as webex-root.crt",
}
_ANOTHER_ALERT: Final = (
    " Who is built on stock OpenSSL can play it with the cure alone, as stock OpenSSL says unknown_ca (48)."
)


def duty(row: Row, inside: bool) -> str:
    """Of Expressway-E, or of Webex; as `harness.scenarios.scenario.Part` has it."""
    clauses = _inside if inside else _outside
    broken, fixed = clauses(row.broken), clauses(row.fixed)
    changed = [each for each in fixed if each not in broken]
    cured = f"with the cure, {' and '.join(changed)}" if changed else "the same with the cure"
    meets = _MEETS[row.broken.inbound is inside]
    note = _ANOTHER_ALERT if not inside and row.signs.alert == ("outside", "certificate_unknown") else ""
    return f"{meets}; {', '.join(broken)}; {cured}. {_OWN[inside]}.{note}"


def _inside(situation: Situation) -> list[str]:
    behind = [name for name in _ISSUERS if name in situation.trusted_inside]
    shown = f"shows {situation.shown_inside}"
    if situation.shown_inside == "expressway-e":
        shown += f" with {' and '.join(behind)} behind it" if behind else " alone"
    trusted = [name for name in situation.trusted_inside if name not in _ISSUERS]
    mapping = "on" if situation.inbound_classification else "off"
    return [
        shown,
        f"trusts {' and '.join(trusted)}" if trusted else "trusts no CA of Webex's",
        f"resets in the handshake whoever is not {situation.verify_name} (TLS verify subject name of {DNS_ZONE})",
        f"has TLS verify inbound mapping {mapping}",
    ]


def _outside(situation: Situation) -> list[str]:
    uploads = f"trusts {' and '.join(situation.uploaded)} alone, which was uploaded"
    return [
        f"shows {situation.shown_outside} with its chain",
        uploads if situation.uploaded else f"trusts {' and '.join(situation.trusted_outside)}",
        f"refuses names outside of {' and '.join(situation.verified_domains)}",
        "says certificate_unknown (46) to whom it refuses",
    ]
