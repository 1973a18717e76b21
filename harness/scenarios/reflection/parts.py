"""What real peers have to do when a phone registers through a firewall that reflects."""

from __future__ import annotations

from harness.peers.phone import PhoneSettings
from harness.peers.traversal_server import ZONE_PORT
from harness.scenarios.reflection.names import (
    CORE,
    CORE_HOST,
    CUCM,
    CUCM_HOST,
    CUCM_PORT,
    EDGE,
    LINE,
    NIC_HOST,
    PHONE,
    PHONE_HOST,
    PHONES_PORT,
    PUBLIC_HOST,
)
from harness.scenarios.scenario import Part

_KNOWN = "Certificates are those of --certs: {}"


def parts(kind: str) -> tuple[Part, ...]:
    """By what the traversal zone and the phone are over, TLS or TCP."""
    tls = kind == "TLS"
    who = PhoneSettings()
    edge = "expressway-e-rsa and its root expressway-e-root"
    core = "expressway-c and its root expressway-c-root"

    def duty(text: str, certificates: str) -> str:
        return f"{text}. {_KNOWN.format(certificates)}." if tls else f"{text}."

    return (
        Part(
            PHONE,
            PHONE_HOST,
            "",
            duty(
                f"when it is asked to, registers sip:{who.user}@{who.domain} over {kind} at port {PHONES_PORT} of the "
                f"Expressway-E, with digest (user name {who.username}, password {who.password}); with the cure, "
                f"calls {LINE} over the same connection, and hangs up when the call stands",
                "it trusts expressway-e-root",
            ),
            tls=tls,
        ),
        Part(
            EDGE,
            NIC_HOST,
            f"{kind} {ZONE_PORT} and {PHONES_PORT}",
            duty(
                f"has its traversal zone at HOST:PORT over {kind} and takes phones at HOST:{PHONES_PORT}; asks the "
                "Expressway-C about a phone's credentials with a SERVICE, over the connection that came from there, "
                "whose Route is where that came from. Only a real Expressway does that of its own accord. The zone "
                f"connects from host {PUBLIC_HOST}, or from host {CORE_HOST} where nothing is translated",
                f"it shows {edge}, or its own with its root there as expressway-e-root.crt; it trusts {core}",
            ),
            tls=tls,
        ),
        Part(
            CORE,
            CORE_HOST,
            "",
            duty(
                f"when it is asked to, connects its traversal zone to port {ZONE_PORT} of the Expressway-E, over "
                f"{kind}, from HOST; follows the Route of a SERVICE, answers 200 if that is itself and the credentials "
                f"in it are right, and 408 if it leads nowhere; passes REGISTER and calls on to CUCM, host {CUCM_HOST}",
                f"it shows {core}, or its own with its root there as expressway-c-root.crt; it trusts "
                "expressway-e-root",
            ),
            tls=tls,
        ),
        Part(CUCM, CUCM_HOST, f"TCP {CUCM_PORT}", "takes the registration"),
    )
