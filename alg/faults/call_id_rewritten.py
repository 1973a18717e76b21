"""The address in a Call-ID is translated, which no ALG may do: the dialog has another name on each side."""

from __future__ import annotations

import re

from alg.faults.base import Case, Fault
from alg.rewrite import Edit
from alg.sip.message import header_fields

_NAMES = (b"call-id", b"i")
_ADDRESS = re.compile(rb"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")


class CallIdRewritten(Fault):
    """Replaces, Session-ID pairs and whoever compares logs of both sides fall over it."""

    name = "call-id-rewritten"
    title = "addresses in Call-ID are translated like hosts"
    source = "Juniper and FortiGate documentation"

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """One more for each address in the field that is mapped."""
        data = case.message.data[: case.message.body]
        found = list(edits)
        for each in header_fields(data):
            if each.name.lower() in _NAMES:
                for match in _ADDRESS.finditer(data, each.value, each.stop):
                    new = case.table.address(case.direction, match[0])
                    if new is not None:
                        found.append((*match.span(), new, "Call-ID"))
        return found
