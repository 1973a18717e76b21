"""Requests of methods that the device does not know are swallowed."""

from __future__ import annotations

from typing import Final

from alg.faults.base import Case, Fault, Parameter
from alg.sip.message import summarise

_IOS_METHODS: Final = "ACK BYE CANCEL INVITE OPTIONS REGISTER"
"""What Cisco's document lists (seed 004)."""


class UnknownMethodDropped(Fault):
    """Requests of methods that the device does not know are swallowed; their senders time out."""

    name = "unknown-method-dropped"
    title = "requests whose method is not on a list are dropped"
    source = "Juniper default, FortiGate block-unknown (SERVICE, PUBLISH)"
    parameters = (Parameter("known", "methods that pass, with + between them", _IOS_METHODS.replace(" ", "+")),)

    def leaves(self, case: Case, after: bytes) -> bytes:
        """Nothing, if the method is unknown."""
        method = summarise(case.message.data).method
        known = self.settings["known"].upper().split("+")
        return after if method is None or method.upper() in known else b""
