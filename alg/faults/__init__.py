"""Deliberate defects of an ALG: one class each, and the registry that `--fault` looks in."""

from __future__ import annotations

from typing import Final

from alg.faults.ack_misrouted import AckMisrouted
from alg.faults.base import Fault
from alg.faults.call_id_rewritten import CallIdRewritten
from alg.faults.candidates_stale import StaleCandidates
from alg.faults.contact_forgotten import ContactForgotten
from alg.faults.double_nat_fix import DoubleNatFix
from alg.faults.idle_timeout import IdleTimeout
from alg.faults.keepalive_swallowed import KeepaliveSwallowed
from alg.faults.long_line_dropped import LongLineDropped
from alg.faults.long_message_bypassed import LongMessageBypassed
from alg.faults.many_in_one_segment import FirstOfSegment
from alg.faults.media_level_c_missed import MediaLevelC
from alg.faults.multipart_content_length import StalePartLength
from alg.faults.noop import Noop
from alg.faults.pinhole_missing import PinholeMissing
from alg.faults.rtcp_attribute_stale import StaleRtcpAttribute
from alg.faults.split_message import SplitMessage
from alg.faults.stale_content_length import StaleContentLength
from alg.faults.unknown_method_dropped import UnknownMethodDropped

_ALL: Final[tuple[type[Fault], ...]] = (
    AckMisrouted,
    CallIdRewritten,
    ContactForgotten,
    DoubleNatFix,
    FirstOfSegment,
    IdleTimeout,
    KeepaliveSwallowed,
    LongLineDropped,
    LongMessageBypassed,
    MediaLevelC,
    Noop,
    PinholeMissing,
    SplitMessage,
    StaleCandidates,
    StaleContentLength,
    StalePartLength,
    StaleRtcpAttribute,
    UnknownMethodDropped,
)
FAULTS: Final[dict[str, type[Fault]]] = {fault.name: fault for fault in _ALL}
"""Every fault by its name."""
