"""`sipalg inline --capture` with two kernels talking through it; tshark is the judge, of what they saw themselves too.

Strategy: each side sends the messages of a list, cut up; what must be on each interface is the same templates filled
in with the address that is known there. tcpdump listens where the endpoints are: nothing may be strange about a
segment in our capture that was not strange there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from socket import socket

import pytest

from harness.capture.packet_recorder import OURS
from harness.capture.reader import CapturedPacket, CaptureError, read_capture
from tests.e2e.inline_lab import INSIDE, MAPPED, POOL, InlineLab, exchange, inline_lab
from tests.edge.messages import options, request, response
from tests.harness.capture.wireshark import ACK, FIN, SYN, Frame, dissect, flags_of, followed
from tests.helpers.lab import Stage
from tests.helpers.system import eventually

STRANGE = " || ".join(
    f"tcp.analysis.{remark}"
    for remark in (
        "retransmission",
        "fast_retransmission",
        "spurious_retransmission",
        "out_of_order",
        "lost_segment",
        "ack_lost_segment",
        "duplicate_ack",
    )
)
"""What would be remarked on if packets were missing, or had wrong numbers."""
SAID = [request, lambda host: options(host, 1), lambda host: options(host, 2), lambda host: request(host, size=6000)]
ANSWERED = [response, lambda host: response(host, size=3000)]


def stream(messages: list[bytes]) -> bytes:
    """One behind the other."""
    return b"".join(messages)


def cut(data: bytes, length: int) -> list[bytes]:
    """Pieces of one length, the last one shorter."""
    return [data[start : start + length] for start in range(0, len(data), length)]


def bodies(*messages: bytes) -> list[int]:
    """The lengths of their bodies, in order of size."""
    return sorted(len(message.partition(b"\r\n\r\n")[2]) for message in messages)


class Seen:
    """A conversation in three captures: the ALG's, and what each endpoint's interface saw."""

    def __init__(self, lab: InlineLab, directory: Path) -> None:
        self.path = directory / "inline.pcapng"
        self.said = {host: [make(host) for make in SAID] for host in (INSIDE, POOL)}
        self.answered = {host: [make(host) for make in ANSWERED] for host in (INSIDE, POOL)}
        ends = {place: directory / f"{place}.pcap" for place in ("inside", "outside")}
        stage = Stage(lab.lab)
        with lab.inline(*MAPPED, "--capture", str(self.path)) as process:
            with (
                stage.captured("inside", ends["inside"]),
                stage.captured("outside", ends["outside"]),
                lab.connection() as sockets,
            ):
                pieces = cut(stream(self.said[INSIDE]), 700), cut(stream(self.answered[POOL]), 1100)
                self.heard = exchange(sockets, pieces, 0.02)
                eventually("the last FIN is acknowledged", self._over)
            process.stop()
        self.frames = dissect(self.path)
        self.kernels = {place: dissect(path, only=STRANGE) for place, path in ends.items()}
        """What was strange where the endpoints are."""

    def _over(self) -> bool:
        """Both sides have heard the other's end."""
        packets = list(read_capture(str(self.path)))
        ended = {packet.interface.name for packet in packets if packet.data[33] & FIN and packet.flow == 1}
        return len(ended) == 2 and packets[-1].data[33] == ACK

    def of(self, interface: str, inbound: bool) -> list[Frame]:
        """The packets of one interface, one way."""
        return [frame for frame in self.frames if (frame.interface, frame.inbound) == (interface, inbound)]


