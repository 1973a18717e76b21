"""`sipalg pcap` on captures of closed windows, tshark being the judge of what goes in and of what comes out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, response
from tests.harness.capture.expert import remarks
from tests.harness.capture.wireshark import dissect, followed
from tests.harness.commands.pcap_runs import REMOTE, run
from tests.helpers.captures import MILLISECOND, START, Timed, pcap
from tests.helpers.ipv4 import raw
from tests.tcp.endpoint import ACK, FIN, PSH, SYN, write

_ISN = (1000, 5000)
_OPEN = 8000
"""The window of a side with room."""


@dataclass
class Sides:
    """A connection of the inside, by hand. Offsets count from behind the SYNs; no side is acknowledged by itself."""

    packets: list[Timed] = field(default_factory=list)
    sent: list[int] = field(default_factory=lambda: [0, 0])
    """By each side; its bare segments stand there."""
    taken: list[int] = field(default_factory=lambda: [0, 0])
    """Of each side's bytes, by the other."""
    windows: list[int] = field(default_factory=lambda: [_OPEN, _OPEN])

    def say(self, side: int, data: bytes = b"", flags: int = ACK) -> None:
        """A segment of the inside (0) or of the remote (1), acknowledging what it has taken."""
        addresses = [(raw(INSIDE), raw(REMOTE)), (raw(REMOTE), raw(INSIDE))][side]
        ports = [(40000, 5060), (5060, 40000)][side]
        at = self.sent[side] - bool(flags & SYN)
        ack = _ISN[1 - side] + 1 + self.taken[1 - side] if flags & ACK else 0
        flags |= PSH if data else 0
        packet = write(addresses, ports, _ISN[side] + 1 + at, ack, flags, self.windows[side], payload=data)
        self.packets.append((START + len(self.packets) * MILLISECOND, packet))

    def open(self) -> None:
        """The handshake."""
        self.say(0, flags=SYN)
        self.say(1, flags=SYN | ACK)
        self.say(0)

    def send(self, side: int, data: bytes) -> None:
        """Data that is taken; the acknowledgment tells the receiver's window."""
        self.say(side, data)
        self.sent[side] += len(data)
        self.taken[side] = self.sent[side]
        self.say(1 - side)

    def close(self) -> None:
        """Both, the inside first."""
        for side in (0, 1):
            self.say(side, flags=FIN | ACK)
            self.sent[side] += 1
            self.taken[side] = self.sent[side]
            self.say(1 - side)


def retold(tmp_path: Path, sides: Sides) -> tuple[Path, Counter[str], Counter[str]]:
    """The outside's capture, and what tshark says of the inside's and of it."""
    target, _ = run(tmp_path, pcap(sides.packets), "--map", MAP)
    return target, remarks(tmp_path / "in.pcap"), remarks(target)


def test_a_probe_that_is_not_taken(tmp_path: Path) -> None:
    """The remote sends one byte of a message into a closed window; meanwhile the inside sends, and then opens it."""
    sides = Sides()
    sides.open()
    sides.windows[0] = 0
    sides.send(1, response(INSIDE))
    sides.say(1, response(INSIDE)[:1])
    sides.say(0)
    for number in range(3):
        sides.send(0, options(INSIDE, number))
    sides.windows[0] = _OPEN
    sides.say(0)
    sides.send(1, response(INSIDE))
    sides.close()
    target, before, after = retold(tmp_path, sides)
    assert before["TCP: TCP Zero Window Probe"] == 1
    assert after - before == Counter()
    assert after["TCP: TCP window update"] == before["TCP: TCP window update"] == 1
    assert followed(target, 0) == (b"".join(options(OUTSIDE, number) for number in range(3)), response(OUTSIDE) * 2)
    numbers = [frame.seq for frame in dissect(target) if frame.ports[0] == 5060]
    assert numbers == sorted(numbers)


def test_a_probe_that_completes_a_message(tmp_path: Path) -> None:
    """What it completes leaves with it; until it is taken, its sender stands where its part begins."""
    sides = Sides()
    sides.open()
    message = response(INSIDE)
    sides.windows[0] = 0
    sides.send(1, message[:-1])
    sides.say(1, message[-1:])
    sides.say(0)
    sides.send(0, options(INSIDE))
    sides.windows[0] = _OPEN
    sides.say(0)
    sides.sent[1] += 1
    sides.taken[1] += 1
    sides.say(0)
    sides.close()
    target, before, after = retold(tmp_path, sides)
    assert before["TCP: TCP Zero Window Probe"] == 1
    assert after - before == Counter()
    assert followed(target, 0) == (options(OUTSIDE), response(OUTSIDE))


def test_keep_alives(tmp_path: Path) -> None:
    """Of either side, and answered: as many as there were, each a number before what was acknowledged."""
    sides = Sides()
    sides.open()
    sides.send(0, options(INSIDE))
    sides.send(1, response(INSIDE))
    for side, data in ((0, b""), (0, b"\0"), (1, b"")):
        sides.sent[side] -= 1
        sides.say(side, data)
        sides.sent[side] += 1
        sides.say(1 - side)
    sides.close()
    target, before, after = retold(tmp_path, sides)
    assert before["TCP: TCP keep-alive segment"] == 3
    assert after == before
    assert followed(target, 0) == (options(OUTSIDE), response(OUTSIDE))
