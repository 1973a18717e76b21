"""What the faults have in common that forget some edits: these are found by the names of their rules.

Lengths follow from the edits that remain, unless it is a length that is forgotten.
"""

from __future__ import annotations

from typing import ClassVar

from alg.faults.base import Case, Fault
from alg.rewrite import Edit


class SkippedEdits(Fault):
    """Leaves out the edits of some rules."""

    rules: ClassVar[frozenset[str]]
    """Their names, as records print them."""

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """Those of other rules."""
        return [edit for edit in edits if edit[3] not in self.rules]

    def length_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """Those of other rules."""
        return [edit for edit in edits if edit[3] not in self.rules]
