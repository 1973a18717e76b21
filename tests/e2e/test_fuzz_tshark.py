"""tshark judges what `sipalg fuzz` sends: whole SIP messages at every size, and a kernel's receiver counts them.

Strategy: what a server, or a caller, has received is written into a capture by hand, a conversation a message, in
segments of 1460 bytes. Its sizes are told by the receiver's own count and by tshark's count of payload.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from harness.fuzz.answering import Answer
from harness.fuzz.drafts import METHODS
from harness.fuzz.growing import PLACES
from tests.e2e.test_tshark import expert_words
from tests.harness.fuzz.callers import Caller
from tests.harness.fuzz.probers import prober_for, sizes_for
from tests.harness.fuzz.servers import LimitedServer
from tests.harness.fuzz.test_answering import answerer
from tests.helpers.captures import Conversation, pcap
from tests.helpers.system import require_system

SIP_PORT = 5060
SEGMENT = 1460
SIZES = 20
SEED = 20_261_121


def written(path: Path, messages: list[bytes]) -> None:
    """A capture with each message in a connection of its own, all to the SIP port."""
    packets = []
    for number, message in enumerate(messages):
        talk = Conversation(("192.0.2.1", 20_000 + number), ("192.0.2.2", SIP_PORT))
        talk.open()
        talk.send(0, *(message[start : start + SEGMENT] for start in range(0, len(message), SEGMENT)))
        packets += talk.packets
    path.write_bytes(pcap(packets))


FIELDS = {
    "sip.Via.branch": rb"Via\b",
    "sip.Record-Route.host": rb"Record-Route\b",
    "sdp.media.format": rb"m=[a-z]+ \d+ RTP/AVP \d+\r$",
    "sdp.media_attr": rb"a\b",
}
"""What tshark makes of that which messages are full of, and what its lines look like."""


def dissected(path: Path) -> list[tuple[int, list[str], list[int]]]:
    """For each connection in order: bytes of payload, the lines that begin a message, how many it has of FIELDS."""
    command = [
        *(require_system("tshark", "tshark"), "-n", "-r", str(path), "-d", f"tcp.port=={SIP_PORT},sip"),
        *("-Y", "tcp.len > 0", "-T", "fields", "-E", "aggregator=|", "-e", "tcp.stream", "-e", "tcp.len"),
        *("-e", "sip.Request-Line", "-e", "sip.Status-Line"),
        *(word for name in FIELDS for word in ("-e", name)),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
    length: dict[int, int] = defaultdict(int)
    lines: dict[int, list[str]] = defaultdict(list)
    counts: dict[int, list[int]] = {}
    for row in done.stdout.splitlines():
        stream, payload, request, status, *fields = row.split("\t")
        length[int(stream)] += int(payload)
        if request or status:
            lines[int(stream)].append(request or status)
            counts[int(stream)] = [len(list(filter(None, field.split("|")))) for field in fields]
    return [(length[stream], lines[stream], counts.get(stream, [])) for stream in sorted(length)]


def counted(message: bytes) -> list[int]:
    """How many lines there are of each of FIELDS."""
    return [len(re.findall(rb"(?m)^" + beginning, message)) for beginning in FIELDS.values()]


def sizes(rng: random.Random) -> list[int]:
    """Sizes by chance, small ones as likely as large ones."""
    return [round(600 * (70_000 / 600) ** rng.random()) for _ in range(SIZES)]


@pytest.mark.parametrize("grow", PLACES)
def test_requests(tmp_path: Path, grow: str) -> None:
    """Of exactly the size that was asked for, one message each, nothing malformed in any."""
    rng = random.Random(f"{SEED} {grow}")
    asked = [(rng.choice(list(METHODS)), size) for size in sizes(rng)]
    print(f"seed {SEED}: {asked}")
    with closing(LimitedServer(10**9)) as server:
        for number, (method, size) in enumerate(asked):
            with closing(prober_for(server, method)) as prober:
                assert prober.run(sizes_for(server, grow, method).case(size, number)).outcome.accepted
    received = [message for message in server.seen if not message.startswith((b"ACK ", b"BYE "))]
    assert [len(message) for message in received] == [size for _, size in asked]
    path = tmp_path / "requests.pcap"
    written(path, received)
    assert expert_words(path, SIP_PORT) == []
    found = dissected(path)
    assert [length for length, *_ in found] == [size for _, size in asked]
    for (method, _), message, (_, lines, counts) in zip(asked, received, found, strict=True):
        (line,) = lines
        assert line.startswith(f"{method} sip:")
        assert counts == counted(message)


@pytest.mark.parametrize("early", [False, True], ids=["delayed offer", "early offer"])
def test_responses(tmp_path: Path, early: bool) -> None:
    """Our 200s, wherever they may grow."""
    rng = random.Random(f"{SEED} {early}")
    places = [name for name in PLACES if name != "via" and not (early and name == "sdp-media")]
    asked = [(places[number % len(places)], max(1000, size)) for number, size in enumerate(sizes(rng))]
    print(f"seed {SEED}: {asked}")
    with closing(answerer()) as us:
        caller = Caller(us.address[1], early=early, hangs_up=True)
        for grow, size in asked:
            assert us.attempt(Answer(PLACES[grow], size), "size").outcome.accepted
        caller.stop()
    received = caller.answers[: len(asked)]
    path = tmp_path / "responses.pcap"
    written(path, received)
    assert expert_words(path, SIP_PORT) == []
    expected = [(size, ["SIP/2.0 200 OK"], counted(answer)) for (_, size), answer in zip(asked, received, strict=True)]
    assert dissected(path) == expected
