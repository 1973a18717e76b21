"""What ALGs do wrong with media, and with connections that are silent for a while."""

from __future__ import annotations

from typing import Final

from twisted.internet import task

from harness.demo.reading import media_targets
from harness.scenarios.alg_calls.declaring import AT_CALLEE, AT_CALLER, CALL, WORKS, through_alg
from harness.scenarios.alg_calls.middle import Device
from harness.scenarios.alg_calls.party import TIMERS, Party, Traits
from harness.scenarios.alg_calls.play import ANSWER, CALLEE, ENDING, LEAKS, Play, Setting, invite
from harness.scenarios.alg_calls.seen import INSIDE, LEAVES, NEVER_LEAVES, NO_ANSWER, OUTSIDE
from harness.scenarios.alg_calls.sound import HEARD, SILENCE

_RTCP_AT_CALLER, _RTCP_AT_CALLEE = "audio RTCP at the caller", "audio RTCP at the callee"
_VIDEO_AT_CALLER, _VIDEO_AT_CALLEE = "video RTP at the caller", "video RTP at the callee"
_DOOR: Final = "outside, the port that the offer promises"


async def _look_at_the_door(play: Play) -> None:
    """A call, and whether somebody listens where its offer has the callee send."""
    play.open()
    await play.call_through()
    promised = any(media_targets(each.to_bytes()) for each in play.seen.left("INVITE"))
    listens = "a media relay listens" if play.seen.relay.opened(INSIDE) else "nobody listens"
    play.facts[_DOOR] = listens if promised else "no offer"


_PING: Final = b"\r\n\r\n"
_PONG: Final = "answer to the keep-alive"
_PING_INSIDE: Final = "keep-alive inside"
_PING_OUTSIDE: Final = "keep-alive outside"
_OPTIONS: Final = "answer to OPTIONS"
_PATIENCE: Final = 2.0
"""Seconds for a pong; RFC 5626 4.4.1 has 10."""


async def _keep_alive(play: Play) -> None:
    """A connection that works, and a keep-alive on it (RFC 5626 3.5.1)."""
    wire = play.seen.wire

    def answered() -> bool:
        return wire.pongs(INSIDE, from_peer=False) > 0

    async def ping(party: Party) -> None:
        await party.ask(party.compose("OPTIONS", play.ground.called))
        for connection in party.element.transport.connections:
            connection.send_bytes(_PING)
        await play.seen_within(_PATIENCE, answered)

    play.open()
    await play.begin(ping, lambda: wire.pings(INSIDE, from_peer=True) > 0, answered)
    play.facts[_OPTIONS] = play.seen.answer("OPTIONS")
    play.facts |= dict.fromkeys((_PING_INSIDE, _PING_OUTSIDE, _PONG), "no keep-alive")
    if wire.pings(INSIDE, from_peer=True):
        play.facts[_PING_INSIDE] = "comes"
        play.facts[_PING_OUTSIDE] = LEAVES if wire.pings(OUTSIDE, from_peer=False) else NEVER_LEAVES
        play.facts[_PONG] = "pong" if answered() else "none: the caller takes its flow for dead"


_TIMEOUT: Final = 2
_IDLE: Final = 2.5
_INTERVAL: Final = 0.5
"""Seconds: of the ALG, of the silence, between keep-alives."""
_CALLERS_BYE: Final = "answer to the caller's BYE"
_BYE_OUTSIDE: Final = "the caller's BYE outside"
_LOSS: Final = "RST or FIN at the caller"


