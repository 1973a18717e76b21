"""The ends of a hybrid call: what they say of themselves, and whom Webex lets in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki, load_recipes, make
from harness.peers.cucm_settings import EarlyOffer
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_trust import ControlHub, WebexTrust
from harness.scenarios.traversal.endpoints import make_cucm, make_webex, webex_tls
from harness.sip.security import Tls
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings
from tests.harness.peers.turning import Turned


@pytest.fixture(scope="module")
def pki() -> Pki:
    """Webex's, Expressway-E's, and one that nobody knows."""
    return make(load_recipes(), datetime.now(UTC), ("webex", "expressway-e", "expressway-c"))


@pytest.mark.parametrize(("shown", "up"), [("expressway-e", True), ("expressway-c", False)])
def test_webex_asks_for_a_certificate(pki: Pki, shown: str, up: bool) -> None:
    """And lets in who has one that a public CA has signed."""
    webex = webex_tls(pki)(True, "")
    trust = WebexTrust((pki["webex-root"].certificate,), ControlHub())
    identity = Identity(pki[shown].chain, pki[shown].key)
    context = PeerContexts(identity, trust, TlsVersion.TLS_1_2, lambda: datetime.now(UTC)).new()
    client = Tls(context, False, "callservice.ciscospark.com")
    ends = ("192.0.2.1", 1), ("192.0.2.2", 5062)
    webex.opened(*ends)
    data = client.opened(*ends).send
    for layer in (webex, client) * 3:
        data = layer.feed(data).send
    assert webex.up is up


def test_who_they_are(turned: Turned) -> None:
    """By their addresses; CUCM offers early, so that it is known what it can do."""
    webex = make_webex(turned.reactor, "alice@example.net", Timers(), TransportSettings(source="127.0.0.1"))
    cucm = make_cucm(turned.reactor, "example.com", "127.0.0.1", Timers())
    assert webex.agent.settings.address == "sip:alice@example.net"
    assert cucm.agent.settings.address == "sip:5010@example.com"
    assert webex.messages in webex.peer.element.transport.taps
    assert cucm.peer.settings.early_offer is not EarlyOffer.DISABLED
