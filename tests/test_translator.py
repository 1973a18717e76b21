"""One message through the translator: header, body, and the lengths that follow from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alg.config import AlgConfig, Limits, MediaMode
from alg.nat.table import NatTable
from alg.profiles import COMPLETE
from alg.rewrite import Edit
from alg.sip.framing import Framed, MessageFramer
from alg.translator import Translator
from tests.helpers.feed import IN, OUT, config_for
from tests.helpers.vector import MEDIA, STATIC, in_offer

PART = b"Content-Type: application/sdp\r\nContent-Length: 20\r\n\r\nc=IN IP4 10.0.30.2\r\n"
NESTED = (
    b"--a\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: %d\r\n\r\n" % (len(PART) + 14)
    + b"--b\r\n"
    + PART
    + b"\r\n--b--\r\n"
    + b"\r\n--a--\r\n"
)


def framed(message: bytes) -> Framed:
    """A whole message as the framer gives it."""
    (frame,) = MessageFramer(Limits()).feed(message)
    assert isinstance(frame, Framed)
    return frame


def translated(message: bytes, config: AlgConfig, direction: int = OUT) -> tuple[bytes, list[Edit]]:
    """The message as it leaves, and its edits."""
    return Translator(config, NatTable(config.nat)).translate(framed(message), IN if direction else OUT)


def test_message_without_a_hit_is_the_same_object() -> None:
    """A message that no map concerns costs no copy."""
    message = in_offer(b"c=IN IP4 192.0.2.1\r\n")
    out, edits = translated(message, config_for(STATIC))
    assert out is message or out == message
    assert edits == []


def test_edits_are_in_order_and_named() -> None:
    """Content-Length comes where it stands, though it is decided last."""
    out, edits = translated(in_offer(b"c=IN IP4 10.0.30.2\r\n"), config_for(STATIC))
    assert out == in_offer(b"c=IN IP4 64.100.0.10\r\n")
    assert [edit[3] for edit in edits] == ["Content-Length", "SDP c="]
    assert edits == sorted(edits)


def test_every_enclosing_length_is_corrected() -> None:
    """A session description in a part in a part: both parts and the message say their new lengths."""
    out, edits = translated(in_offer(NESTED, b"multipart/mixed;boundary=a"), config_for(STATIC))
    grown = (
        NESTED.replace(b"10.0.30.2", b"64.100.0.10")
        .replace(b"Length: 20", b"Length: 22")
        .replace(b"Length: %d" % (len(PART) + 14), b"Length: %d" % (len(PART) + 16))
    )
    assert out == in_offer(grown, b"multipart/mixed;boundary=a")
    assert [edit[3] for edit in edits] == ["Content-Length", "part Content-Length", "part Content-Length", "SDP c="]


def test_part_lengths_that_gain_a_digit_lengthen_the_message() -> None:
    """A part that grows from 98 to 100 bytes adds three bytes to what encloses it."""
    body = b"c=IN IP4 10.0.30.2\r\ns=" + b"x" * 74 + b"\r\n"
    part = b"--a\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s\r\n--a--\r\n"
    grown = body.replace(b"10.0.30.2", b"64.100.0.10")
    assert (len(body), len(grown)) == (98, 100)
    message = in_offer(part % (98, body), b"multipart/mixed;boundary=a")
    assert translated(message, config_for(STATIC))[0] == in_offer(part % (100, grown), b"multipart/mixed;boundary=a")


def test_length_of_an_outer_part_counts_the_digits_of_the_inner_one() -> None:
    """A part inside a part gains a digit: the outer part grows by that one as well."""
    inner = b"--b\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s\r\n--b--\r\n"
    outer = b"--a\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: %d\r\n\r\n%s\r\n--a--\r\n"
    body = b"c=IN IP4 %s\r\ns=" + b"x" * 74 + b"\r\n"
    came, left = (inner % (size, body % host) for size, host in ((98, b"10.0.30.2"), (100, b"64.100.0.10")))
    assert len(left) == len(came) + 3
    out, _ = translated(in_offer(outer % (len(came), came), b"multipart/mixed;boundary=a"), config_for(STATIC))
    assert out == in_offer(outer % (len(left), left), b"multipart/mixed;boundary=a")


def test_length_that_is_right_already_is_left_alone() -> None:
    """A padded Content-Length keeps its zeros unless the number changes."""
    message = b"INVITE sip:10.0.30.2 SIP/2.0\r\nc: application/sdp\r\nl: 0007\r\n\r\ns=abc\r\n"
    assert translated(message, config_for(STATIC))[0] == message.replace(b"10.0.30.2", b"64.100.0.10")


def test_media_off_leaves_bodies_alone() -> None:
    """With media off the header is translated and the session description stays."""
    message = in_offer(b"c=IN IP4 10.0.30.2\r\n").replace(b"bob@example.com", b"10.0.30.2")
    out, _ = translated(message, config_for(STATIC, media=MediaMode.OFF))
    assert out == message.replace(b"sip:10.0.30.2", b"sip:64.100.0.10")


def test_relay_without_doors_maps_addresses() -> None:
    """Without anything that could listen, relay mode maps as rewrite mode does."""
    message = in_offer(b"c=IN IP4 10.0.30.2\r\nm=audio 5004 RTP/AVP 0\r\n")
    for pairs in (STATIC, MEDIA):
        relay = translated(message, config_for(pairs, media=MediaMode.RELAY))
        assert relay == translated(message, config_for(pairs, media=MediaMode.REWRITE))


@pytest.mark.parametrize("name", sorted(COMPLETE.sdp))
def test_sdp_rule_that_a_profile_leaves_out(name: str) -> None:
    """An ALG that forgets one kind of SDP line leaves just those lines."""
    lines = {
        "o=": b"o=- 1 2 IN IP4 10.0.30.2\r\n",
        "c=": b"c=IN IP4 10.0.30.2\r\n",
        "m=": b"m=audio 5004 RTP/AVP 0\r\n",
        "a=rtcp": b"a=rtcp:5005 IN IP4 10.0.30.2\r\n",
        "a=candidate": b"a=candidate:1 1 UDP 1 10.0.30.2 5004 typ host\r\n",
    }
    pairs = (*MEDIA, ("10.0.30.2", "64.100.0.10"))
    forgetful = replace(COMPLETE, sdp=COMPLETE.sdp - {name})
    out, edits = translated(in_offer(b"v=0\r\n" + b"".join(lines.values())), config_for(pairs, profile=forgetful))
    assert {edit[3] for edit in edits if edit[3].startswith("SDP ")} == {
        f"SDP {other}" for other in lines if other != name
    }
    assert [line for line in lines.values() if line in out] == [lines[name]]
