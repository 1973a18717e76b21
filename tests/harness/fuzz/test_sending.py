"""Segments leave one by one, when their time has come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.fuzz.channel import Channel
from harness.fuzz.segments import At, Every, Whole
from harness.fuzz.sending import Sending
from tests.helpers.system import eventually


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Two ends of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with closing(far), closing(sock):
            yield Channel(sock), far


def test_one_after_the_other(ends: tuple[Channel, socket.socket]) -> None:
    """Not before the pause is over, by a clock that is told."""
    channel, far = ends
    sending = Sending(channel, b"abcdef", At((2, 3)), 10.0, 100.0)
    assert sending.advance(100.0)
    assert not sending.advance(109.9)
    assert sending.patience(104.0) == 6.0
    channel.service()
    assert far.recv(10) == b"ab"
    eventually("it is on its way", lambda: channel.drained)
    assert sending.advance(111.0)
    assert sending.left == 3
    channel.service()
    eventually("it is on its way", lambda: channel.drained)
    assert sending.advance(125.0)
    channel.service()
    assert sending.sent_at == [0.0, 11.0, 25.0]
    assert (sending.left, sending.patience(126.0)) == (0, float("inf"))
    assert not sending.advance(200.0)
    assert (far.recv(1), far.recv(10)) == (b"c", b"def")


def test_a_segment_waits_for_the_one_before_it(ends: tuple[Channel, socket.socket]) -> None:
    """Also without a pause: what the kernel has not taken would be joined."""
    channel, _ = ends
    sending = Sending(channel, bytes(40 << 20), Every(20 << 20), 0.0, 0.0)
    assert sending.advance(0.0)
    channel.service()
    assert not sending.advance(1.0)
    assert sending.patience(1.0) > 0


def test_whole(ends: tuple[Channel, socket.socket]) -> None:
    """One segment."""
    channel, _ = ends
    sending = Sending(channel, b"abc", Whole(), 1.0, time.monotonic())
    assert sending.advance(time.monotonic())
    assert (sending.cuts, sending.left) == ((), 0)


def test_what_follows_waits_for_the_last_segment(ends: tuple[Channel, socket.socket]) -> None:
    """Nothing ever stands in the middle of a message."""
    channel, far = ends
    sending = Sending(channel, b"abcdef", At((3,)), 10.0, 0.0)
    assert sending.advance(0.0)
    sending.follow(b"behind")
    channel.service()
    assert far.recv(20) == b"abc"
    assert sending.patience(4.0) == 6.0
    assert sending.advance(10.0)
    channel.service()
    eventually("it is on its way", lambda: channel.drained)
    assert not sending.over
    assert sending.patience(10.0) == 0.0
    assert not sending.advance(10.0)
    assert sending.over
    channel.service()
    eventually("all has come", lambda: len(far.recv(20, socket.MSG_PEEK)) == 9)
    assert far.recv(20) == b"defbehind"