async def _be_silent(play: Play) -> None:
    """A call in which nothing is said for longer than the device remembers, but for keep-alives as the cure."""
    seen = play.seen

    async def call(party: Party) -> None:
        await party.call(invite(play, party))
        await play.callee.acknowledged(TIMERS.timeout)
        end = play.reactor.seconds() + _IDLE
        while play.reactor.seconds() < end:
            await task.deferLater(play.reactor, _INTERVAL)
            for connection in party.element.transport.connections if play.fixed else ():
                connection.send_bytes(_PING)
        for session in list(party.sessions.values()):
            await party.hang_up(session)

    play.open()
    await play.begin(call, lambda: bool(seen.asked("BYE")), lambda: seen.decided("BYE"))
    play.facts[ANSWER] = seen.answer("INVITE")
    play.facts[_CALLERS_BYE] = seen.answer("BYE")
    play.facts[_BYE_OUTSIDE] = seen.passage("BYE")
    play.facts[_LOSS] = "seen" if seen.wire.lost_by(INSIDE) else "none" if seen.asked("BYE") else "no BYE"


_WITH_RTCP: Final = Traits(rtcp=True)
_WITH_VIDEO: Final = Traits(kinds=("audio", "video"), own_connections=True)
_OFFER_OUTSIDE: Final = 'frame.interface_name == "outside" && sip.Method == "INVITE" && sdp'

