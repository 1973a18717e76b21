"""A small TCP of its own to judge the flow by: it reads and writes packets with `struct` and shares no code with `alg`.

Strategy: one sender with a go-back retransmission that cuts its segments anew each time, one receiver with reassembly.
Whatever no honest network does to a connection is an AssertionError: another byte at a number that was filled, an
acknowledgment or a SACK block for what was never sent, a SACK option nobody asked for, a wrong checksum.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def reference_checksum(data: bytes) -> int:
    """RFC 1071, word by word."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass
class Seen:
    """A packet as a receiver reads it."""

    ports: tuple[int, int]
    seq: int
    ack: int
    flags: int
    window: int
    payload: bytes
    mss: int | None = None
    scale: int | None = None
    sack_permitted: bool = False
    sack: list[tuple[int, int]] = field(default_factory=list)
    stamps: tuple[int, int] | None = None


def read(packet: bytes) -> Seen:
    """Parse a packet whose checksums are right; AssertionError if they are not."""
    header = (packet[0] & 15) * 4
    total = struct.unpack_from("!H", packet, 2)[0]
    assert total == len(packet), "total length"
    assert reference_checksum(packet[:header]) == 0, "IP checksum"
    segment = packet[header:]
    pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(segment))
    assert reference_checksum(pseudo + segment) == 0, "TCP checksum"
    source, destination, seq, ack, offset, flags, window, _, _ = struct.unpack_from("!HHIIBBHHH", segment)
    start = (offset >> 4) * 4
    seen = Seen((source, destination), seq, ack, flags, window, segment[start:])
    options = segment[20:start]
    while options:
        kind = options[0]
        if kind <= 1:
            options = options[1:]
            continue
        length, value = options[1], options[2 : options[1]]
        if kind == 2:
            seen.mss = struct.unpack("!H", value)[0]
        elif kind == 3:
            seen.scale = value[0]
        elif kind == 4:
            seen.sack_permitted = True
        elif kind == 5:
            seen.sack = [struct.unpack_from("!II", value, at) for at in range(0, len(value), 8)]
        elif kind == 8:
            seen.stamps = struct.unpack("!II", value)
        options = options[length:]
    return seen


