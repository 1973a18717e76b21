"""All hand-written examples of the default profile, by name.

Strategy: each `Vector` says which bytes go in, with which mappings and in which direction, and which bytes
must come out. The expected bytes are written by hand, never computed by a rewriter. There is one file per
subject.
"""

from __future__ import annotations

from tests.helpers.vector import Pairs, Vector
from tests.helpers.vectors_framing import FRAMING_VECTORS
from tests.helpers.vectors_headers import HEADER_VECTORS
from tests.helpers.vectors_multipart import MULTIPART_VECTORS
from tests.helpers.vectors_sdp import SDP_VECTORS
from tests.helpers.vectors_via import VIA_VECTORS

__all__ = ["VECTORS", "Pairs", "Vector"]

VECTORS: tuple[Vector, ...] = (
    *HEADER_VECTORS,
    *VIA_VECTORS,
    *SDP_VECTORS,
    *MULTIPART_VECTORS,
    *FRAMING_VECTORS,
)
