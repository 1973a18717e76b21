"""Media doors seen from the calls that need them: messages go through an ALG, doors open and close.

Strategy: `Doors` makes no sockets, it keeps a log. Its doors listen on the address asked for, from port 20000 on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alg.config import AlgConfig, MediaMode
from alg.connection import Alg
from alg.direction import Direction
from alg.nat.media import Door, MediaDoors
from alg.nat.table import Endpoint
from tests.helpers.feed import IN, OUT, config_for
from tests.helpers.vector import STATIC

PEER = b"192.0.2.7"


@dataclass
class Doors:
    """An opener that counts ports upwards and writes down what it is asked."""

    log: list[str] = field(default_factory=list)
    next_port: int = 20000
    refuses: bool = False

    def open(self, wanted: Endpoint) -> Endpoint | None:
        """The next even port of the wanted address."""
        if self.refuses:
            return None
        self.next_port += 2
        return Endpoint(wanted.address, self.next_port - 2)

    def opened(self, door: Door) -> None:
        """Media may flow."""
        self.log.append(f"opened {door.outer} for {door.rtp} and {door.rtcp}")

    def joined(self, door: Door, partner: Door) -> None:
        """Two doors of one media line."""
        self.log.append(f"joined {door.outer} and {partner.outer}")

    def closed(self, door: Door, reason: str) -> None:
        """No media any more."""
        self.log.append(f"closed {door.outer}: {reason}")


class Call:
    """A connection with doors, and the messages of one call."""

    def __init__(self, config: AlgConfig | None = None, idle_timeout: float = 300.0) -> None:
        self.opener = Doors()
        self.doors = MediaDoors(self.opener, idle_timeout)
        self.alg = Alg(config or config_for(STATIC, media=MediaMode.RELAY), self.doors)
        self.connection = self.alg.connection()

    def send(
        self, direction: Direction, start: bytes, body: bytes = b"", call: bytes = b"c1", now: float = 0.0
    ) -> bytes:
        """One message of the call; `start` is its start line and CSeq method. What leaves, as a body."""
        line, _, method = start.rpartition(b" / ")
        content = b"c: application/sdp\r\n" if body else b""
        message = b"%s\r\ni: %s\r\nCSeq: 1 %s\r\n%sl: %d\r\n\r\n%s" % (line, call, method, content, len(body), body)
        return self.connection.feed(direction, message, now).partition(b"\r\n\r\n")[2]

    def invite(self, call: bytes = b"c1", now: float = 0.0) -> bytes:
        """An offer from inside."""
        return self.send(OUT, b"INVITE sip:b SIP/2.0 / INVITE", sdp(b"10.0.30.2", 4000), call, now)


def sdp(address: bytes, port: int, extra: bytes = b"") -> bytes:
    """A session description with one media line."""
    return b"c=IN IP4 %s\r\nm=audio %d RTP/AVP 0\r\n%s" % (address, port, extra)


def test_offer_opens_a_door() -> None:
    """The far end is told the door's address and port instead of the phone's."""
    call = Call()
    assert call.invite() == sdp(b"64.100.0.10", 20000)
    assert call.opener.log == ["opened 64.100.0.10:20000 for 10.0.30.2:4000 and 10.0.30.2:4001"]
    assert len(call.doors) == 1


def test_offer_sent_again_keeps_its_door() -> None:
    """A retransmission or a re-INVITE of the same media opens nothing new."""
    call = Call()
    assert call.invite() == call.invite() == sdp(b"64.100.0.10", 20000)
    assert len(call.doors) == 1


def test_rtcp_follows_the_door() -> None:
    """A written RTCP port becomes the door's next port."""
    call = Call()
    out = call.send(OUT, b"INVITE sip:b SIP/2.0 / INVITE", sdp(b"10.0.30.2", 4000, b"a=rtcp:4009 IN IP4 10.0.30.2\r\n"))
    assert out == sdp(b"64.100.0.10", 20000, b"a=rtcp:20001 IN IP4 64.100.0.10\r\n")
    assert call.opener.log == ["opened 64.100.0.10:20000 for 10.0.30.2:4000 and 10.0.30.2:4009"]


def test_candidates_follow_the_door() -> None:
    """An ICE candidate for the media line's own port names the door too."""
    call = Call()
    line = b"a=candidate:1 1 UDP 1 %s %d typ host\r\n"
    out = call.send(OUT, b"INVITE sip:b SIP/2.0 / INVITE", sdp(b"10.0.30.2", 4000, line % (b"10.0.30.2", 4000)))
    assert out == sdp(b"64.100.0.10", 20000, line % (b"64.100.0.10", 20000))


