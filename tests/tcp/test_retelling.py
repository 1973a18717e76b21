"""A captured connection retold, packet by packet (see `captured` for how to read it)."""

from __future__ import annotations

import dataclasses

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.tcp.packet import TcpSegment
from alg.tcp.retelling import Retold, RetoldFlow
from alg.trace import AnyRecord, MessageRecord, StreamRecord
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.tcp.captured import GROWN, opened
from tests.tcp.dialogue import Dialogue
from tests.tcp.endpoint import FIN, PSH, RST, SYN, read
from tests.tcp.rewriter import LineRewriter

STAMPS = b"\x01\x01\x08\x0a" + bytes(8)


def test_numbers_move_with_messages() -> None:
    """Both directions are rewritten alike; acknowledgments count the other side's bytes."""
    capture = opened()
    assert capture.inside(b"ga\n") == [f"> 0 ack 0 '{GROWN}ga\\n'"]
    assert capture.outside(ack=3) == ["< 0 ack 21"]
    assert capture.outside(b"sabcdef\n", ack=3) == ["< 0 ack 21 'sabc\\n'"]
    assert capture.inside(at=3, ack=8) == ["> 21 ack 5"]
    assert capture.inside(b"tb\n", at=3, ack=8) == ["> 21 ack 5 'Tb\\n'"]
    assert capture.outside(at=8, ack=6) == ["< 5 ack 24"]


def test_what_does_not_change_passes_as_it_is() -> None:
    """To the byte, options and all."""
    capture = opened()
    packet = capture.packet(Direction.OUTWARD, b"plain\n", 0, 0, PSH | 16, 777, STAMPS)
    assert capture.retold.handle(Direction.OUTWARD, TcpSegment(packet), 0.0) == [(Direction.OUTWARD, packet)]


def test_a_message_of_several_segments() -> None:
    """It leaves with its last one; nobody can have acknowledged its beginning before."""
    capture = opened()
    assert capture.inside(b"ga") == []
    assert capture.outside(ack=2) == []
    assert capture.inside(b"b", at=2) == []
    assert capture.outside(ack=3, window=4000) == []
    assert capture.inside(b"c\n", at=3) == [f"> 0 ack 0 '{GROWN}gabc\\n'"]
    assert capture.outside(ack=5) == ["< 0 ack 23"]
    assert capture.records == []


def test_segments_that_also_acknowledge() -> None:
    """What a held segment says besides is said when it was."""
    capture = opened()
    assert capture.outside(b"one\n") == ["< 0 ack 0 'one\\n'"]
    assert capture.inside(b"ga", ack=4) == ["> 0 ack 4"]
    assert capture.inside(b"b", at=2, ack=4) == []
    assert capture.outside(b"two\n", at=4, ack=3) == ["< 4 ack 0 'Two\\n'"]
    assert capture.inside(b"\n", at=3, ack=8) == [f"> 0 ack 8 '{GROWN}gab\\n'"]


def test_several_messages_in_a_segment() -> None:
    """Whole ones leave, the beginning of another waits."""
    capture = opened()
    assert capture.inside(b"ga\ntb\nsc") == [f"> 0 ack 0 '{GROWN}ga\\nTb\\n'"]
    assert capture.outside(ack=8) == ["< 0 ack 24"]
    assert capture.inside(b"def\n", at=8) == ["> 24 ack 0 'scd\\n'"]


def test_growth_past_the_segment_size() -> None:
    """A segment stays one as long as it fits what the receiver said, options counted; PSH stands on the last."""
    capture = opened(mss=600)
    whole = GROWN * 30 + "G" + "x" * 70 + "\\n"
    assert capture.inside(b"G" + b"x" * 70 + b"\n") == [f"> 0 ack 0 '{whole[:600]}'", f"> 600 ack 0 '{whole[600:]}'"]
    assert [read(packet).flags & PSH for packet in capture.packets] == [0, PSH]
    capture = opened(mss=600)
    assert len(capture.inside(b"G" + b"x" * 58 + b"\n")) == 1
    capture = opened(mss=600)
    assert [len(read(packet).payload) for packet in capture.packets] == []
    capture.inside(b"G" + b"x" * 58 + b"\n", options=STAMPS)
    assert [len(read(packet).payload) for packet in capture.packets] == [588, 12]