@pytest.fixture(scope="module", params=[True, False], ids=["offload", "no offload"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A conversation through a router that is the ALG."""
    with inline_lab(request.param) as lab:
        yield Seen(lab, tmp_path_factory.mktemp("captures"))


def test_both_interfaces(seen: Seen) -> None:
    """Each shows, as Wireshark puts it together, what was said on its side; and that is what arrived."""
    assert {frame.interface for frame in seen.frames} == {"inside", "outside"}
    inside = stream(seen.said[INSIDE]), stream(seen.answered[INSIDE])
    outside = stream(seen.said[POOL]), stream(seen.answered[POOL])
    assert followed(seen.path, 0) == inside
    assert followed(seen.path, 1) == outside
    assert seen.heard == (inside[1], outside[0])
    for interface in ("inside", "outside"):
        assert [flags for _, flags in flags_of(seen.frames, interface)[:2]] == [SYN, SYN | ACK]
    times = [frame.time for frame in seen.frames]
    assert times == sorted(set(times))


def test_sip(seen: Seen) -> None:
    """Dissected on both interfaces, with the lengths that each message has there."""
    for interface, host in (("inside", INSIDE), ("outside", POOL)):
        frames = [frame for frame in seen.frames if frame.interface == interface]
        lengths = sorted(length for frame in frames for length in frame.content_lengths)
        assert lengths == bodies(*seen.said[host], *seen.answered[host])
        names = sorted(name for frame in frames for name in frame.messages)
        assert names == ["200", "200", "INVITE", "INVITE", "OPTIONS", "OPTIONS"]


def test_nothing_is_strange(seen: Seen) -> None:
    """All checksums are right; a segment that tshark remarks on was remarked on where it was sent or received."""
    for frame in seen.frames:
        assert not [fault for fault in frame.faults if "checksum" in fault or "malformed" in fault]
    for frame in dissect(seen.path, only=STRANGE):
        assert (frame.ports, frame.seq) in {(other.ports, other.seq) for other in seen.kernels[frame.interface]}


def test_comments(seen: Seen) -> None:
    """Every segment of a changed message has its rules, where it leaves; what is held says so, and what is ours."""
    for interface in ("inside", "outside"):
        frames = seen.of(interface, inbound=True)
        assert any("bytes wait for the rest of their message" in text for frame in frames for text in frame.comments)
        assert not [text for frame in frames for text in frame.comments if "rewritten" in text]
    for interface in ("inside", "outside"):
        frames = seen.of(interface, inbound=False)
        for frame in frames:
            rewritten = [text for text in frame.comments if " rewritten by Via" in text]
            assert bool(rewritten) == bool(frame.payload), frame
        ours = [frame for frame in frames if OURS in frame.comments]
        assert ours
        assert {frame.flags for frame in ours if not frame.payload} == {ACK}


def test_a_killed_process(tmp_path: Path) -> None:
    """SIGKILL amid a flood: at most the last packet is cut, and tshark reads all before it."""
    path = tmp_path / "killed.pcapng"
    with inline_lab() as lab, lab.inline(*MAPPED, "--capture", str(path)) as process, lab.connection() as ends:
        for end in ends:
            end.settimeout(0.5)
        threads = [threading.Thread(target=flood, args=(ends[0],)), threading.Thread(target=drain, args=(ends[1],))]
        for thread in threads:
            thread.start()
        eventually("a flood is captured", lambda: path.stat().st_size > 300_000)
        process.kill()
        for thread in threads:
            thread.join()
    packets, whole = readable(path)
    with path.open("r+b") as file:
        file.truncate(whole)
    frames = dissect(path)
    assert len(frames) == len(packets) > 200
    assert not [fault for frame in frames for fault in frame.faults if "checksum" in fault or "malformed" in fault]


def readable(path: Path) -> tuple[list[CapturedPacket], int]:
    """The packets of a file that may be cut, and how many of its bytes they take."""
    packets, size = [], path.stat().st_size
    try:
        for packet in read_capture(str(path)):
            packets.append(packet)
    except CaptureError as error:
        fault = error
    else:
        return packets, size
    assert fault.reason == "file ends inside a block"
    assert size - fault.offset < 3000
    return packets, fault.offset


def flood(end: socket) -> None:
    """Messages until nobody takes them."""
    with suppress(OSError):
        for number in count():
            end.sendall(options(INSIDE, number))


def drain(end: socket) -> None:
    """Until nothing comes."""
    with suppress(OSError):
        while end.recv(1 << 16):
            pass