def test_bye_closes_the_door() -> None:
    """When the call has ended, the door is shut, and not before its BYE is answered."""
    call = Call()
    call.invite()
    call.send(IN, b"SIP/2.0 200 OK / INVITE", sdp(PEER, 5000))
    call.send(OUT, b"BYE sip:b SIP/2.0 / BYE")
    assert len(call.doors) == 1
    call.send(IN, b"SIP/2.0 200 OK / BYE")
    assert call.opener.log[-1] == "closed 64.100.0.10:20000: BYE"
    assert len(call.doors) == 0


def test_refused_call_closes_the_door() -> None:
    """A call that was never answered leaves no door open."""
    call = Call()
    call.invite()
    call.send(IN, b"SIP/2.0 180 Ringing / INVITE")
    assert len(call.doors) == 1
    call.send(IN, b"SIP/2.0 486 Busy Here / INVITE")
    assert call.opener.log[-1] == "closed 64.100.0.10:20000: INVITE answered 486"


def test_refused_change_keeps_the_door_of_a_standing_call() -> None:
    """A re-INVITE that is refused ends nothing, nor does another transaction's failure."""
    call = Call()
    call.invite()
    call.send(IN, b"SIP/2.0 404 Not Found / MESSAGE")
    call.send(IN, b"SIP/2.0 200 OK / INVITE", sdp(PEER, 5000))
    call.invite()
    call.send(IN, b"SIP/2.0 488 Not Acceptable Here / INVITE")
    assert len(call.doors) == 1


def test_calls_share_a_door() -> None:
    """One phone port in two calls is one door, closed with the last of them."""
    call = Call()
    assert call.invite(b"c1") == call.invite(b"c2")
    call.doors.hang_up("c1", "BYE")
    assert len(call.doors) == 1
    call.doors.hang_up("c2", "BYE")
    assert call.opener.log[-1] == "closed 64.100.0.10:20000: BYE"


def test_idle_doors_close() -> None:
    """A call whose end nobody saw leaves no door open for ever."""
    call = Call(idle_timeout=60.0)
    call.invite(now=10.0)
    call.invite(now=30.0)
    call.doors.expire(89.0)
    assert len(call.doors) == 1
    call.doors.expire(90.0)
    assert call.opener.log[-1] == "closed 64.100.0.10:20000: inactivity"
    assert len(call.doors) == 0


def test_end_of_the_process_closes_all() -> None:
    """Nothing is left listening."""
    call = Call()
    call.invite()
    call.doors.close()
    assert call.opener.log[-1] == "closed 64.100.0.10:20000: shutdown"


def test_door_that_cannot_be_opened() -> None:
    """Without a free port the address is mapped all the same and the port stays."""
    call = Call()
    call.opener.refuses = True
    assert call.invite() == sdp(b"64.100.0.10", 4000)
    assert len(call.doors) == 0


def test_doors_only_for_offers_and_answers() -> None:
    """A session description in another request, refused media, and media over TCP open no door."""
    call = Call()
    assert call.send(OUT, b"OPTIONS sip:b SIP/2.0 / OPTIONS", sdp(b"10.0.30.2", 4000)) == sdp(b"64.100.0.10", 4000)
    assert call.send(OUT, b"INVITE sip:b SIP/2.0 / INVITE", sdp(b"10.0.30.2", 0)) == sdp(b"64.100.0.10", 0)
    over_tcp = b"c=IN IP4 %s\r\nm=application 9 TCP/MRCPv2 1\r\n"
    assert call.send(OUT, b"INVITE sip:b SIP/2.0 / INVITE", over_tcp % b"10.0.30.2") == over_tcp % b"64.100.0.10"
    assert call.opener.log == []


def test_media_that_is_not_mapped_has_no_door() -> None:
    """A far end that we do not stand for keeps its own address and port."""
    call = Call()
    assert call.send(IN, b"SIP/2.0 200 OK / INVITE", sdp(PEER, 5000)) == sdp(PEER, 5000)
    assert len(call.doors) == 0


def test_rewrite_mode_opens_no_door() -> None:
    """With `--media rewrite` addresses are mapped and nothing listens."""
    call = Call(config_for(STATIC, media=MediaMode.REWRITE))
    assert call.invite() == sdp(b"64.100.0.10", 4000)
    assert call.opener.log == []


def test_both_parties_are_joined() -> None:
    """Where both parties are mapped, the doors of one media line know each other."""
    pairs = (*STATIC, ("10.0.30.200", "192.0.2.7"))
    call = Call(config_for(pairs, media=MediaMode.RELAY))
    call.invite()
    assert call.send(IN, b"SIP/2.0 200 OK / INVITE", sdp(PEER, 5000)) == sdp(b"10.0.30.200", 20002)
    assert call.opener.log[-1] == "joined 10.0.30.200:20002 and 64.100.0.10:20000"
