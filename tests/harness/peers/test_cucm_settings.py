"""What a CUCM's settings come to."""

from __future__ import annotations

import pytest

from harness.peers.cucm_settings import DEFAULT_SIZES, RECOMMENDED_SIZE, CucmSettings, Region


@pytest.mark.parametrize(
    ("kbps", "codecs"),
    [
        (8, ("G729",)),
        (64, ("G722", "G7221", "PCMU", "PCMA", "G729")),
        (256, ("AAC-LD", "AAC-LD-64", "G722", "G7221", "PCMU", "PCMA", "G729")),
    ],
)
def test_region(kbps: int, codecs: tuple[str, ...]) -> None:
    """Its maximum audio bit rate says which codecs are left of its list, in that order."""
    assert Region(kbps).codecs == codecs


def test_preference_list() -> None:
    """A list of one's own is kept in its order."""
    assert Region(64, ("PCMA", "AAC-LD", "G722")).codecs == ("PCMA", "G722")


def test_sizes() -> None:
    """5000 up to 8.6, 11000 later, 18000 as the guide wants it."""
    assert (DEFAULT_SIZES["8.6"], CucmSettings().sip_max_incoming_message_size, RECOMMENDED_SIZE) == (
        5000,
        11000,
        18000,
    )
