"""Where URIs are (RFC 3263)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet import defer
from twisted.python.failure import Failure

from harness.sip.flow import Target
from harness.sip.resolve import NotFound, Resolver, Service, is_literal, locate_literal
from harness.sip.uri import SipUri


class Answers:
    """Questions that are answered at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def services(self, name: str) -> defer.Deferred[list[Service]]:
        """As Questions has it."""
        self.asked.append(name)
        known = {
            "_sips._tcp.example.com": [Service("b.example.com", 5062, 20), Service("a.example.com", 5062, 10, 5)],
            "_sip._tcp.example.com": [Service("a.example.com", 5060, 10, 1), Service("192.0.2.9", 5070, 10, 9)],
            "_sip._udp.udp.example.com": [Service("a.example.com", 5065)],
        }
        return defer.succeed(known.get(name, []))

    def addresses(self, host: str) -> defer.Deferred[list[str]]:
        """As Questions has it."""
        self.asked.append(host)
        known = {
            "a.example.com": ["192.0.2.1", "192.0.2.2"],
            "b.example.com": ["192.0.2.3"],
            "host.example.com": ["192.0.2.4"],
        }
        return defer.succeed(known.get(host, []))


def located(uri: str, locate: Any = None) -> list[str]:
    """As `TRANSPORT HOST:PORT`."""
    results: list[Any] = []
    (locate or Resolver(Answers()))(SipUri.parse(uri)).addBoth(results.append)
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return [f"{target.transport} {target.host}:{target.port}" for target in results[0]]


@pytest.mark.parametrize(
    ("uri", "targets"),
    [
        ("sip:192.0.2.7", ["UDP 192.0.2.7:5060"]),
        ("sips:192.0.2.7", ["TLS 192.0.2.7:5061"]),
        ("sip:192.0.2.7:7003;transport=tls", ["TLS 192.0.2.7:7003"]),
        ("sip:x@host.example.com:7000", ["UDP 192.0.2.4:7000"]),
        ("sip:x@Host.example.com;transport=tcp", ["TCP 192.0.2.4:5060"]),
        ("sips:example.com", ["TLS 192.0.2.1:5062", "TLS 192.0.2.2:5062", "TLS 192.0.2.3:5062"]),
        ("sip:example.com", ["TCP 192.0.2.9:5070", "TCP 192.0.2.1:5060", "TCP 192.0.2.2:5060"]),
        ("sip:udp.example.com", ["UDP 192.0.2.1:5065", "UDP 192.0.2.2:5065"]),
        ("sip:a.example.com;maddr=192.0.2.5", ["UDP 192.0.2.5:5060"]),
    ],
)
def test_targets(uri: str, targets: list[str]) -> None:
    """By priority, then by weight; with a port there is no SRV to ask for."""
    assert located(uri) == targets


def test_what_is_asked() -> None:
    """Nothing for an address; no SRV where there is a port."""
    answers = Answers()
    located("sip:192.0.2.7", Resolver(answers))
    located("sip:host.example.com:5060", Resolver(answers))
    assert answers.asked == ["host.example.com"]
    located("sip:udp.example.com", Resolver(answers))
    assert answers.asked[1:3] == ["_sip._tcp.udp.example.com", "_sip._udp.udp.example.com"]


def test_name_is_kept() -> None:
    """TLS has to know what to verify: the name in the URI, not the one in the SRV record."""
    results: list[Any] = []
    Resolver(Answers())(SipUri.parse("sips:example.com")).addCallback(results.extend)
    assert results[0] == Target("TLS", "192.0.2.1", 5062, "example.com")


@pytest.mark.parametrize("uri", ["sip:nowhere.example.com", "sips:nowhere.example.com:5061"])
def test_not_found(uri: str) -> None:
    """Says the name."""
    with pytest.raises(NotFound, match=r"nowhere\.example\.com: no address"):
        located(uri)


def test_addresses_alone() -> None:
    """Without DNS."""
    assert located("sip:192.0.2.7;transport=tcp", locate_literal()) == ["TCP 192.0.2.7:5060"]
    assert located("sip:192.0.2.7", locate_literal("TCP")) == ["TCP 192.0.2.7:5060"]
    with pytest.raises(NotFound):
        located("sip:example.com", locate_literal())


def test_what_an_address_is() -> None:
    """Four numbers."""
    assert [is_literal(text) for text in ("192.0.2.1", "192.0.2.256", "1.2.3", "a.b.c.d", "::1")] == [True] + [
        False
    ] * 4