def test_segments_that_a_device_cuts() -> None:
    """What the capture shows in one piece, before the network device has cut it, stays so."""
    capture = opened(mss=100)
    assert capture.inside(b"t" + b"x" * 300 + b"\n") == ["> 0 ack 0 'T" + "x" * 300 + "\\n'"]


def test_the_largest_packets() -> None:
    """None is larger than a packet can be, whatever segments the receiver says to take."""
    capture = opened(mss=65535)
    line = b"g" + b"x" * 69_998 + b"\n"
    for at in range(0, len(line), 20_000):
        capture.inside(line[at : at + 20_000], at=at)
    sent = [read(packet) for packet in capture.packets]
    assert [len(segment.payload) for segment in sent] == [65_495, len(GROWN) + 70_000 - 65_495]
    assert b"".join(segment.payload for segment in sent) == GROWN.encode() + line
    brim = b"g" + b"x" * 65_493 + b"\n"
    capture.inside(brim, at=70_000)
    assert [len(read(packet).payload) for packet in capture.packets] == [65_495, len(GROWN)]


def test_repetitions_keep_their_cuts() -> None:
    """Each part is repeated at its place; the last one has the growth."""
    capture = opened()
    capture.inside(b"ga")
    capture.inside(b"bcd\n", at=2)
    assert capture.inside(b"ga") == [f"> 0 ack 0 '{GROWN[:2]}'"]
    assert capture.inside(b"bcd\n", at=2) == [f"> 2 ack 0 '{GROWN[2:]}gabcd\\n'"]
    assert capture.inside(b"gabcd\n") == [f"> 0 ack 0 '{GROWN}gabcd\\n'"]
    assert capture.outside(ack=2) == ["< 0 ack 2"]
    assert capture.outside(ack=6) == ["< 0 ack 24"]


def test_repetitions_of_what_shrank() -> None:
    """The last part may have nothing left."""
    capture = opened()
    capture.inside(b"sabc")
    assert capture.inside(b"def\n", at=4) == ["> 0 ack 0 'sabc\\n'"]
    assert capture.inside(b"sabc") == ["> 0 ack 0 'sabc'"]
    assert capture.inside(b"ef\n", at=5) == []
    assert capture.outside(ack=4) == ["< 0 ack 4"]


