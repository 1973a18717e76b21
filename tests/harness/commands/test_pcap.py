"""`sipalg pcap`: captures in, and tshark's judgement of the captures that come out."""

from __future__ import annotations

import io
import json
import subprocess
from collections import Counter
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from harness.capture.reader import read_capture
from harness.cli import main
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.harness.capture.wireshark import dissect, followed
from tests.helpers.captures import ETHERNET_HEADER, START, Conversation, Timed, pcap
from tests.helpers.ipv4 import echo, judged, udp
from tests.helpers.system import require_system, run_sipalg, sipalg_command, sipalg_environment

REMOTE = "192.0.2.1"
_REMARKS = (
    *("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order", "lost_segment"),
    *("ack_lost_segment", "duplicate_ack", "window_update", "window_full", "zero_window", "keep_alive"),
)
"""What tshark finds strange about a segment, and some that it only remarks on."""


def awkward(host: str) -> tuple[bytes, bytes]:
    """What both sides say in `conversation`, the client having this address."""
    large = request(host, call="big", size=3000)
    brim = request(host, call="brim", size=1460 - len(request(INSIDE, call="brim", size=1)) + 1)
    sent = request(host) + large + brim + options(host, 1) + options(host, 2) + request(host, call="late")
    sent += request(host, call="lost") + options(host, 3)
    return sent, response(host) + response(host, call="big", size=2000)


def conversation(host: str = INSIDE) -> list[Timed]:
    """Messages in all awkward shapes, as seen where the client has this address."""
    talk = Conversation((host, 40000), (REMOTE, 5060))
    talk.open()
    talk.send(0, request(host))
    talk.send(1, response(host))
    large = request(host, call="big", size=3000)
    talk.send(0, large[:1460], large[1460:2000], large[2000:3460], large[3460:])
    second = response(host, call="big", size=2000)
    talk.send(1, second[:1], second[1:1400], second[1400:])
    talk.send(0, request(host, call="brim", size=1460 - len(request(INSIDE, call="brim", size=1)) + 1))
    late, lost = request(host, call="late"), request(host, call="lost")
    talk.send(0, options(host, 1) + options(host, 2))
    talk.lose(0, late[:300], late[300:], again=False)
    talk.lose(0, lost, options(host, 3), again=True)
    talk.close()
    return talk.packets


def remarks(path: Path) -> Counter[str]:
    """What tshark remarks on."""
    command = [require_system("tshark", "tshark"), "-r", str(path), "-T", "fields"]
    fields = [f"tcp.analysis.{name}" for name in _REMARKS]
    command += [word for name in fields for word in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return Counter(name for row in rows for name, value in zip(_REMARKS, row, strict=True) if value)


def run(tmp_path: Path, data: bytes, *args: str, status: int = 0) -> tuple[Path, list[str]]:
    """Run the command on a file; what it wrote, and its lines on standard error."""
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    source.write_bytes(data)
    with redirect_stderr(io.StringIO()) as said:
        assert main(["pcap", str(source), str(target), *args]) == status, said.getvalue()
    return target, said.getvalue().splitlines()


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
    assert not [fault for frame in frames for fault in frame.faults if "analysis" not in fault]
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
@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (0, b"\x02\0\0\0"),
        (1, ETHERNET_HEADER),
        (101, b""),
        (108, b"\0\0\0\x02"),
        (113, bytes(14) + b"\x08\x00"),
        (276, b"\x08\x00" + bytes(18)),
    ],
)
def test_formats(tmp_path: Path, order: str, nanoseconds: bool, link_type: int, header: bytes) -> None:
    """Every link type in either byte order and resolution gives the same capture."""
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    written = []
    for data in (pcap(conversation(), link_type, header, order, nanoseconds), pcap(conversation())):
        source.write_bytes(data)
        assert main(["pcap", str(source), str(target), "--map", MAP]) == 0
        written.append(target.read_bytes())
    assert written[0] == written[1]


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


def test_a_file_that_is_cut(tmp_path: Path) -> None:
    """What was complete is written; a line says where the file ends, and so does the status."""
    data = pcap(conversation()[:6])
    target, said = run(tmp_path, data[:-100], "--map", MAP, status=3)
    assert len(list(read_capture(str(target)))) == 5
    last = len(pcap(conversation()[:5]))
    size = len(pcap(conversation()[:6])) - last - 16
    assert said[-1] == (
        f"sipalg pcap: {tmp_path}/in.pcap: file ends inside a packet of {size} bytes (offset {last}); "
        "what comes before is written"
    )


