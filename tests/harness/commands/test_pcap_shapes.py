"""`sipalg pcap` on captures of every shape, tshark being the judge of what goes in and of what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.capture.reader import read_capture
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.harness.capture.expert import remarks
from tests.harness.capture.wireshark import dissect, followed
from tests.harness.commands.pcap_runs import REMOTE, awkward, conversation, run
from tests.helpers.captures import ETHERNET_HEADER, MILLISECOND, START, Conversation, Timed, pcap
from tests.helpers.ipv4 import UDP, judged, packet, udp

LINKS = {
    "null": (0, b"\x02\0\0\0"),
    "null of a big-endian machine": (0, b"\0\0\0\x02"),
    "ethernet": (1, ETHERNET_HEADER),
    "VLAN": (1, ETHERNET_HEADER[:12] + b"\x81\0\0\x05\x08\0"),
    "VLAN in VLAN": (1, ETHERNET_HEADER[:12] + b"\x88\xa8\0\x07\x81\0\0\x05\x08\0"),
    "raw": (101, b""),
    "raw of old files": (12, b""),
    "loop": (108, b"\0\0\0\x02"),
    "cooked": (113, bytes.fromhex("0000 0001 0006 020000000001 0000 0800")),
    "IPv4": (228, b""),
    "cooked 2": (276, bytes.fromhex("0800 0000 00000003 0001 00 06 020000000001 0000")),
}
"""Link types with what stands in front of a packet."""


def talk() -> Conversation:
    """An open connection, as the inside sees it."""
    opened = Conversation((INSIDE, 40000), (REMOTE, 5060))
    opened.open()
    return opened


def sized(size: int) -> bytes:
    """An INVITE of the inside that is so long."""
    message = request(INSIDE, size=2 * size - len(request(INSIDE, size=size)))
    assert len(message) == size
    return message


def stranger(source: Path, target: Path) -> dict[str, int]:
    """What tshark says more often of a capture than of the one that it was made from."""
    return dict(remarks(target) - remarks(source))


def retold(tmp_path: Path, packets: list[Timed]) -> Path:
    """The outside's capture of what the inside saw, no stranger than that."""
    target, _ = run(tmp_path, pcap(packets), "--map", MAP)
    assert stranger(tmp_path / "in.pcap", target) == {}
    return target


@pytest.mark.parametrize(("side", "host", "other"), [("inside", INSIDE, OUTSIDE), ("outside", OUTSIDE, INSIDE)])
def test_both_sides(tmp_path: Path, side: str, host: str, other: str) -> None:
    """Tshark finds the same conversation in both captures, but for the addresses."""
    target, _ = run(tmp_path, pcap(conversation(host)), "--map", MAP, "--side", side)
    assert followed(target, 0) == awkward(other)
    assert stranger(tmp_path / "in.pcap", target) == {}
    (name,) = {frame.interface for frame in dissect(target)}
    assert {name, side} == {"inside", "outside"}


@pytest.mark.parametrize("link", LINKS)
def test_link_types(tmp_path: Path, link: str) -> None:
    """Tshark finds the conversation in the frames; what is made of them is what is made of the bare packets."""
    link_type, header = LINKS[link]
    for side, host in (("outside", OUTSIDE), ("inside", INSIDE)):
        made = []
        for data in (pcap(conversation(host)), pcap(conversation(host), link_type, header)):
            target, _ = run(tmp_path, data, "--map", MAP, "--side", side)
            made.append(target.read_bytes())
        assert made[0] == made[1]
    assert followed(tmp_path / "in.pcap", 0) == awkward(INSIDE)


def test_a_capture_of_all_interfaces_of_a_router(tmp_path: Path) -> None:
    """It shows every packet on both sides; what comes out is the outside's capture, each packet once."""
    inside, outside = conversation(INSIDE), conversation(OUTSIDE)
    both = [each for pair in zip(inside, outside, strict=True) for each in pair]
    link_type, header = LINKS["cooked 2"]
    target, said = run(tmp_path, pcap(both, link_type, header), "--map", MAP)
    alone = tmp_path / "alone"
    alone.mkdir()
    expected, _ = run(alone, pcap(inside), "--map", MAP)
    assert target.read_bytes() == expected.read_bytes()
    assert f"sipalg pcap: {len(outside)} packets left out: of the other side" in said


def test_repeated_segments(tmp_path: Path) -> None:
    """What was sent again is there again, at its first place: a whole message, half of one, and the growth of one."""
    one = talk()
    message = request(INSIDE, size=1700)
    one.send(0, options(INSIDE), message[:1200], message[1200:])
    sent = [data for _, data in one.packets if len(judged(data).payload) and judged(data).source[0] == INSIDE]
    last = one.packets[-1][0]
    again = [(last + MILLISECOND * (number + 1), data) for number, data in enumerate(sent)]
    target = retold(tmp_path, one.packets + again)
    expected = options(OUTSIDE) + request(OUTSIDE, size=1700)
    assert followed(target, 0)[0] == expected
    spurious = "TCP: This frame is a"
    assert remarks(target)[spurious] == remarks(tmp_path / "in.pcap")[spurious] > 0
    repeated = [judged(each.data).payload for each in read_capture(str(target)) if each.timestamp > last]
    assert b"".join(repeated) == expected
    assert [len(piece) for piece in repeated[:2]] == [len(options(OUTSIDE)), 1200]


def test_a_capture_that_begins_in_mid_stream(tmp_path: Path) -> None:
    """Inside a message, which passes as it is; the next one is rewritten, and so are answers."""
    one = talk()
    message = request(INSIDE)
    one.send(0, message[:300], message[300:], options(INSIDE))
    one.send(1, response(INSIDE))
    one.close()
    seen = [data for _, data in one.packets]
    start = next(number for number, data in enumerate(seen) if data.endswith(message[300:]))
    target = retold(tmp_path, one.packets[start:])
    assert followed(target, 0) == (message[300:] + options(OUTSIDE), response(OUTSIDE))


