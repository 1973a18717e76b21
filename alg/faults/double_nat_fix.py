"""Addresses that an endpoint has already translated itself are translated again."""

from __future__ import annotations

from alg.direction import Direction
from alg.faults.base import Case, Fault
from alg.rewrite import Edit


class DoubleNatFix(Fault):
    """An Expressway with static NAT mode on writes its outside address; the ALG turns that back into the inside one."""

    name = "double-nat-fix"
    title = "outside addresses in what leaves the inside are translated back to inside ones"
    source = "Expressway deployment guide (static NAT with an ALG)"

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """With those that the other direction would make."""
        if case.direction is Direction.INWARD:
            return edits
        taken = {edit[:2] for edit in edits}
        return edits + [(*edit[:3], "double fix") for edit in case.backward() if edit[:2] not in taken]
