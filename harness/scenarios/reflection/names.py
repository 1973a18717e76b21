"""Names of Mobile and Remote Access through a firewall: who takes part, what is asked, how it is answered.

Strategy: parts are also witnesses of signs. So are the two wires, each of which is seen if one of its ends is ours.
"""

from __future__ import annotations

from typing import Final

PHONE, EDGE, CORE, CUCM = "phone", "expressway-e", "expressway-c", "cucm"
"""Parts."""
ZONE, ACCESS = "traversal zone", "phone's connection"
"""Wires: between the Expressways, and between phone and Expressway-E."""
INSIDE, OUTSIDE = "Expressway-C", "Expressway-E"
"""As logs and facts call them."""

APPARENT: Final = "Route of the SERVICE"
SERVICE: Final = "answer to SERVICE"
WARNING: Final = "its Warning"
ATTEMPTS: Final = "connections to its Route"
FORWARDED: Final = "REGISTER at Expressway-C"
REGISTER: Final = "answer to REGISTER"
CALL: Final = "call of the phone"
OF_FIREWALL, OF_CORE, NEVER, COMES = "an address of the firewall", "Expressway-C's own", "never comes", "comes"
STANDS, FAILS, NONE = "stands", "fails", "none"

CORE_HOST, CUCM_HOST, PUBLIC_HOST, NIC_HOST, INNER_HOST, PHONE_HOST = 2, 3, 10, 20, 21, 30
"""Of addresses; NIC and inner NIC are those of the Expressway-E, whose public address is the firewall's."""
CUCM_PORT, PHONES_PORT = 5060, 5061
LINE: Final = "5010"
"""That the phone calls."""
TOPOLOGY: Final = """\
phone ----- 5061 Expressway-E 7003 ------ firewall ------ Expressway-C ------ CUCM
                 10.0.10.2                64.100.0.10     10.0.30.2
                 is 64.100.0.10 for everybody, and so is Expressway-C for it
"""