def test_a_capture_of_messages_alone(tmp_path: Path) -> None:
    """Saved without bare acknowledgments, as of a filter for SIP: all is rewritten behind the first message."""
    one = talk()
    one.send(0, options(INSIDE))
    one.send(1, response(INSIDE))
    one.send(0, request(INSIDE))
    messages = [(time, data) for time, data in one.packets if judged(data).payload]
    target = retold(tmp_path, messages)
    assert followed(target, 0) == (options(INSIDE) + request(OUTSIDE), response(OUTSIDE))


@pytest.mark.parametrize("size", [20_000, 65_495])
def test_packets_that_a_device_puts_together(tmp_path: Path, size: int) -> None:
    """Larger than any segment on the wire: they stay as large as they are, and what has grown follows."""
    one = talk()
    several = options(INSIDE, 1) + sized(size - len(options(INSIDE)))
    one.send(0, several)
    one.close()
    target = retold(tmp_path, one.packets)
    pieces = [judged(each.data).payload for each in read_capture(str(target))]
    assert [len(piece) for piece in pieces if piece] == [size, len(options(OUTSIDE)) - len(options(INSIDE)) + 16]
    whole = b"".join(pieces)
    assert whole.startswith(options(OUTSIDE, 1) + request(OUTSIDE, size=1)[:100])
    assert followed(target, 0)[0] == whole
    assert [frame.messages for frame in dissect(target) if frame.messages][-1][-1] == "INVITE"


def test_checksums_left_to_the_device(tmp_path: Path) -> None:
    """As the sending machine captures them, nearly all wrong; on the other side they were right."""
    packets = []
    for time, data in conversation():
        blank = bytearray(data)
        if judged(data).source[0] == INSIDE:
            blank[36:38] = b"\0\0"
        packets.append((time, bytes(blank)))
    target = retold(tmp_path, packets)
    assert remarks(tmp_path / "in.pcap")["TCP: Bad checksum"] > 0
    assert remarks(target)["TCP: Bad checksum"] == 0
    assert followed(target, 0) == awkward(OUTSIDE)


def test_sip_over_udp(tmp_path: Path) -> None:
    """Its packets are translated, its messages are not the ALG's: it looks into TCP."""
    datagrams = [
        udp((INSIDE, 5060), (REMOTE, 5060), request(INSIDE)),
        udp((REMOTE, 5060), (INSIDE, 5060), response(INSIDE)),
    ]
    target = retold(tmp_path, [(START + number, data) for number, data in enumerate(datagrams)])
    sent, came = (judged(packet.data) for packet in read_capture(str(target)))
    assert (sent.source, sent.payload) == ((OUTSIDE, 5060), request(INSIDE))
    assert (came.destination, came.payload) == ((OUTSIDE, 5060), response(INSIDE))


def test_fragments(tmp_path: Path) -> None:
    """A packet in fragments, in any order, leaves whole."""
    whole = udp((INSIDE, 5060), (REMOTE, 5060), request(INSIDE, size=3000), word=0, number=9)[20:]
    cuts = [packet(INSIDE, REMOTE, UDP, whole[at : at + 1480], 0x2000 | at // 8, 9) for at in (0, 1480)]
    cuts.append(packet(INSIDE, REMOTE, UDP, whole[2960:], 2960 // 8, 9))
    target = retold(tmp_path, [(START + number * MILLISECOND, cuts[place]) for number, place in enumerate((2, 0, 1))])
    (told,) = read_capture(str(target))
    assert judged(told.data).payload == request(INSIDE, size=3000)
    assert (judged(told.data).source, told.timestamp) == ((OUTSIDE, 5060), START + 2 * MILLISECOND)


@pytest.mark.parametrize("snap", [54, 96, 400])
def test_snap_lengths(tmp_path: Path, snap: int) -> None:
    """Of whatever length: packets that are cut keep their length on the wire, and whole ones have right checksums."""
    link_type, header = LINKS["ethernet"]
    target, _ = run(tmp_path, pcap(conversation(), link_type, header, snap=snap), "--map", MAP)
    assert stranger(tmp_path / "in.pcap", target) == {}
    before, after = list(read_capture(str(tmp_path / "in.pcap"))), list(read_capture(str(target)))
    cut = [each.original_length - len(header) for each in before if each.original_length > len(each.data)]
    assert [each.original_length for each in after if each.original_length > len(each.data)] == cut != []
    for each in after:
        if each.original_length == len(each.data):
            judged(each.data)


def test_other_traffic_stays_as_it_is(tmp_path: Path) -> None:
    """TCP of another port has its addresses changed and nothing else; that of other hosts has not even these."""
    packets: list[Timed] = []
    for ends in (((INSIDE, 40000), (REMOTE, 8080)), (("192.0.2.7", 40000), (REMOTE, 5060))):
        one = Conversation(*ends)
        one.open()
        one.send(0, request(INSIDE)[:500], request(INSIDE)[500:])
        one.close()
        packets += one.packets
    target = retold(tmp_path, packets)
    told = [each.data for each in read_capture(str(target))]
    half = len(packets) // 2
    assert told[half:] == [data for _, data in packets[half:]]
    for before, after in zip((data for _, data in packets[:half]), told[:half], strict=True):
        changed = {at for at in range(len(before)) if before[at] != after[at]}
        addresses = range(12, 16) if judged(before).source[0] == INSIDE else range(16, 20)
        assert changed - {*addresses} <= {10, 11, 36, 37}
        assert OUTSIDE in (judged(after).source[0], judged(after).destination[0])
