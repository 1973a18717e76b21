"""Only the first c= line of a session description is translated."""

from __future__ import annotations

from alg.faults.base import Case, Fault
from alg.rewrite import Edit

_RULE = "SDP c="


class MediaLevelC(Fault):
    """Media lines with a c= of their own send their media to the inside address."""

    name = "media-level-c-missed"
    title = "the first c= line of a message is translated, later ones keep the inside address"
    source = "Linux nf_nat_sip, measured"

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """All but the c= edits behind the first."""
        first = min((start for start, _, _, rule in edits if rule == _RULE), default=0)
        return [edit for edit in edits if edit[3] != _RULE or edit[0] == first]
