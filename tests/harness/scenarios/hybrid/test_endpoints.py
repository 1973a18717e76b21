"""The ends of a hybrid call: what they say of themselves, and whom Webex lets in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import pytest

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki, load_recipes, make
from harness.peers.cucm_settings import CucmSettings
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import ControlHub, WebexTrust
from harness.peers.webex import Webex, WebexSettings
from harness.scenarios.hybrid.connectivity import Report
from harness.scenarios.hybrid.endpoints import play_cucm, play_webex, webex_tls
from harness.sip.flow import Target
from harness.sip.security import Layer, Tls
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from tests.harness.peers.turning import Turned


@pytest.fixture(scope="module")
def pki() -> Pki:
    """Webex's, Expressway-E's, and one that nobody knows."""
    return make(load_recipes(), datetime.now(UTC), ("webex", "expressway-e", "expressway-c"))


def handshake(pki: Pki, shown: str, webex: Layer) -> None:
    """With somebody who connects to Webex, and shows a certificate."""
    trust = WebexTrust((pki["webex-root"].certificate,), ControlHub())
    identity = Identity(pki[shown].chain, pki[shown].key)
    context = PeerContexts(identity, trust, TlsVersion.TLS_1_2, lambda: datetime.now(UTC)).new()
    client = Tls(context, False, "callservice.ciscospark.com")
    ends = ("192.0.2.1", 1), ("192.0.2.2", 5062)
    webex.opened(*ends)
    data = client.opened(*ends).send
    for layer in (webex, client) * 3:
        data = layer.feed(data).send


@pytest.mark.parametrize(("shown", "up"), [("expressway-e", True), ("expressway-c", False)])
def test_webex_asks_for_a_certificate(pki: Pki, shown: str, up: bool) -> None:
    """And lets in who has one that a public CA has signed."""
    webex = webex_tls(pki)(True, "")
    handshake(pki, shown, webex)
    assert webex.up is up


def test_keys_for_a_capture(pki: Pki) -> None:
    """Whoever wants them gets the secrets of a connection."""
    lines: list[bytes] = []
    handshake(pki, "expressway-e", webex_tls(pki, lines.append)(True, ""))
    assert [line.split()[0] for line in lines] == [b"CLIENT_RANDOM"]


def test_who_they_are(turned: Turned) -> None:
    """By their addresses."""

    async def until(condition: Callable[[], bool], seconds: float) -> bool:
        return condition()

    async def find(webex: Webex) -> Report:
        return Report({}, ())

    transport = TransportSettings(source="127.0.0.1")
    settings = WebexSettings("example.net", "alice")
    webex = play_webex(turned.reactor, settings, Timers(), transport, find, until)
    trunk = Target("TCP", "127.0.0.1", 5060)
    cucm = play_cucm(
        turned.reactor, CucmSettings(domain="example.com"), "127.0.0.1", Timers(), StringIO(), trunk, until
    )
    assert webex.peer.agent.settings.address == "sip:alice@example.net"
    assert cucm.peer.agent.settings.address == "sip:5010@example.com"
