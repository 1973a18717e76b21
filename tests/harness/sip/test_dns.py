"""The name server, asked by our own resolver and by a datagram written by hand."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from harness.sip.dns import NameServer, Zone
from harness.sip.resolve import Dns, NotFound, Resolver, Service
from harness.sip.uri import Address, SipUri
from tests.harness.peers.turning import Turned

HOST = "127.0.0.1"


class Serving:
    """A name server with a zone."""

    def __init__(self, turned: Turned) -> None:
        self.turned = turned
        self.zone = Zone()
        self.server = NameServer(turned.reactor, self.zone)
        self.address = self.server.listen((HOST, 0))

    def located(self, uri: str) -> Any:
        """What our resolver makes of it."""
        resolver = Resolver(Dns(self.turned.reactor, self.address))
        return self.turned.result(resolver(SipUri.parse(uri)))

    def close(self) -> None:
        """It is gone."""
        self.turned.result(Deferred.fromCoroutine(self.server.close()))


@pytest.fixture
def serving(turned: Turned) -> Any:
    """With an empty zone."""
    serving = Serving(turned)
    yield serving
    serving.close()


def test_service_and_host(serving: Serving) -> None:
    """SRV, then the addresses of what it names; every question is noted."""
    serving.zone.service("_sips._tcp.Example.com", Service("edge.example.com", 5062, 5, 10))
    serving.zone.host("edge.example.com", "192.0.2.1", "192.0.2.2")
    assert [target.address for target in serving.located("sips:example.com")] == [
        ("192.0.2.1", 5062),
        ("192.0.2.2", 5062),
    ]
    assert serving.zone.asked == [("_sips._tcp.example.com", "SRV"), ("edge.example.com", "A")]


def test_name_that_is_not_there(serving: Serving) -> None:
    """Is not found, and a name without records of the kind that is asked for neither."""
    with pytest.raises(NotFound):
        serving.located("sips:example.com")
    serving.zone.service("_sip._tcp.example.com", Service("edge.example.com", 5060))
    with pytest.raises(NotFound):
        serving.located("sip:example.com")


def test_zone_changes(serving: Serving) -> None:
    """As an administrator corrects it."""
    serving.zone.host("a.example.com", "192.0.2.1")
    assert serving.located("sip:a.example.com:5060")[0].host == "192.0.2.1"
    serving.zone.host("a.example.com", "192.0.2.2")
    assert serving.located("sip:a.example.com:5060")[0].host == "192.0.2.2"


def test_no_server(turned: Turned) -> None:
    """Is as if there were no name."""
    closed = Serving(turned)
    closed.close()
    resolver = Resolver(Dns(turned.reactor, closed.address, timeout=0.2))
    with pytest.raises(NotFound):
        turned.result(resolver(SipUri.parse("sip:example.com:5060")))


def ask(address: Address, name: str, kind: int) -> bytes:
    """A question by hand (RFC 1035 4.1), and what came back."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        asking.sendto(struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", kind, 1), address)
        return asking.recv(512)


def test_on_the_wire(serving: Serving) -> None:
    """An authoritative answer with one SRV record, byte for byte; a name error for what is not there."""
    serving.zone.service("_sip._udp.example.com", Service("a.example.com", 5065, 7, 8, 60))
    answer = serving.turned.meanwhile(lambda: ask(serving.address, "_sip._udp.example.com", 33))
    number, flags, questions, answers = struct.unpack("!4H", answer[:8])
    assert (number, flags & 0x8400, flags & 15, questions, answers) == (0x1234, 0x8400, 0, 1, 1)
    assert struct.pack("!3H", 7, 8, 5065) + b"\x01a\x07example\x03com\0" in answer
    missing = serving.turned.meanwhile(lambda: ask(serving.address, "_sip._udp.example.org", 33))
    assert struct.unpack("!4H", missing[:8])[1] & 15 == 3