def test_a_capture_that_ends_inside_a_message(tmp_path: Path) -> None:
    """The bytes that have not left are counted, and the status says so."""
    talk = Conversation((INSIDE, 40000), (REMOTE, 5060))
    talk.open()
    talk.send(0, options(INSIDE), request(INSIDE)[:300])
    target, said = run(tmp_path, pcap(talk.packets), "--map", MAP, status=3)
    assert followed(target, 0)[0] == options(OUTSIDE)
    assert said[-1] == "sipalg pcap: 300 bytes left out: the capture has not the rest of their messages"


def test_fragments_that_are_missing(tmp_path: Path) -> None:
    """They are counted."""
    half = udp((INSIDE, 9), (REMOTE, 9), bytes(96), word=0x2000)
    _, said = run(tmp_path, pcap([(START, half)]), "--map", MAP)
    assert said[-1] == "sipalg pcap: 1 fragments left out: the capture has not the rest of their packets"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GIF89a and more", "neither a pcap nor a pcapng file (offset 0)"),
        (b"", "empty, no capture file (offset 0)"),
        (pcap([])[:20], "file ends inside its header (offset 0)"),
    ],
)
@pytest.mark.parametrize("side", [(), ("--side", "inside")])
def test_no_capture(tmp_path: Path, data: bytes, complaint: str, side: tuple[str, ...]) -> None:
    """Status 2, one line with the file and the place; nothing is written."""
    target, said = run(tmp_path, data, "--map", MAP, *side, status=2)
    assert said == [f"sipalg: {tmp_path}/in.pcap: {complaint}"]
    assert not target.exists()


def test_a_capture_without_packets(tmp_path: Path) -> None:
    """It gives one without packets."""
    target, said = run(tmp_path, pcap([]), "--map", MAP)
    assert list(read_capture(str(target))) == []
    assert said[0] == "sipalg pcap: no packet has an address that is mapped: taken for a capture of the inside"


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what and where."""
    source, target = tmp_path / "in.pcap", tmp_path / "out"
    source.write_bytes(pcap(conversation(OUTSIDE)))
    link = tmp_path / "link"
    link.symlink_to(source)
    for args, complaint in (
        ((source,), "sipalg pcap: Missing argument 'OUT'."),
        ((tmp_path / "none", target), f"sipalg: {tmp_path}/none: No such file or directory"),
        ((tmp_path, target), f"sipalg: {tmp_path}: Is a directory"),
        ((source, tmp_path, "--map", MAP), f"sipalg: {tmp_path}: Is a directory"),
        ((source, source, "--map", MAP), f"sipalg: {source}: is what is read, and not to be written over"),
        ((source, link, "--map", MAP), f"sipalg: {link}: is what is read, and not to be written over"),
        ((source, "-", "--json"), "sipalg: --json: standard output is taken by the capture"),
        ((source, target, "--map", "nonsense"), "sipalg: --map: 'nonsense' is not INSIDE=OUTSIDE"),
        ((source, target, "--events", "/nowhere/e"), "sipalg: --events /nowhere/e: No such file or directory"),
        (
            (source, target, "--pool", OUTSIDE),
            "sipalg: --side outside: no --map to undo; what is behind the ports of a pool is not in a capture",
        ),
    ):
        assert main(["pcap", *map(str, args)]) == 2
        assert capsys.readouterr().err.splitlines()[-1] == complaint
    assert source.read_bytes() == pcap(conversation(OUTSIDE))


def test_standard_input_and_output(tmp_path: Path) -> None:
    """Both may be pipes; input that cannot be read twice has to have its side named."""
    data = pcap(conversation())
    target, _ = run(tmp_path, data, "--map", MAP)
    done = run_sipalg("pcap", "-", "-", "--map", MAP, "--side", "inside", stdin=data)
    assert (done.returncode, done.stdout) == (0, target.read_bytes())
    done = run_sipalg("pcap", "-", "-", "--map", MAP, stdin=data)
    complaint = b"sipalg: --side: - can be read only once: say where it was captured\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", complaint)


def test_a_reader_that_leaves() -> None:
    """It ends with status 3, without a traceback."""
    command = sipalg_command("pcap", "-", "-", "--map", MAP, "--side", "inside")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=sipalg_environment()
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(pcap(conversation() * 50), 30)
        assert (process.returncode, errors) == (3, b"")


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and status 3."""
    source = tmp_path / "in.pcap"
    source.write_bytes(pcap(conversation()))
    done = run_sipalg("pcap", str(source), "/dev/full", "--map", MAP, "--side", "inside")
    assert (done.returncode, done.stderr) == (3, b"sipalg pcap: /dev/full: No space left on device\n")


def test_help() -> None:
    """With an example that works."""
    done = run_sipalg("pcap", "--help")
    assert b"sipalg pcap inside.pcap outside.pcapng --map 10.0.30.2=64.100.0.10" in done.stdout