def test_repetition_with_more() -> None:
    """A segment may bring the next bytes as well."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.inside(b"ga\ntb\n") == [f"> 0 ack 0 '{GROWN}ga\\nTb\\n'"]
    assert capture.inside(b"ga\ntb\nsc") == [f"> 0 ack 0 '{GROWN}ga\\nTb\\n'"]


def test_repetition_of_what_waits() -> None:
    """It did not leave, so it is not repeated; nor does the receiver say again what it has not."""
    capture = opened()
    assert capture.inside(b"ga") == []
    assert capture.inside(b"ga") == []
    assert capture.outside(ack=0) == []
    assert capture.inside(b"gab\n") == [f"> 0 ack 0 '{GROWN}gab\\n'"]


def test_lost_before_the_capture() -> None:
    """What comes early leaves in its turn; who missed something on this side missed nothing on the other."""
    capture = opened(sack=True)
    assert capture.inside(b"tb\n", at=3) == []
    assert capture.outside(sack=(3, 6)) == []
    assert capture.outside(b"news\n", sack=(3, 6)) == ["< 0 ack 0 'news\\n'"]
    assert capture.inside(b"ga\n", ack=5) == [f"> 0 ack 5 '{GROWN}ga\\nTb\\n'"]
    assert capture.outside(at=5, ack=6) == ["< 5 ack 24"]


def test_lost_behind_the_capture() -> None:
    """The receiver says so, in the numbers of the other side, and gets it again."""
    capture = opened(sack=True)
    capture.inside(b"ga\n")
    capture.inside(b"gb\n", at=3)
    capture.inside(b"gc\n", at=6)
    assert capture.outside(sack=(3, 6)) == ["< 0 ack 0 sack 21-42"]
    assert capture.outside(sack=(6, 9, 3, 6)) == ["< 0 ack 0 sack 42-63 sack 21-42"]
    assert capture.outside(sack=(6, 9, 3, 6)) == ["< 0 ack 0 sack 42-63 sack 21-42"]
    assert capture.inside(b"ga\n") == [f"> 0 ack 0 '{GROWN}ga\\n'"]
    assert capture.outside(ack=9) == ["< 0 ack 63"]


def test_lost_behind_the_capture_while_something_waits() -> None:
    """What the receiver has is news, though it repeats its acknowledgment."""
    capture = opened(sack=True)
    capture.inside(b"ga\n")
    capture.inside(b"gb\n", at=3)
    capture.inside(b"gc", at=6)
    assert capture.outside(sack=(3, 6)) == ["< 0 ack 0 sack 21-42"]
    assert capture.outside(sack=(3, 8)) == ["< 0 ack 0 sack 21-42"]
    assert capture.outside(sack=(6, 8)) == []


def test_duplicate_acknowledgments_stay() -> None:
    """They are what they were as long as all has left."""
    capture = opened()
    capture.inside(b"ga\n")
    assert [capture.outside(ack=3), capture.outside(ack=3)] == [["< 0 ack 21"]] * 2
    assert capture.outside(ack=0) == ["< 0 ack 0"]


def test_window_updates_stay() -> None:
    """A closed window opens."""
    capture = opened(show_window=True)
    capture.inside(b"ga\n")
    assert capture.outside(ack=3, window=0) == ["< 0 ack 21 window 0"]
    assert capture.outside(ack=3, window=900) == ["< 0 ack 21 window 900"]


def test_close_inside_a_message() -> None:
    """What is held leaves unchanged with the FIN, which is acknowledged behind it."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.inside(b"gb", at=3) == []
    assert capture.inside(b"c", at=5, flags=FIN) == ["> 21 ack 0 FIN 'gbc'"]
    assert capture.inside(b"c", at=5, flags=FIN) == ["> 23 ack 0 FIN 'c'"]
    assert capture.outside(ack=7, flags=FIN) == ["< 0 ack 25 FIN"]
    assert not capture.retold.finished
    assert capture.inside(at=7, ack=1) == ["> 25 ack 1"]
    assert capture.retold.finished
    assert capture.inside(at=6, flags=FIN, ack=1) == ["> 24 ack 1 FIN"]


def test_a_close_that_comes_early() -> None:
    """It waits for what comes before it."""
    capture = opened()
    assert capture.inside(at=3, flags=FIN) == []
    assert capture.inside(b"ga\n") == [f"> 0 ack 0 FIN '{GROWN}ga\\n'"]


def test_bytes_behind_the_close() -> None:
    """There are none."""
    capture = opened()
    assert capture.inside(at=3, flags=FIN) == []
    assert capture.inside(b"ga\nmore") == [f"> 0 ack 0 FIN '{GROWN}ga\\n'"]
    assert capture.inside(b"more", at=3) == []
    assert capture.outside(ack=4) == ["< 0 ack 22"]


def test_reset() -> None:
    """Its number moves as well; what was held is void, and a record says so."""
    capture = opened()
    capture.inside(b"ga\nhalf")
    assert capture.inside(at=7, flags=RST) == ["> 21 ack 0 RST"]
    assert capture.retold.finished
    assert capture.records == ["reset"]


def test_keep_alives() -> None:
    """A number below the next, with and without a byte of garbage."""
    capture = opened()
    capture.inside(b"ga\n")
    capture.outside(ack=3)
    assert capture.inside(at=2) == ["> 20 ack 0"]
    assert capture.outside(ack=3) == ["< 0 ack 21"]
    assert capture.inside(b"\0", at=2) == ["> 20 ack 0 '\\x00'"]


def test_byte_by_byte() -> None:
    """The latest byte again, while its message waits, is no keep-alive."""
    capture = opened()
    for at, byte in enumerate(b"ga"):
        assert capture.inside(bytes([byte]), at=at) == []
    assert capture.inside(b"a", at=1) == []
    assert capture.inside(b"\n", at=2) == [f"> 0 ack 0 '{GROWN}ga\\n'"]


