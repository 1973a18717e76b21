"""Addresses that an endpoint has already translated itself are translated again."""

from __future__ import annotations

from alg.faults.base import Case, Fault
from alg.rewrite import Edit


class DoubleNatFix(Fault):
    """An Expressway with static NAT mode on writes its outside address; the ALG turns that back into the inside one."""

    name = "double-nat-fix"
    title = "outside addresses in what leaves the inside are translated back to inside ones"
    source = "Expressway deployment guide (static NAT with an ALG)"

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """With those that the other direction would make."""
        taken = {edit[:2] for edit in edits}
        again = case.table.find[case.direction.opposite](case.message.data)
        return edits + [
            (start, stop, new, "double fix")
            for start, stop, _ in again
            if (start, stop) not in taken and (new := _back(case, start, stop)) is not None
        ]


def _back(case: Case, start: int, stop: int) -> bytes | None:
    return case.table.address(case.direction.opposite, case.message.data[start:stop])
