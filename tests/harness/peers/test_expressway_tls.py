"""TLS of an Expressway by itself: two layers joined in memory, one of them Expressway-E's."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO

import pytest

from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.peers.expressway_tls import ExpresswayLayer, PeerTrust
from harness.peers.tls_context import PeerContexts
from harness.peers.tls_rows import DNS_ZONE, GOOD, Situation
from harness.peers.tls_stage import inside_settings, outside_settings
from harness.peers.tls_trust import Trust
from harness.sip.flow import Loss
from harness.sip.security import Ending, Step
from tests.harness.peers.ends import now
from tests.harness.peers.pair import INSIDE, OUTSIDE


@dataclass
class Side:
    """One layer, what it has said and what became of it."""

    layer: ExpresswayLayer
    sink: StringIO
    zones: list[str]
    clear: bytes = b""
    ending: Ending = Ending.STAY
    failures: list[str] = field(default_factory=list)

    def take(self, step: Step) -> bytes:
        """What it wants sent."""
        self.clear += step.clear
        self.failures += [step.failure] if step.failure else []
        if step.ending is not Ending.STAY:
            self.ending = step.ending
        return step.send


def side(pki: Pki, inside: bool, serves: bool, situation: Situation = GOOD, trust: Trust | None = None) -> Side:
    """Expressway-E's, or Webex's with the same layer."""
    settings = (inside_settings if inside else outside_settings)(situation, pki, TlsVersion.TLS_1_2)
    context = PeerContexts(settings.identity, settings.trust, TlsVersion.TLS_1_2, now).new()
    sink, zones = StringIO(), list[str]()
    log = DiagnosticLog(sink, "expe" if inside else "l2sip", now, X8_10)
    wanted = trust or settings.trust
    layer = ExpresswayLayer(
        context, wanted, serves, settings.called, log, lambda local, remote, zone: zones.append(zone)
    )
    return Side(layer, sink, zones)


def join(client: Side, server: Side, piece: int = 1 << 20) -> None:
    """Carry bytes to and fro, in pieces, until nobody has anything to say or somebody resets."""
    ends = {id(client): (OUTSIDE, INSIDE), id(server): (INSIDE, OUTSIDE)}
    going = {id(one): one.take(one.layer.opened(*ends[id(one)])) for one in (server, client)}
    while any(going.values()):
        for one, other in ((client, server), (server, client)):
            data, going[id(one)] = going[id(one)], b""
            for start in range(0, len(data), piece):
                going[id(other)] += other.take(other.layer.feed(data[start : start + piece]))
            if Ending.RESET in (client.ending, server.ending):
                return


@pytest.mark.parametrize("piece", [1, 1000, 1 << 20])
def test_webex_comes_in(pki: Pki, piece: int) -> None:
    """Into its DNS zone, by the name in its certificate; SIP goes both ways. Whatever the pieces are."""
    webex, expe = side(pki, False, serves=False), side(pki, True, serves=True)
    join(webex, expe, piece)
    assert (webex.layer.up, expe.layer.up) == (True, True)
    assert expe.zones == [DNS_ZONE]
    expe.take(expe.layer.feed(webex.take(webex.layer.write(b"OPTIONS"))))
    webex.take(webex.layer.feed(expe.take(expe.layer.write(b"200"))))
    assert (expe.clear, webex.clear) == (b"OPTIONS", b"200")
    said = expe.sink.getvalue()
    wanted = ["Handshake in progress", "Handshake succeeded", "Found common name", f"into DNS zone {DNS_ZONE}"]
    places = [said.index(text) for text in wanted]
    assert places == sorted(places)


def test_a_name_that_is_not_the_zones(pki: Pki) -> None:
    """A reset in place of the flight, and the product's words for it; the end of TCP is told by somebody else."""
    webex = side(pki, False, serves=False)
    expe = side(pki, True, True, Situation(verify_name="calllservice.ciscospark.com"))
    join(webex, expe)
    assert (expe.ending, expe.zones) == (Ending.RESET, [])
    assert expe.failures == ["Peer's TLS certificate identity was unacceptable"]
    assert 'Event="Inbound TLS Negotiation Error"' in expe.sink.getvalue()
    assert "TCP Connection Closed" not in expe.sink.getvalue()
    assert not expe.layer.up


