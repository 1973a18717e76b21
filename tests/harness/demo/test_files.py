"""What `sipalg demo --out DIR` leaves behind."""

from __future__ import annotations

import dataclasses
import email
import re
from pathlib import Path

import msgspec
import pytest

from alg.config import MediaMode
from alg.connection import Alg
from alg.direction import Direction
from harness.demo.topology import alg_config
from tests.harness.demo.conftest import Run

_MESSAGES = [
    "01-outward-INVITE",
    "02-inward-100",
    "03-inward-180",
    "04-inward-200",
    "05-outward-ACK",
    "06-inward-BYE",
    "07-outward-200",
]
_MEDIA_PORTS = re.compile(
    rb"(?m)(?<=^m=audio )\d+|(?<=^m=video )\d+|(?<=^m=application )\d+"
    rb"|(?<=^a=rtcp:)\d+|\d+(?= typ )|(?<= rport )\d+(?=\r)"
)


def _directory(demo: Run) -> Path:
    assert demo.directory is not None, "the fixture asks for --out"
    return demo.directory


def test_every_message_is_there_from_both_sides(demo: Run) -> None:
    """Numbered in the order of the call, and nothing else beside events and differences."""
    names = sorted(path.name for path in _directory(demo).iterdir())
    messages = [f"{name}-{side}.sip" for name in _MESSAGES for side in ("inside", "outside")]
    assert names == sorted([*messages, "diff.txt", "events.jsonl"])
    assert str(_directory(demo)) in demo.stdout


def test_no_inside_address_is_left_outside(demo: Run) -> None:
    """Only Call-ID, which no ALG may touch, still names the inside host."""
    for name in _MESSAGES:
        outside = (_directory(demo) / f"{name}-outside.sip").read_bytes()
        others = [line for line in outside.split(b"\r\n") if not line.startswith(b"Call-ID:")]
        assert not [line for line in others if b"127.0.30.2" in line or b"127.0.10.20" in line]


@pytest.mark.parametrize("name", _MESSAGES)
def test_the_core_alone_does_the_same(demo: Run, name: str) -> None:
    """What `sipalg rewrite` makes of a message is what crossed the proxy, apart from the ports of the doors."""
    inside, outside = ((_directory(demo) / f"{name}-{side}.sip").read_bytes() for side in ("inside", "outside"))
    direction = Direction.OUTWARD if "outward" in name else Direction.INWARD
    came, went = (inside, outside) if direction is Direction.OUTWARD else (outside, inside)
    config = dataclasses.replace(alg_config(l4f=True), media=MediaMode.REWRITE)
    rewritten = Alg(config).connection().feed(direction, came)
    assert _MEDIA_PORTS.sub(b"PORT", rewritten) == _MEDIA_PORTS.sub(b"PORT", went)


@pytest.mark.parametrize("side", ["inside", "outside"])
def test_invite_is_what_an_expressway_would_send(demo: Run, side: str) -> None:
    """About 3 kB, three Vias, two Record-Routes, and a body whose lengths are right on both sides."""
    head, _, body = (_directory(demo) / f"01-outward-INVITE-{side}.sip").read_bytes().partition(b"\r\n\r\n")
    assert 2800 < len(head) + len(body) < 3800
    assert len(re.findall(rb"(?m)^Via:", head)) == 3
    assert len(re.findall(rb"(?m)^Record-Route:", head)) == 2
    assert re.search(rb"(?m)^Content-Length: %d\r?$" % len(body), head)
    message = email.message_from_bytes(re.search(rb"Content-Type: .*", head)[0] + b"\r\n\r\n" + body)  # type: ignore[index]
    sdp, location = message.get_payload()
    assert int(sdp["Content-Length"]) == len(sdp.get_payload(decode=True))
    assert (sdp.get_content_type(), location.get_content_type()) == ("application/sdp", "application/pidf+xml")


def test_events_tell_the_same_story(demo: Run) -> None:
    """One event a message, in the order of the files, with the growth that the files show; all doors close by BYE."""
    lines = (_directory(demo) / "events.jsonl").read_text().splitlines()
    events = [msgspec.json.decode(line) for line in lines]
    messages = [event for event in events if event["event"] == "message"]
    assert len(messages) == len(_MESSAGES)
    for name, event in zip(_MESSAGES, messages, strict=True):
        sizes = [(_directory(demo) / f"{name}-{side}.sip").stat().st_size for side in ("inside", "outside")]
        assert [event["length_in"], event["length_out"]] == (sizes if event["direction"] == "outward" else sizes[::-1])
    doors = [event for event in events if event["event"] == "door"]
    assert [event["action"] for event in doors] == ["opened"] * 6 + ["closed"] * 6
    assert {event["reason"] for event in doors[6:]} == {"BYE"}


def test_differences_of_all_messages_have_whole_lines(demo: Run) -> None:
    """The text file elides nothing within a line."""
    text = (_directory(demo) / "diff.txt").read_text()
    invite = (_directory(demo) / "01-outward-INVITE-outside.sip").read_text()
    assert re.findall(r"(?m)^=== (.*)$", text) == _MESSAGES
    added = re.findall(r"(?m)^\+(.*)$", text.split("=== ")[1])
    assert len(added) > 15
    assert set(added) <= set(invite.splitlines())
