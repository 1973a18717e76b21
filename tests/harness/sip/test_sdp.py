"""Session descriptions: read, printed, changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.errors import SipSyntaxError
from harness.sip.sdp import Description, Media, parse
from tests.harness.sip.samples import wire

SESSION = """\
v=0
o=tandberg 8 9 IN IP4 10.0.30.2
s=-
i=a call
c=IN IP4 10.0.30.2
b=AS:6000
t=0 0
a=group:x
m=audio 2334 RTP/AVP 18 9 0 101
i=voice
c=IN IP4 10.0.30.3
b=TIAS:64000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:18 annexb=no
a=sendonly
m=video 2336/2 RTP/AVP 97
a=rtpmap:97 h264/90000
a=content:slides
"""


def test_values() -> None:
    """Everything that offers are decided by."""
    said = parse(wire(SESSION))
    audio, video = said.media
    assert (said.user, said.session, said.version, said.origin, said.address) == (
        "tandberg",
        8,
        9,
        "10.0.30.2",
        "10.0.30.2",
    )
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == (
        "audio",
        2334,
        "RTP/AVP",
        ("18", "9", "0", "101"),
    )
    assert audio.codecs == ["G729/8000", "G722/8000", "PCMU/8000", "TELEPHONE-EVENT/8000"]
    assert (audio.parameters("18"), video.codecs, video.get("content")) == ("annexb=no", ["H264/90000"], "slides")
    assert (said.address_of(audio), said.address_of(video)) == ("10.0.30.3", "10.0.30.2")
    assert (said.direction_of(audio), said.direction_of(video)) == ("sendonly", "sendrecv")


def test_printed() -> None:
    """In the order of RFC 8866 5, each line as it was."""
    assert parse(wire(SESSION)).to_bytes() == wire(SESSION.replace("2336/2", "2336"))


def test_held() -> None:
    """A hold is the next version, and touches no stream that is off."""
    held = parse(wire(SESSION.replace("m=video 2336/2", "m=video 0"))).held()
    assert (held.version, held.direction_of(held.media[0]), held.media[1].direction) == (10, "sendonly", None)
    again = held.held("sendrecv")
    assert again.to_bytes().count(b"a=send") == 1


def test_smallest() -> None:
    """Lines that are missing are made."""
    made = Description(
        origin="2001:db8::1", address="2001:db8::1", media=(Media(kind="audio", port=2, formats=("0",)),)
    )
    text = "v=0\no=- 0 0 IN IP6 2001:db8::1\ns=-\nc=IN IP6 2001:db8::1\nt=0 0\nm=audio 2 RTP/AVP 0\n"
    assert made.to_bytes() == wire(text)
    assert parse(made.to_bytes()).media == made.media


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0\n", ""),
        ("v=0", "v=1"),
        ("o=tandberg 8", "o=tandberg x"),
        ("m=audio 2334", "m=audio 99999"),
        ("RTP/AVP 18 9 0 101", ""),
        ("c=IN IP4 10.0.30.2", "c=IN"),
        ("s=-", "s-"),
        ("s=-", " s=-"),
    ],
)
def test_malformed(old: str, new: str) -> None:
    """The error is ours."""
    with pytest.raises(SipSyntaxError):
        parse(wire(SESSION.replace(old, new, 1)))


@given(st.binary(max_size=200) | st.integers(0, len(SESSION)).map(lambda place: wire(SESSION[:place])))
def test_garbage(body: bytes) -> None:
    """And no other one."""
    try:
        said = parse(body)
    except SipSyntaxError:
        return
    for media in said.media:
        assert media.codecs is not None
        said.direction_of(media)
    assert parse(said.to_bytes()).media == said.media
