"""`sipalg pcap`: captures in, and tshark's judgement of the captures that come out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.capture.reader import read_capture
from harness.cli import main
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.harness.capture.expert import remarks
from tests.harness.capture.wireshark import dissect, followed
from tests.harness.commands.pcap_runs import REMOTE, awkward, conversation, run
from tests.helpers.captures import ETHERNET_HEADER, START, Conversation, file_comment, pcap
from tests.helpers.ipv4 import echo, judged, udp
from tests.helpers.system import require_system


def test_an_inside_capture(tmp_path: Path) -> None:
    """Tshark finds the outside's conversation: its addresses, its messages whole, and nothing stranger than before."""
    data = pcap(conversation())
    target, said = run(tmp_path, data, "--map", MAP)
    frames = dissect(target)
    assert {frame.interface for frame in frames} == {"outside"}
    assert followed(target, 0) == awkward(OUTSIDE)
    assert [message for frame in frames for message in frame.messages] == [
        *("INVITE", "200", "INVITE", "200", "INVITE", "OPTIONS", "OPTIONS", "INVITE", "INVITE", "OPTIONS"),
    ]
    bodies = [part.partition(b"\r\n\r\n")[2] for part in (request(OUTSIDE), response(OUTSIDE))]
    assert [frame.content_lengths for frame in frames if frame.messages][:2] == [(len(body),) for body in bodies]
    assert remarks(target) <= remarks(tmp_path / "in.pcap")
    ends = {(judged(packet.data).source[0], judged(packet.data).destination[0]) for packet in read_capture(str(target))}
    assert ends == {(OUTSIDE, REMOTE), (REMOTE, OUTSIDE)}
    assert said[0] == f"sipalg pcap: captured inside, as {INSIDE} tells"
    assert said[1].endswith("connections: 1, messages: 10, rewritten: 10")


def test_an_outside_capture(tmp_path: Path) -> None:
    """What the outside saw gives what the inside saw, and that the former again."""
    target, said = run(tmp_path, pcap(conversation(OUTSIDE)), "--map", MAP)
    assert said[0] == f"sipalg pcap: captured outside, as {OUTSIDE} tells"
    assert {frame.interface for frame in dissect(target)} == {"inside"}
    assert followed(target, 0) == awkward(INSIDE)
    back = tmp_path / "back.pcapng"
    assert main(["pcap", str(target), str(back), "--map", MAP]) == 0
    assert followed(back, 0) == awkward(OUTSIDE)


def test_times_and_comments(tmp_path: Path) -> None:
    """A message leaves when the segment came that completed it; a comment says by which rules it was changed."""
    packets = conversation()
    target, _ = run(tmp_path, pcap(packets, nanoseconds=True), "--map", MAP)
    written = list(read_capture(str(target)))
    (first,) = [packet for packet in written if packet.data.endswith(request(OUTSIDE))]
    assert first.timestamp == next(time for time, data in packets if data.endswith(request(INSIDE)))
    assert first.comments == (
        "INVITE rewritten by Via, Via received, From, Contact, Record-Route, Content-Length, "
        "SDP o=, SDP c=, SDP a=rtcp: +16 bytes",
    )
    large = [packet for packet in written if any("+16 bytes" in text for text in packet.comments)]
    completed = next(time for time, data in packets if data.endswith(request(INSIDE, call="big", size=3000)[3460:]))
    assert [packet.timestamp for packet in large].count(completed) == 3


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_formats(tmp_path: Path, order: str, nanoseconds: bool) -> None:
    """Either byte order and resolution gives the same capture."""
    made = []
    for data in (pcap(conversation(), 1, ETHERNET_HEADER, order, nanoseconds), pcap(conversation())):
        target, _ = run(tmp_path, data, "--map", MAP)
        made.append(target.read_bytes())
    assert made[0] == made[1]


def test_pcapng_with_interfaces_and_comments(tmp_path: Path) -> None:
    """As Wireshark's tools write them: merged from two link types, with a comment of somebody's."""
    packets = conversation()
    for name, part, link_type, header in (("a", packets[::2], 1, ETHERNET_HEADER), ("b", packets[1::2], 101, b"")):
        (tmp_path / name).write_bytes(pcap(part, link_type, header))
    merged, commented = tmp_path / "merged.pcapng", tmp_path / "commented.pcapng"
    package = "wireshark-common"
    subprocess.run([require_system("mergecap", package), "-w", merged, tmp_path / "a", tmp_path / "b"], check=True)
    subprocess.run([require_system("editcap", package), "-a", "1:call begins", merged, commented], check=True)
    target, _ = run(tmp_path, commented.read_bytes(), "--map", MAP)
    assert followed(target, 0) == awkward(OUTSIDE)
    assert next(read_capture(str(target))).comments == ("call begins",)
    assert file_comment(target) is None


def test_the_pool(tmp_path: Path) -> None:
    """Each inside endpoint has its port, in packets and messages."""
    target, _ = run(tmp_path, pcap(conversation()), "--pool", OUTSIDE, "--inside", "10.0.30.0/24")
    sent, came = followed(target, 0)
    assert sent.startswith(request(OUTSIDE))
    assert came.startswith(response(OUTSIDE))