def test_numbers_that_an_error_quotes() -> None:
    """They move as those of packets do; of a direction that was never seen they stay."""
    capture = opened()
    capture.inside(b"ga\ngb\n")
    numbers = [capture.isn[0] + 1 + offset for offset in (3, 21)]
    assert capture.retold.outgoing_sequence(Direction.OUTWARD, numbers[0] % 2**32) == numbers[1] % 2**32
    assert (
        RetoldFlow(Direction.OUTWARD, lambda way, sink: LineRewriter(), print).outgoing_sequence(Direction.INWARD, 7)
        == 7
    )


def retold_invite(sizes: tuple[int, ...], again: bool = False) -> tuple[list[Retold], list[AnyRecord]]:
    """OPTIONS, INVITE, OPTIONS from the inside, in segments of these sizes; `again`: the first one over and over."""
    records: list[AnyRecord] = []
    alg = Alg(AlgConfig(nat=NatConfig(maps=(AddressMap.parse(MAP),))))
    flow = RetoldFlow(Direction.OUTWARD, lambda way, sink: alg.connection(sink=sink, keep_deltas=True), records.append)
    capture = Dialogue()
    data = options(INSIDE) + request(INSIDE) + options(INSIDE, 2)
    at, out = -1, []
    for flags, piece in ((SYN, b""), *((16, data[stop - size : stop]) for size, stop in _stops(sizes, again))):
        out += flow.handle(
            Direction.OUTWARD, TcpSegment(capture.packet(Direction.OUTWARD, piece, at, 0, flags, 5000)), 0.0
        )
        at = 0 if again else at + len(piece) + bool(flags & SYN)
    return out, records


def _stops(sizes: tuple[int, ...], again: bool) -> list[tuple[int, int]]:
    return [(size, size if again else sum(sizes[: number + 1])) for number, size in enumerate(sizes)]


def test_records_of_what_a_packet_carries() -> None:
    """Every packet with bytes of a message has its record, with the offsets of both sides."""
    first, second, third = len(options(INSIDE)), len(request(INSIDE)), len(options(INSIDE, 2))
    out, records = retold_invite((first, second - 50, 50 + third))
    assert [[record.summary.cseq for record in each.records] for each in out] == [
        [],
        ["1 OPTIONS"],
        ["1 INVITE"],
        ["1 INVITE", "2 OPTIONS"],
    ]
    messages = [record for record in records if isinstance(record, MessageRecord)]
    assert [record.offset_in for record in messages] == [0, first, first + second]
    assert [record.offset_out for record in messages] == [0, first + 2, first + 2 + len(request(OUTSIDE))]
    assert messages[1].after == request(OUTSIDE)


def test_no_records_of_repetitions() -> None:
    """A message is told about when it leaves for the first time."""
    out, _ = retold_invite((len(options(INSIDE)),) * 2, again=True)
    assert [len(each.records) for each in out] == [0, 1, 0]
    assert out[1].data == out[2].data


def test_records_name_the_true_direction() -> None:
    """What the other side sent is rewritten as if it went outward, and is inward all the same."""
    records: list[AnyRecord] = []
    alg = Alg(AlgConfig(nat=NatConfig(maps=(AddressMap.parse(MAP),))))
    flow = RetoldFlow(Direction.OUTWARD, lambda way, sink: alg.connection(sink=sink, keep_deltas=True), records.append)
    capture = Dialogue()
    for flags, at, piece in ((SYN, -1, b""), (16, 0, options(INSIDE) + b"SIP?\r\n\r\n")):
        flow.handle(Direction.INWARD, TcpSegment(capture.packet(Direction.INWARD, piece, at, 0, flags, 5000)), 0.0)
    directions = {record.direction for record in records}
    assert directions == {Direction.INWARD}
    passed = [record.record for record in records if isinstance(record, StreamRecord)]
    assert [dataclasses.astuple(record)[:2] for record in passed] == [
        ("passthrough", (len(options(INSIDE)), len(options(INSIDE)) + 8))
    ]
