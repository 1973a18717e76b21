"""A CUCM as far as it is configured: service parameter, SIP profile of its trunk, region, lines; names are its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

DEFAULT_SIZES: Final = {"8.6": 5000, "9.0": 11000}
"""`SIP Max Incoming Message Size` in bytes, by the release from which a new installation has it. An upgrade keeps what
there was."""
RECOMMENDED_SIZE: Final = 18000
"""Bytes; what the guide to hybrid calls has it raised to (seed 003)."""

_BIT_RATES: Final = {"G729": 8, "PCMU": 64, "PCMA": 64, "G722": 64, "G7221": 32, "AAC-LD": 256, "AAC-LD-64": 256}
"""kbit/s: the step of a region's `Maximum Audio Bit Rate` from which a codec is allowed."""
FACTORY_LOW_LOSS: Final = ("AAC-LD", "AAC-LD-64", "G722", "G7221", "PCMU", "PCMA", "G729")
"""`Factory Default low loss`: codecs in their order."""


class EarlyOffer(Enum):
    """`Early Offer support for voice and video calls` of a SIP profile."""

    DISABLED = "Disabled (Default value)"
    BEST_EFFORT = "Best Effort (no MTP inserted)"
    MANDATORY = "Mandatory (insert MTP if needed)"


@dataclass(frozen=True, slots=True)
class Region:
    """The relationship between the regions of a trunk and of a line."""

    maximum_audio_bit_rate: int = 256
    """`Maximum Audio Bit Rate` in kbit/s: 8 is G.729, 64 is G.722 and G.711, 256 is L16 and AAC-LD."""
    audio_codec_preference_list: tuple[str, ...] = FACTORY_LOW_LOSS

    @property
    def codecs(self) -> tuple[str, ...]:
        """What is left of the list."""
        most = self.maximum_audio_bit_rate
        return tuple(name for name in self.audio_codec_preference_list if _BIT_RATES[name] <= most)


@dataclass(frozen=True, slots=True)
class CucmSettings:
    """One node."""

    sip_max_incoming_message_size: int = DEFAULT_SIZES["9.0"]
    """`SIP Max Incoming Message Size` in bytes."""
    region: Region = field(default_factory=Region)
    early_offer: EarlyOffer = EarlyOffer.DISABLED
    release: str = "11.5"
    """As User-Agent has it."""
    domain: str = "example.local"
    """`Organization Top Level Domain`."""
    line: str = "5010"
    """The directory number that calls are placed from."""
    directory_numbers: tuple[str, ...] = ()
    """Lines that ring; empty for whatever is called."""
    ring: float = 0.0
    """Seconds until a line is picked up."""
    allow_presentation_sharing_using_bfcp: bool = False
    """Of the SIP profile: slides are offered beside video."""
    srtp_allowed: bool = True
    """`SRTP Allowed` of the trunk: media is RTP/SAVP."""