def test_other_traffic(tmp_path: Path) -> None:
    """UDP and ICMP are translated; what is none of the ALG's business passes, and everything is counted."""
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    frames = [
        *((ETHERNET_HEADER + data) for data in (udp((INSIDE, 9), (REMOTE, 9)), echo(REMOTE, INSIDE, 3))),
        ETHERNET_HEADER + udp((REMOTE, 1), (REMOTE, 2)),
        arp,
    ]
    target, said = run(tmp_path, pcap([(START, frame) for frame in frames], 1), "--map", MAP)
    packets = list(read_capture(str(target)))
    assert [packet.interface.name for packet in packets] == ["outside"] * 3 + ["link type 1"]
    assert judged(packets[0].data).source == (OUTSIDE, 9)
    assert judged(packets[1].data).destination == (OUTSIDE, 3)
    assert packets[3].data == arp
    assert said[1:] == [
        "sipalg pcap: 4 packets in, 4 out; connections: 0, messages: 0, rewritten: 0",
        "sipalg pcap: 1 packets inward",
        "sipalg pcap: 1 packets outward",
        "sipalg pcap: 1 packets unchanged: none or both ends mapped",
        "sipalg pcap: 1 packets unchanged: not IPv4",
    ]
    listed = subprocess.run(
        [require_system("tshark", "tshark"), "-r", str(target), "-T", "fields", "-e", "frame.protocols"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.split()
    assert [protocols.split(":")[0] for protocols in listed] == ["raw", "raw", "raw", "eth"]


def test_a_snap_length(tmp_path: Path) -> None:
    """Segments without their payload keep their numbers, addresses and lengths; no message can be rewritten."""
    target, said = run(tmp_path, pcap(conversation(), snap=60), "--map", MAP)
    before, after = list(read_capture(str(tmp_path / "in.pcap"))), list(read_capture(str(target)))
    assert [packet.original_length for packet in after] == [packet.original_length for packet in before]
    assert {len(packet.data) for packet in after} <= {len(packet.data) for packet in before}
    assert {frame.ports for frame in dissect(target)} == {(40000, 5060), (5060, 40000)}
    assert remarks(target) <= remarks(tmp_path / "in.pcap")
    assert "rewritten: 0" in said[1]


def test_summary_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with all that people are told."""
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(conversation()))
    assert main(["pcap", str(source), str(tmp_path / "out"), "--map", MAP, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary == {
        "side": "inside",
        "packets_in": len(conversation()),
        "packets_out": sum(1 for _ in read_capture(str(tmp_path / "out"))),
        "packets": {"inward": summary["packets"]["inward"], "outward": summary["packets"]["outward"]},
        "connections": 1,
        "messages": 10,
        "messages_rewritten": 10,
        "bytes_left_out": 0,
        "fragments_left_out": 0,
        "fault": None,
    }
    assert sum(summary["packets"].values()) == summary["packets_in"]


def test_messages_that_stay(tmp_path: Path) -> None:
    """They are no rewritten ones."""
    talk = Conversation((INSIDE, 40000), (REMOTE, 5060))
    talk.open()
    talk.send(0, options(REMOTE), options(INSIDE))
    _, said = run(tmp_path, pcap(talk.packets), "--map", MAP)
    assert said[1].endswith("connections: 1, messages: 2, rewritten: 1")


def test_a_fault(tmp_path: Path) -> None:
    """What the ALG would have done wrong on the way from this side to the other shows on the other."""
    target, _ = run(tmp_path, pcap(conversation()), "--map", MAP, "--fault", "unknown-method-dropped:known=INVITE")
    sent, came = awkward(OUTSIDE)
    for number in (1, 2, 3):
        sent = sent.replace(options(OUTSIDE, number), b"")
    assert followed(target, 0) == (sent, came)
    assert remarks(target) <= remarks(tmp_path / "in.pcap")


def test_events(tmp_path: Path) -> None:
    """Messages, rewrites and holds, each at the time of the capture and in its true direction."""
    events = tmp_path / "events.jsonl"
    packets = conversation()
    run(tmp_path, pcap(packets), "--map", MAP, "--events", str(events))
    seen = [json.loads(line) for line in events.read_text().splitlines()]
    messages = [event for event in seen if event["event"] == "message"]
    assert [event["direction"] for event in messages[:4]] == ["outward", "inward", "outward", "inward"]
    assert messages[0]["time"] == pytest.approx(packets[3][0] / 1e9, abs=1e-6)
    assert (messages[0]["delta"], messages[1]["delta"]) == (16, len(response(OUTSIDE)) - len(response(INSIDE)))
    assert {event["event"] for event in seen} == {"message", "rewrite", "hold"}


def test_without_l4f(tmp_path: Path) -> None:
    """SIP over TCP is plain TCP: addresses of packets change, payloads stay."""
    target, _ = run(tmp_path, pcap(conversation()), "--map", MAP, "--no-l4f")
    assert followed(target, 0) == awkward(INSIDE)
    assert {judged(packet.data).source[0] for packet in read_capture(str(target))} == {OUTSIDE, REMOTE}


def test_a_configuration_that_cuts(tmp_path: Path) -> None:
    """What has happened cannot be cut: bytes that are no SIP pass."""
    config = tmp_path / "alg.toml"
    config.write_text(f'[alg]\nmalformed = "close"\n[[map]]\ninside = "{INSIDE}"\noutside = "{OUTSIDE}"\n')
    talk = Conversation((INSIDE, 40000), (REMOTE, 5060))
    talk.open()
    talk.send(0, options(INSIDE), b"no SIP at all\r\n\r\n", b"more of it")
    talk.close()
    target, _ = run(tmp_path, pcap(talk.packets), "--config", str(config))
    assert followed(target, 0)[0] == options(OUTSIDE) + b"no SIP at all\r\n\r\nmore of it"
