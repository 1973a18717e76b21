"""The media of an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.alg_calls.sound import Sound
from harness.scenarios.stage import Network
from harness.sip.message import Request
from tests.harness.peers.turning import Turned


@pytest.fixture
def network() -> Iterator[Network]:
    """One of our own."""
    with Network() as network:
        yield network


def offer(sound: Sound, host: str, **how: bool) -> Request:
    """In a message."""
    return Request.make("INVITE", "sip:b@192.0.2.1").with_body(sound.description(host, **how))


def test_descriptions(turned: Turned, network: Network) -> None:
    """One c= for the session, or one for each line; a=rtcp if it is asked for."""
    sound = Sound(turned.reactor, network.host(2), frozenset(), ("audio", "video"))
    audio, video = (sound.lines[kind].port for kind in ("audio", "video"))
    assert sound.description("10.0.30.2").decode().split("\r\n") == [
        *("v=0", "o=- 7 1 IN IP4 10.0.30.2", "s=-", "c=IN IP4 10.0.30.2", "t=0 0"),
        *(f"m=audio {audio} RTP/AVP 8", "a=rtpmap:8 PCMA/8000"),
        *(f"m=video {video} RTP/AVP 97", "a=rtpmap:97 H264/90000", ""),
    ]
    assert sound.description("10.0.30.2", own_connections=True, rtcp=True).decode().split("\r\n") == [
        *("v=0", "o=- 7 1 IN IP4 10.0.30.2", "s=-", "t=0 0"),
        *(f"m=audio {audio} RTP/AVP 8", "c=IN IP4 10.0.30.2", "a=rtpmap:8 PCMA/8000"),
        *(f"a=rtcp:{audio + 1} IN IP4 10.0.30.2", f"m=video {video} RTP/AVP 97", "c=IN IP4 10.0.30.2"),
        *("a=rtpmap:97 H264/90000", f"a=rtcp:{video + 1} IN IP4 10.0.30.2", ""),
    ]
    turned.result(Deferred.fromCoroutine(sound.close()))


def test_what_has_a_route_is_heard(turned: Turned, network: Network) -> None:
    """And what has none is not sent: the other one hears nothing, although the address exists."""
    here, there = network.host(2), network.host(3)
    first = Sound(turned.reactor, here, frozenset((there,)), ("audio",))
    second = Sound(turned.reactor, there, frozenset(), ("audio",))
    streams = [
        Deferred.fromCoroutine(first.stream(offer(second, there))),
        Deferred.fromCoroutine(second.stream(offer(first, here))),
    ]
    for stream in streams:
        turned.result(stream)
    assert first.heard == {"audio RTP": "silence", "audio RTCP": "silence"}
    assert second.heard == {"audio RTP": "heard", "audio RTCP": "heard"}
    assert (first.unreachable, second.unreachable) == (set(), {"audio RTP", "audio RTCP"})
    for sound in (first, second):
        turned.result(Deferred.fromCoroutine(sound.close()))


def test_what_comes_from_beyond_is_not_heard(turned: Turned, network: Network) -> None:
    """Although it arrives; and nobody waits for lines that are not awaited."""
    here, there = network.host(2), network.host(3)
    first = Sound(turned.reactor, here, frozenset((there,)), ("audio",))
    second = Sound(turned.reactor, there, frozenset(), ("audio",), beyond=frozenset((here,)))
    turned.result(Deferred.fromCoroutine(first.stream(offer(second, there), awaited="video RTP")))
    turned.until("it arrives", lambda: second.lines["audio"].rtp.heard > 0)
    assert second.heard == {"audio RTP": "silence", "audio RTCP": "silence"}
    for sound in (first, second):
        turned.result(Deferred.fromCoroutine(sound.close()))
