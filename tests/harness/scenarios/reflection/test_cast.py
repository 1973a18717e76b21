"""Who takes part, and who remembers what crosses."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.reflection.cast import Cast
from harness.scenarios.reflection.ground import Setting, Way
from harness.scenarios.reflection.parties import OurCore, OurEdge, OurPhone, TheirCore, TheirPhone, TheirServer
from harness.scenarios.stage import Network, Stage
from tests.harness.peers.turning import Turned

FAR = ("127.0.48.7", 7003)


@pytest.mark.parametrize("others", [(), ("phone",), ("expressway-e",), ("expressway-c",), ("cucm",)])
def test_who_is_whose(turned: Turned, tmp_path: Path, others: tuple[str, ...]) -> None:
    """Somebody else writes no log, and the other end tells what crosses."""
    with Network() as network:
        stage = Stage(turned.reactor, network, tmp_path, dict.fromkeys(others, FAR))
        cast = Cast(stage, Setting(Way.TRANSLATED, "TCP"))
        cast.open()
    ours = {
        "phone": isinstance(cast.phone, OurPhone),
        "expressway-e": isinstance(cast.edge, OurEdge),
        "expressway-c": isinstance(cast.core, OurCore),
        "cucm": not isinstance(cast.cucm, TheirServer),
    }
    assert {name for name, own in ours.items() if not own} == set(others)
    theirs = isinstance(cast.phone, TheirPhone), isinstance(cast.core, TheirCore)
    assert theirs == ("phone" in others, "expressway-c" in others)
    assert {name.lower() for name in cast.logs} == {"expressway-e", "expressway-c"} - set(others)
    assert (cast.zone.at_core, cast.access.at_phone) == ("expressway-c" not in others, "phone" not in others)
    turned.result(Deferred.fromCoroutine(cast.close()))


@pytest.mark.parametrize("way", Way)
def test_firewall(turned: Turned, tmp_path: Path, way: Way) -> None:
    """Is there where it translates."""
    with Network() as network:
        cast = Cast(Stage(turned.reactor, network, tmp_path), Setting(way, "TCP"))
    assert (cast.firewall is not None) is (way is Way.TRANSLATED)
    turned.result(Deferred.fromCoroutine(cast.close()))