def test_a_ca_that_is_not_trusted(pki: Pki) -> None:
    """An alert goes out; what came in afterwards is not looked at."""
    webex = side(pki, False, serves=False)
    expe = side(pki, True, True, Situation(trusted_inside=("expressway-e-issuing", "expressway-e-root")))
    join(webex, expe)
    assert expe.ending is Ending.CLOSE
    assert "self signed certificate in certificate chain" in expe.sink.getvalue()
    assert 'Detail="Handshake Failed"' in expe.sink.getvalue()
    assert expe.layer.feed(b"more") == Step()


def test_we_connect(pki: Pki) -> None:
    """The same the other way round, and what it says when Webex does not like our certificate."""
    webex, expe = side(pki, False, serves=True), side(pki, True, serves=False)
    join(expe, webex)
    assert (webex.layer.up, expe.layer.up, expe.zones) == (True, True, [DNS_ZONE])
    refused = side(pki, True, False, Situation(shown_inside="expressway-e-self-signed"))
    join(refused, side(pki, False, True, Situation(shown_inside="expressway-e-self-signed")))
    assert 'Event="Outbound TLS Negotiation Error"' in refused.sink.getvalue()
    assert "sslv3 alert certificate unknown" in refused.sink.getvalue()


@pytest.mark.parametrize("serves", [False, True])
def test_an_end_in_the_middle(pki: Pki, serves: bool) -> None:
    """Of the handshake is TLS's business, and told once."""
    expe = side(pki, True, serves)
    expe.take(expe.layer.opened(INSIDE, OUTSIDE))
    expe.layer.lost(Loss.EOF)
    expe.layer.lost(Loss.EOF)
    assert expe.sink.getvalue().count("No SSL error available, probably remote disconnect") == 1
    assert not expe.layer.up


def test_an_end_behind_the_handshake(pki: Pki) -> None:
    """Is none of TLS's."""
    webex, expe = side(pki, False, serves=False), side(pki, True, serves=True)
    join(webex, expe)
    expe.layer.lost(Loss.RESET)
    assert "Negotiation Error" not in expe.sink.getvalue()
    farewell = webex.layer.hang_up()
    assert (farewell.ending, bool(farewell.send)) == (Ending.CLOSE, True)


@pytest.mark.parametrize(("subject", "admitted"), [("callservice.ciscospark.com", True), ("expc.example.local", False)])
def test_a_zone_with_peers(pki: Pki, subject: str, admitted: bool) -> None:
    """By the name that the zone wants, or by none if it does not verify."""
    anchors = tuple(pki[name].certificate for name in GOOD.trusted_inside)
    for verify in (True, False):
        trust = PeerTrust(anchors, "Traversal", verify, subject)
        expe = side(pki, True, True, trust=trust)
        join(side(pki, False, serves=False), expe)
        assert expe.zones == (["Traversal"] if admitted or not verify else [])


def test_nobody_asks_for_a_certificate(pki: Pki) -> None:
    """At the port for everybody: whoever speaks TLS comes in, and no zone is named."""
    shown = pki["expressway-e"]
    anchors = PeerTrust((), "", False, "")
    context = PeerContexts(Identity(shown.chain, shown.key), anchors, TlsVersion.TLS_1_2, now).new()
    sink, zones = StringIO(), list[str]()
    log = DiagnosticLog(sink, "expe", now, X8_10)
    layer = ExpresswayLayer(context, None, True, "", log, lambda local, remote, zone: zones.append(zone))
    expe = Side(layer, sink, zones)
    join(side(pki, False, serves=False), expe)
    assert (layer.up, zones) == (True, [])