def write(
    addresses: tuple[bytes, bytes],
    ports: tuple[int, int],
    seq: int,
    ack: int,
    flags: int,
    window: int,
    options: bytes = b"",
    payload: bytes = b"",
) -> bytes:
    """A packet with right checksums."""
    options += b"\x01" * (-len(options) % 4)
    offset = (5 + len(options) // 4) << 4
    segment = struct.pack("!HHIIBBHHH", *ports, seq, ack, offset, flags, window, 0, 0) + options + payload
    pseudo = b"".join(addresses) + struct.pack("!BBH", 0, 6, len(segment))
    checksum = reference_checksum(pseudo + segment)
    segment = segment[:16] + struct.pack("!H", checksum) + segment[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 7, 0x4000, 61, 6, 0) + b"".join(addresses)
    return ip[:10] + struct.pack("!H", reference_checksum(ip)) + ip[12:] + segment


def signed(number: int) -> int:
    """A difference of two sequence numbers."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


@dataclass
class Habits:
    """How an endpoint behaves."""

    isn: int = 0
    mss: int = 100
    scale: int | None = 2
    sack: bool = True
    stamps: bool = True
    buffer: int = 4000
    """Bytes it receives before its application has to read."""
    lazy: float = 0.0
    """How likely its application does not read when bytes come."""
    whole: bool = False
    """Whether it fills its segments instead of cutting them at random."""


class Endpoint:
    """One end. `out` collects the packets that it sends; `wake` says when it wants `tick`."""

    def __init__(
        self,
        name: str,
        addresses: tuple[bytes, bytes],
        ports: tuple[int, int],
        habits: Habits,
        data: bytes,
        rng: random.Random,
    ) -> None:
        self.name, self.addresses, self.ports, self.habits, self.data, self.rng = (
            name,
            addresses,
            ports,
            habits,
            data,
            rng,
        )
        self.out: list[bytes] = []
        self.connected = self.syn_received = False
        self.una = self.nxt = self.highest = 0
        self.window = 0
        self.peer_scale = 0
        self.peer_mss = 536
        self.use_stamps, self.use_sack, self.use_scale = habits.stamps, habits.sack, habits.scale is not None
        self.wake: float | None = None
        self.backoff = 0
        self.irs: int | None = None
        self.received = bytearray()
        self.early: dict[int, int] = {}
        self.unread = 0
        self.fin_at: int | None = None
        self.fin_received = False
        self.recent_stamp: int | None = None
        self.now = 0.0
        self.was_reset = False
        self.duplicates = 0
        self.wl: tuple[int, int] | None = None

    def _stamp(self) -> int:
        return (int(self.now * 1000) + self.habits.isn) % (1 << 32)

    @property
    def end(self) -> int:
        """Behind the FIN."""
        return len(self.data) + 1

    @property
    def closed(self) -> bool:
        """Sent, acknowledged and received everything."""
        return self.una == self.end and self.fin_received

    def _free(self) -> int:
        return max(0, self.habits.buffer - self.unread)

    def _emit(self, seq: int, flags: int, payload: bytes = b"") -> None:
        options = b""
        if flags & SYN:
            options += struct.pack("!BBH", 2, 4, self.habits.mss)
            if self.use_scale:
                options += struct.pack("!BBB", 3, 3, self.habits.scale)
            if self.use_sack:
                options += b"\x04\x02"
        if self.use_stamps:
            options = b"\x01\x01" * (not options) + options
            options += struct.pack("!BBII", 8, 10, self._stamp(), self.recent_stamp or 0)
        scale = 0 if flags & SYN or not self.use_scale else self.habits.scale or 0
        if self.use_sack and not flags & SYN and self.early:
            room = 3 if self.use_stamps else 4
            blocks = self._early_blocks()[:room]
            options += b"\x01\x01" + bytes((5, 2 + 8 * len(blocks)))
            for start, stop in blocks:
                base = (self.irs or 0) + 1
                options += struct.pack("!II", (base + start) % (1 << 32), (base + stop) % (1 << 32))
        ack = 0
        if flags & ACK:
            ack = ((self.irs or 0) + 1 + len(self.received) + self.fin_received) % (1 << 32)
        window = min(0xFFFF, self._free() >> scale)
        number = (self.habits.isn + 1 + seq) % (1 << 32)
        self.out.append(write(self.addresses, self.ports, number, ack, flags, window, options, payload))

    def _early_blocks(self) -> list[tuple[int, int]]:
        blocks: list[tuple[int, int]] = []
        for at in sorted(self.early):
            if blocks and blocks[-1][1] == at:
                blocks[-1] = (blocks[-1][0], at + 1)
            else:
                blocks.append((at, at + 1))
        self.rng.shuffle(blocks)
        return blocks

    def connect(self, now: float) -> None:
        """Send the first SYN."""
        self.now = now
        self._emit(-1, SYN)
        self._arm()

    def _arm(self) -> None:
        self.wake = self.now + min(3.0, 0.3 * 2**self.backoff)

    def tick(self, now: float) -> None:
        """The timer has run out: send again, or probe a closed window."""
        self.now = now
        self.wake = None
        if self.was_reset:
            return
        self.backoff += 1
        if not self.connected:
            if self.irs is None:
                self._emit(-1, SYN)
            else:
                self._emit(-1, SYN | ACK)
            self._arm()
            return
        if self.una < self.end:
            if self.window == 0 and self.rng.random() < 0.5:
                self._emit(self.una - 1, ACK)
            elif self.window == 0:
                self._emit(self.una, ACK, self.data[self.una : self.una + 1])
                self.highest = max(self.highest, min(self.una + 1, len(self.data)))
            else:
                self.nxt = self.una
                self.transmit(1)
            self._arm()

    def read_all(self, now: float) -> None:
        """The application reads; a window that was closed opens again."""
        self.now = now
        shut = self._free() < min(self.habits.mss, self.habits.buffer // 2)
        self.unread = 0
        if shut and self.connected and not self.was_reset:
            self._emit(self.highest, ACK)

    def transmit(self, most: int = 8) -> None:
        """Send what the window allows."""
        limit = min(len(self.data), self.una + self.window)
        mss = self.peer_mss - (12 if self.use_stamps else 0)
        while most and (self.nxt < limit or (limit == len(self.data) and self.nxt == limit)):
            size = mss if self.habits.whole else self.rng.randint(1, mss)
            piece = self.data[self.nxt : min(self.nxt + size, limit)]
            stop = self.nxt + len(piece)
            fin = FIN if stop == len(self.data) and (piece == b"" or self.rng.random() < 0.5) else 0
            if not piece and not fin:
                break
            self._emit(self.nxt, ACK | fin | (PSH if self.rng.random() < 0.5 else 0), piece)
            self.nxt = stop + bool(fin)
            self.highest = max(self.highest, self.nxt)
            most -= 1
        if self.una < self.highest or self.una < self.end:
            if self.wake is None:
                self._arm()
        else:
            self.wake = None

    def take(self, packet: bytes, now: float) -> None:
        """A packet arrives."""
        self.now = now
        seen = read(packet)
        assert seen.ports == self.ports[::-1]
        if self.was_reset:
            return
        if seen.flags & SYN:
            self._take_syn(seen)
            return
        if self.irs is None:
            return
        if self._too_old(seen):
            self._emit(self.highest, ACK)
            return
        start = signed(seen.seq - self.irs - 1 - len(self.received)) + len(self.received)
        if seen.flags & RST:
            if start == len(self.received) + self.fin_received:
                self.was_reset = True
                self.wake = None
            return
        if not self._acceptable(start, len(seen.payload) + bool(seen.flags & FIN)):
            self._emit(self.highest, ACK)
            return
        if start <= len(self.received) and seen.stamps is not None:
            self.recent_stamp = seen.stamps[0]
        self._take_ack(seen, start)
        if seen.payload or seen.flags & FIN:
            self._take_data(seen, start)
            if self.rng.random() >= self.habits.lazy:
                self.unread = 0
            self._emit(self.highest, ACK)
        if self.connected:
            self.transmit()

    def _acceptable(self, start: int, length: int) -> bool:
        """RFC 9293 3.10.7.4; whatever is not loses its acknowledgment too. A closed window still takes those."""
        expected, room = len(self.received) + self.fin_received, self._free()
        if start == expected:
            return True
        return start < expected + room and start + max(0, length - 1) >= expected

    def _too_old(self, seen: Seen) -> bool:
        """PAWS (RFC 7323 5.3)."""
        if not self.use_stamps or seen.flags & RST:
            return False
        assert seen.stamps is not None, "timestamps were agreed on"
        return self.recent_stamp is not None and signed(seen.stamps[0] - self.recent_stamp) < 0

    def _take_syn(self, seen: Seen) -> None:
        assert seen.payload == b"", "data in a SYN is to wait"
        if self.irs is None:
            self.irs = seen.seq
            self.peer_mss = seen.mss or 536
            self.use_scale = self.use_scale and seen.scale is not None
            self.peer_scale = min(14, seen.scale or 0) if self.use_scale else 0
            self.use_sack = self.use_sack and seen.sack_permitted
            self.use_stamps = self.use_stamps and seen.stamps is not None
            self.window = seen.window
            if seen.stamps is not None:
                self.recent_stamp = seen.stamps[0]
        if seen.flags & ACK:
            self.connected = True
            self.backoff = 0
            self.wake = None
            self._emit(self.highest, ACK)
            self.transmit()
        else:
            self._emit(-1, SYN | ACK)
            self._arm()

    def _take_ack(self, seen: Seen, start: int) -> None:
        if not seen.flags & ACK:
            return
        ack = signed(seen.ack - self.habits.isn - 1 - self.una) + self.una
        assert ack <= max(self.highest, 0), f"{self.name}: {ack} acknowledged of {self.highest} sent"
        assert not seen.sack or self.use_sack, "SACK was not permitted"
        for left, right in seen.sack:
            edges = [signed(edge - self.habits.isn - 1 - self.una) + self.una for edge in (left, right)]
            assert ack < edges[0] < edges[1] <= self.highest, f"SACK {edges} of {self.highest} sent, {ack} acknowledged"
        if not self.connected:
            self.connected = True
            self.backoff = 0
            self.wake = None
        if ack >= self.una and (self.wl is None or (start, ack) >= self.wl):
            self.wl = (start, ack)
            self.window = seen.window << self.peer_scale
        if ack > self.una:
            self.una = ack
            self.nxt = max(self.nxt, ack)
            self.backoff = 0
            self.duplicates = 0
            self.wake = None
            if self.una < self.end:
                self._arm()
        elif ack == self.una < self.highest and not seen.payload:
            self.duplicates += 1
            if self.duplicates == 3:
                self.nxt = self.una
                self.transmit(1)

    def _take_data(self, seen: Seen, start: int) -> None:
        limit = len(self.received) + self._free()
        for at, byte in enumerate(seen.payload, start):
            if at < 0:
                continue
            if at < len(self.received):
                assert self.received[at] == byte, f"{self.name}: another byte at {at}"
            elif at < limit:
                assert self.early.setdefault(at, byte) == byte, f"{self.name}: another byte at {at}"
        if seen.flags & FIN:
            stop = start + len(seen.payload)
            assert self.fin_at in (None, stop), "the FIN stays where it was"
            self.fin_at = stop
        while len(self.received) in self.early:
            self.received.append(self.early.pop(len(self.received)))
            self.unread += 1
        if self.fin_at == len(self.received):
            self.fin_received = True