SCENARIOS: Final = (
    through_alg(
        "one-way-audio",
        "the session description is translated, but no pinhole is opened for the caller's media",
        source="opnsense issue 4477 and most help desks",
        happens="The offer promises a port of the device's outside address, and nothing listens there. What the callee "
        "sends is dropped, while the caller's media crosses.",
        look="The caller hears nothing, the callee hears everything. Outside, RTP arrives at the device (and ICMP port "
        "unreachable may leave); inside, none of it is seen. The offer looks the same with and without the failure: "
        "take host and port from its c= and m=, and compare what is sent there outside with what arrives inside.",
        wireshark=_OFFER_OUTSIDE,
        cure="Let the device open pinholes for what it translates, or relay media on an SBC.",
        broken=Setting(Device(faults=("pinhole-missing:direction=outward",))),
        fixed=Setting(),
        act=_look_at_the_door,
        failure={
            **{ANSWER: "200 OK", LEAKS: "none", _DOOR: "nobody listens"},
            **{AT_CALLER: SILENCE, AT_CALLEE: HEARD, ENDING: "200 OK"},
        },
        success={**WORKS, _DOOR: "a media relay listens"},
    ),
    through_alg(
        "rtcp-attribute-stale",
        "a=rtcp keeps the inside address",
        source="Linux nf_nat_sip, measured",
        happens="RTP finds its way by c= and m=, RTCP is sent to where a=rtcp says (RFC 3605), which is an inside "
        "address. Without reports, picture requests and loss recovery do not work, and calls are torn down as dead.",
        look="Sound is fine, video freezes; RTCP statistics stay at zero. Outside, a=rtcp and c= have different "
        "addresses.",
        wireshark='frame.interface_name == "outside" && sip.Method == "INVITE" '
        '&& sdp.media_attr contains "IN IP4 10.0.30.2"',
        cure="Leave a=rtcp out where RTCP is on the next port anyway, or use rtcp-mux; or an ALG that knows the line.",
        broken=Setting(Device(faults=("rtcp-attribute-stale",)), _WITH_RTCP, _WITH_RTCP),
        fixed=Setting(Device(), _WITH_RTCP, _WITH_RTCP),
        caller=f"{CALL}; with a=rtcp and an address in it (RFC 3605) in its offer",
        callee="answer the call with 200 at once, with RTP, RTCP, and a=rtcp with an address in its answer, and answer "
        "its BYE",
        failure={
            **{ANSWER: "200 OK", LEAKS: "a=rtcp", AT_CALLER: HEARD, AT_CALLEE: HEARD},
            **{_RTCP_AT_CALLER: SILENCE, _RTCP_AT_CALLEE: SILENCE},
        },
        success={**WORKS, _RTCP_AT_CALLER: HEARD, _RTCP_AT_CALLEE: HEARD},
    ),
    through_alg(
        "media-level-c-missed",
        "only the first c= is translated: further media lines keep the inside address",
        source="Linux nf_nat_sip, measured",
        happens="Each media line has a c= of its own. That of audio is translated, that of video is not.",
        look="Sound and no picture. Outside, the c= lines of one offer have different addresses.",
        wireshark='frame.interface_name == "outside" && sip.Method == "INVITE" '
        '&& sdp.connection_info.address == "10.0.30.2"',
        cure="An ALG that reads the whole body; or endpoints that have one c= for the session.",
        broken=Setting(Device(faults=("media-level-c-missed",)), _WITH_VIDEO, _WITH_VIDEO),
        fixed=Setting(Device(), _WITH_VIDEO, _WITH_VIDEO),
        caller=f"{CALL}; video is needed: audio and video in its offer, a c= for each behind its m=, and RTP of both",
        callee="answer the call with 200 at once; video is needed: audio and video in its answer, a c= for each behind "
        "its m=, and RTP of both; and answer its BYE",
        failure={
            **{ANSWER: "200 OK", LEAKS: "c=", AT_CALLER: HEARD, AT_CALLEE: HEARD},
            **{_VIDEO_AT_CALLER: SILENCE, _VIDEO_AT_CALLEE: SILENCE},
        },
        success={**WORKS, _VIDEO_AT_CALLER: HEARD, _VIDEO_AT_CALLEE: HEARD},
    ),
    through_alg(
        "keepalive-swallowed",
        "CRLF keep-alives do not get through",
        source="deduced from inspection that lets messages pass and nothing else; RFC 5626 4.4.1",
        happens="The client sends CRLFCRLF and gets no CRLF back. It takes its flow for dead, closes it, and registers "
        "again, every few minutes.",
        look="Registrations that come again and again on new connections. Inside, four bytes without an answer; "
        "outside, nothing.",
        wireshark='frame.interface_name == "inside" && tcp.payload == 0d:0a:0d:0a',
        cure="Turn strict inspection off, or use OPTIONS as keep-alives.",
        broken=Setting(Device(faults=("keepalive-swallowed",))),
        fixed=Setting(),
        act=_keep_alive,
        caller="send {callee} OPTIONS and then CRLFCRLF (RFC 5626 3.5.1) on the same connection",
        callee="answer OPTIONS with 200, and CRLFCRLF with CRLF",
        failure={
            **{_OPTIONS: "200 OK", _PING_INSIDE: "comes", _PING_OUTSIDE: NEVER_LEAVES},
            **{_PONG: "none: the caller takes its flow for dead"},
        },
        success={_OPTIONS: "200 OK", _PING_INSIDE: "comes", _PING_OUTSIDE: LEAVES, _PONG: "pong"},
        told_by={_PONG: (CALLEE,)},
    ),
    through_alg(
        "idle-timeout",
        "a connection that was silent for too long is forgotten, and nobody is told",
        source="Linux nf_conntrack_sip 3600 s, carriers about 30 min",
        happens=f"The device forgets a connection after {_TIMEOUT} s of silence (in the field minutes or an hour). "
        "What comes then is dropped without a reset: both ends believe that the connection stands.",
        look="Long calls cannot be ended, held or transferred: the BYE is repeated by TCP and never answered. No RST, "
        "no FIN. What fails first is always behind a silence of the same length.",
        wireshark='frame.interface_name == "inside" && sip.Method == "BYE"',
        cure="Keep-alives at less than the timeout (RFC 5626 CRLF, session timers of RFC 4028), or a longer timeout.",
        broken=Setting(Device(faults=(f"idle-timeout:seconds={_TIMEOUT}",))),
        fixed=Setting(Device(faults=(f"idle-timeout:seconds={_TIMEOUT}",))),
        act=_be_silent,
        caller="call {callee}, say nothing on that connection for 3 s, and then hang up; with --fixed it sends "
        "CRLFCRLF in between, more often than every 2 s",
        failure={ANSWER: "200 OK", _CALLERS_BYE: NO_ANSWER, _BYE_OUTSIDE: NEVER_LEAVES, _LOSS: "none"},
        success={ANSWER: "200 OK", _CALLERS_BYE: "200 OK", _BYE_OUTSIDE: LEAVES, _LOSS: "none"},
    ),
)
"""By what goes wrong with them."""
