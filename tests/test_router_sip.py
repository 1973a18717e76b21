"""The NAT router of inline mode as an ALG: SIP over TCP rewritten, held and sent again, media let in.

Strategy: the two ends of a connection are played by hand, each in the addresses that it knows; what the router makes of
their packets is read and judged without the code under test.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from netaddr import IPAddress, IPNetwork

from alg.config import AlgConfig, NatConfig
from alg.connection import Alg
from alg.router import NatRouter
from alg.trace import AnyRecord, Sink, StreamRecord
from tests.edge.messages import options, request
from tests.helpers.ipv4 import UNREACHABLE, icmp, judged, tcp, udp
from tests.tcp.endpoint import ACK, FIN, RST, SYN, Seen, read

INSIDE, POOL, REMOTE = "10.0.30.2", "203.0.113.10", "192.0.2.1"
OUR_ISN, THEIR_ISN = 2**32 - 100, 5000


class Talk:
    """A connection from the inside through a router."""

    def __init__(self, port: int = 5060, nat: NatRouter | None = None, isn: int = OUR_ISN, **settings: Any) -> None:
        self.records: list[AnyRecord] = []
        network = IPNetwork("10.0.30.0/24")
        config = AlgConfig(nat=NatConfig((), (IPAddress(POOL),), (network,)), **settings)
        self.nat = nat or NatRouter(Alg(config), (network,), self._sink)
        self.port = port
        self.isn = isn
        self.now = 0.0

    def _sink(self, _: int) -> Sink:
        return self.records.append

    def outward(self, payload: bytes = b"", at: int = 0, ack: int = 0, flags: int = ACK) -> list[bytes]:
        """The inside sends; offsets count from behind the SYN."""
        data = tcp((INSIDE, 40000), (REMOTE, self.port), self.isn + 1 + at, THEIR_ISN + 1 + ack, flags, payload)
        return self.nat.handle(data, self.now)

    def inward(self, payload: bytes = b"", at: int = 0, ack: int = 0, flags: int = ACK) -> list[bytes]:
        """The outside sends."""
        data = tcp((REMOTE, self.port), (POOL, 40000), THEIR_ISN + 1 + at, self.isn + 1 + ack, flags, payload)
        return self.nat.handle(data, self.now)

    def open(self) -> None:
        """The handshake, which passes."""
        for packets in (
            self.outward(at=-1, flags=SYN),
            self.inward(at=-1, flags=SYN | ACK),
            self.outward(),
        ):
            assert len(packets) == 1

    def close(self, ours: int = 0, theirs: int = 0, grown: int = 0) -> None:
        """Both sides close; offsets of their FINs."""
        self.outward(at=ours, ack=theirs, flags=FIN | ACK)
        self.inward(at=theirs, ack=ours + grown + 1, flags=FIN | ACK)
        self.outward(at=ours + 1, ack=theirs + 1)


def segment(packets: list[bytes]) -> Seen:
    """The only packet, read; its checksums are right."""
    assert len(packets) == 1
    return read(packets[0])


def test_a_message() -> None:
    """It leaves rewritten, from the pool's address, and its acknowledgment comes back in the inside's numbers."""
    talk = Talk()
    talk.open()
    [out] = talk.outward(request(INSIDE))
    assert judged(out).source == (POOL, 40000)
    assert read(out).payload == request(POOL)
    answer = segment(talk.inward(ack=len(request(POOL))))
    assert answer.ack == (OUR_ISN + 1 + len(request(INSIDE))) % 2**32
    assert answer.ports == (5060, 40000)
    following = segment(talk.outward(options(INSIDE), at=len(request(INSIDE))))
    assert following.seq == (OUR_ISN + 1 + len(request(POOL))) % 2**32


def test_half_a_message() -> None:
    """It is held, and acknowledged to its sender by us; the other half brings all of it, on our timer if needed."""
    talk = Talk()
    talk.open()
    message, due = request(INSIDE), request(POOL)
    assert talk.nat.timer() is None
    [spoofed] = talk.outward(message[:400])
    seen = judged(spoofed)
    assert (seen.source, seen.destination) == ((REMOTE, 5060), (INSIDE, 40000))
    assert read(spoofed).ack == (OUR_ISN + 401) % 2**32
    assert segment(talk.outward(message[400:], at=400)).payload == due
    deadline = talk.nat.timer()
    assert deadline is not None
    assert talk.nat.handle_timer(deadline - 0.01) == []
    talk.now = deadline
    [again] = talk.nat.handle_timer(deadline)
    assert read(again).payload == due
    assert judged(again).source == (POOL, 40000)
    assert [record.record.rule for record in talk.records if isinstance(record, StreamRecord)] == [
        "hold",
        "spoofed-ack",
        "retransmission",
    ]
    talk.inward(ack=len(due))
    assert talk.nat.timer() is None or talk.nat.handle_timer(talk.nat.timer() or 0.0) == []
    assert talk.nat.timer() is None


@pytest.mark.parametrize(
    ("port", "settings"), [(80, {}), (5060, {"l4f": False}), (5060, {"sip_ports": frozenset({8000})})]
)
def test_translated_only(port: int, settings: dict[str, Any]) -> None:
    """Other ports, and all ports without L4F: payload and numbers stay, and nothing is remembered."""
    talk = Talk(port, **settings)
    talk.open()
    out = talk.outward(request(INSIDE)[:400])
    assert (segment(out).payload, segment(out).seq) == (request(INSIDE)[:400], OUR_ISN + 1)
    assert judged(out[0]).source == (POOL, 40000)
    assert len(talk.nat) == 0


def test_media() -> None:
    """The SDP of an INVITE binds its RTP port and the next: what the outside sends there reaches the inside."""
    talk = Talk()
    talk.open()
    talk.outward(request(INSIDE))
    for port in (49170, 49171):
        [media] = talk.nat.handle(udp((REMOTE, 6000), (POOL, port)), 0.0)
        assert judged(media).destination == (INSIDE, port)
    assert talk.nat.handle(udp((REMOTE, 6000), (POOL, 49172)), 0.0) == []


def test_media_ports_that_are_taken() -> None:
    """Another pair stands in the SDP, and leads to the inside."""
    talk = Talk()
    talk.nat.handle(udp(("10.0.30.3", 49171), (REMOTE, 9)), 0.0)
    talk.open()
    body = segment(talk.outward(request(INSIDE))).payload.partition(b"\r\n\r\n")[2]
    port = int(body.partition(b"m=audio ")[2].split()[0])
    assert port % 2 == 0
    assert port != 49170
    for offset in (0, 1):
        [media] = talk.nat.handle(udp((REMOTE, 6000), (POOL, port + offset)), 0.0)
        assert judged(media).destination == (INSIDE, 49170 + offset)


def test_a_port_used_again() -> None:
    """A new connection between the ends of one that is over has fresh numbers."""
    talk = Talk()
    talk.open()
    talk.outward(request(INSIDE))
    grown = len(request(POOL)) - len(request(INSIDE))
    talk.close(ours=len(request(INSIDE)), grown=grown)
    again = Talk(nat=talk.nat, isn=7)
    again.open()
    out = segment(again.outward(request(INSIDE)))
    assert (out.seq, out.payload) == (8, request(POOL))
    assert len(talk.nat) == 1


def test_a_port_used_again_after_a_crash() -> None:
    """So has one between the ends of a connection that both have forgotten without a word."""
    talk = Talk()
    talk.open()
    talk.outward(request(INSIDE))
    again = Talk(nat=talk.nat, isn=777_777)
    again.open()
    out = segment(again.outward(request(INSIDE)))
    assert (out.seq, out.payload) == (777_778, request(POOL))


def test_a_forged_syn() -> None:
    """A SYN that nobody answers does no harm to the connection."""
    talk = Talk()
    talk.open()
    talk.outward(request(INSIDE))
    Talk(nat=talk.nat, isn=777_777).outward(at=-1, flags=SYN)
    answer = segment(talk.inward(ack=len(request(POOL))))
    assert answer.ack == (OUR_ISN + 1 + len(request(INSIDE))) % 2**32


def test_forgotten_in_time() -> None:
    """An open connection is remembered for two hours and four minutes, one that is over for four minutes."""
    talk = Talk()
    talk.open()
    talk.nat.expire(7439.0)
    assert len(talk.nat) == 1
    talk.nat.expire(7440.0)
    assert len(talk.nat) == 0
    talk.open()
    talk.outward(flags=RST | ACK)
    talk.nat.expire(239.0)
    assert len(talk.nat) == 1
    talk.nat.expire(240.0)
    assert len(talk.nat) == 0


def test_a_narrow_path() -> None:
    """ICMP says that 1000 bytes is all (RFC 1191): the sender is told about its own segment, ours get smaller."""
    talk = Talk()
    talk.open()
    [sent] = talk.outward(options(INSIDE))
    first = len(options(INSIDE))
    error = icmp("192.0.2.254", POOL, UNREACHABLE, 4, struct.pack("!HH", 0, 1000) + sent[:28])
    [told] = talk.nat.handle(error, 0.0)
    quoted = judged(told).quoted
    assert quoted is not None
    assert (quoted.source, quoted.destination) == ((INSIDE, 40000), (REMOTE, 5060))
    assert struct.unpack_from("!I", told, 28 + 20 + 4) == ((OUR_ISN + 1) % 2**32,)
    message = request(INSIDE, size=930 - len(request(INSIDE, size=1)))
    packets = talk.outward(message, at=first)
    assert len(packets) == 2
    assert max(map(len, packets)) <= 1000


def test_a_narrow_path_for_what_is_ours() -> None:
    """What we have acknowledged to its sender leaves again at once, in segments that fit, and is not asked of it."""
    talk = Talk()
    talk.open()
    message, due = request(INSIDE), request(POOL)
    talk.outward(message[:400])
    [sent] = talk.outward(message[400:], at=400)
    error = icmp("192.0.2.254", POOL, UNREACHABLE, 4, struct.pack("!HH", 0, 600) + sent[:28])
    told, *again = talk.nat.handle(error, 0.0)
    assert judged(told).destination == (INSIDE, 0)
    assert len(again) == 2
    assert max(map(len, again)) <= 600
    assert b"".join(read(packet).payload for packet in again) == due
    assert {judged(packet).source for packet in again} == {(POOL, 40000)}
    assert len(talk.nat.handle(error, 0.0)) == 1
    assert talk.nat.timer() == 1.0


@pytest.mark.parametrize("size", [0, 68, 575])
def test_no_path_is_that_narrow(size: int) -> None:
    """A forged error cannot make us cut messages into crumbs."""
    talk = Talk()
    talk.open()
    [sent] = talk.outward(options(INSIDE))
    talk.nat.handle(icmp("192.0.2.254", POOL, UNREACHABLE, 4, struct.pack("!HH", 0, size) + sent[:28]), 0.0)
    assert len(talk.outward(request(INSIDE), at=len(options(INSIDE)))) == 1


def test_an_error_quotes_the_senders_number() -> None:
    """What has grown has moved the numbers; the inside kernel only believes its own (RFC 5927 4.1)."""
    talk = Talk()
    talk.open()
    talk.outward(request(INSIDE))
    [sent] = talk.outward(options(INSIDE), at=len(request(INSIDE)))
    [told] = talk.nat.handle(icmp("192.0.2.254", POOL, UNREACHABLE, 1, b"\0\0\0\0" + sent[:28]), 0.0)
    judged(told)
    assert struct.unpack_from("!I", told, 28 + 20 + 4) == ((OUR_ISN + 1 + len(request(INSIDE))) % 2**32,)


def test_the_end_gives_away_what_is_held() -> None:
    """Translated but not rewritten; what was acknowledged in the receiver's place is accounted for."""
    talk = Talk()
    talk.open()
    message = request(INSIDE)
    talk.outward(message[:400])
    [out] = talk.nat.release(talk.now)
    assert judged(out).source == (POOL, 40000)
    assert (read(out).seq, read(out).payload) == ((OUR_ISN + 1) % 2**32, message[:400])
    assert talk.nat.owed() == (400, 1)
    talk.inward(ack=400)
    assert talk.nat.owed() == (0, 0)
    assert talk.nat.release(talk.now) == []
