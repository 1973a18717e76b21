"""Runs of `sipalg pcap`, on a conversation in all awkward shapes."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

from harness.cli import main
from tests.edge.messages import INSIDE, options, request, response
from tests.helpers.captures import Conversation, Timed

REMOTE = "192.0.2.1"


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


def run(tmp_path: Path, data: bytes, *args: str, status: int = 0) -> tuple[Path, list[str]]:
    """Run the command on a file; what it wrote, and its lines on standard error."""
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    source.write_bytes(data)
    with redirect_stderr(io.StringIO()) as said:
        assert main(["pcap", str(source), str(target), *args]) == status, said.getvalue()
    return target, said.getvalue().splitlines()
