"""The words for what is seen."""

from __future__ import annotations

import re

from alg.tls.sightings import Message, Sender


def test_words_can_be_typed() -> None:
    """Every message can be named on a command line."""
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", message) for message in Message)
    assert f"{Message.CLIENT_FINISHED}" == "client-finished"


def test_sender() -> None:
    """A sender knows the other one, and is an index."""
    assert (Sender.CLIENT.peer, Sender.SERVER.peer) == (Sender.SERVER, Sender.CLIENT)
    assert ["c", "s"][Sender.SERVER] == "s"
    assert Sender.CLIENT.label == "client"
