"""What `sipalg pcap` makes of the capture of one side of a real ALG is what was captured on its other side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness.capture.reader import read_capture
from harness.cli import main
from tests.e2e.inline_lab import INSIDE, MAPPED, POOL, exchange, inline_lab
from tests.edge.messages import options, request, response
from tests.harness.capture.expert import remarks
from tests.harness.capture.wireshark import followed
from tests.helpers.ipv4 import judged
from tests.helpers.lab import Stage

LARGE = request(INSIDE, size=3000)
ANSWER = response(POOL, size=5000)
PIECES = (
    [LARGE[:700], LARGE[700:], options(INSIDE) + options(INSIDE, 2) + LARGE[:100], LARGE[100:], request(INSIDE)],
    [response(POOL), ANSWER[:900], ANSWER[900:], b"\r\n\r\n"],
)
MAP = MAPPED[-2:]


def test_both_sides_of_an_inline_alg(tmp_path: Path) -> None:
    """Byte for byte both streams, from either side; every checksum right, nothing stranger than it was."""
    inside, outside = tmp_path / "inside.pcap", tmp_path / "outside.pcap"
    with inline_lab(offload=False) as lab, lab.inline(*MAPPED):
        stage = Stage(lab.lab)
        with (
            stage.captured("inside", inside),
            stage.captured("outside", outside),
            lab.connection() as ends,
        ):
            exchange(ends, PIECES, 0.02)
    for source, other in ((inside, outside), (outside, inside)):
        target = tmp_path / f"from-{source.stem}.pcapng"
        assert main(["pcap", str(source), str(target), *MAP, "--json"]) == 0
        assert followed(target, 0) == followed(other, 0)
        assert remarks(target) - remarks(source) == Counter()
        for packet in read_capture(str(target)):
            if packet.interface.name == other.stem:
                judged(packet.data)
