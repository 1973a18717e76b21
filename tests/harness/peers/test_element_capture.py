"""A capture on an element, as tshark reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alg.direction import Direction
from harness.capture.capture_file import open_capture
from harness.peers.element_capture import ElementCapture
from harness.sip.flow import Loss, Target
from harness.sip.stream import KeepAlive
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import HOST, Opponent
from tests.harness.peers.turning import Turned
from tests.helpers.system import require_system


def read(file: Path, port: int, *fields: str) -> list[list[str]]:
    """Fields of every packet."""
    command = [require_system("tshark", "tshark"), "-n", "-r", str(file), "-d", f"tcp.port=={port},sip", "-T", "fields"]
    for name in fields:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("reset", [False, True])
def test_connection(turned: Turned, tmp_path: Path, reset: bool) -> None:
    """Its handshake, its messages, a keep-alive, and how it ended, by whom."""
    one, other = Opponent.make(turned), Opponent.make(turned)
    file = open_capture(str(tmp_path / "a.pcapng"), None, "test", lambda text: None)
    assert file is not None
    capture = ElementCapture(file, Direction.OUTWARD)
    one.agent.element.transport.taps.append(capture)
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", *other.at)]))
    (flow,) = one.agent.element.transport.connections
    (theirs,) = other.agent.element.transport.connections
    flow.send_bytes(b"\r\n\r\n")
    turned.until("the pong", lambda: capture_has(tmp_path, other.at[1], b"0d0a"))
    if reset:
        theirs.abort()
    else:
        theirs.hang_up()
    turned.until("the end", lambda: not one.agent.element.transport.connections)
    file.close()
    packets = read(tmp_path / "a.pcapng", other.at[1], "ip.src", "tcp.flags.str", "sip.Method", "sip.Status-Code")
    assert [each[2:] for each in packets if any(each[2:])] == [["OPTIONS", ""], ["", "200"]]
    flags = [each[1].replace("·", "") for each in packets]
    assert flags[:3] == ["S", "AS", "A"]
    last = [(ip, flag) for (ip, *_), flag in zip(packets, flags, strict=True) if "F" in flag or "R" in flag]
    assert [flag for _, flag in last] == (["AR"] if reset else ["AF", "AF"])
    assert capture.resets == reset
    one.close(turned)
    other.close(turned)


def capture_has(folder: Path, port: int, payload: bytes) -> bool:
    """Whether some packet has these bytes, in hexadecimal, and no others."""
    return [payload.decode()] in read(folder / "a.pcapng", port, "tcp.payload")


def test_nobody_listens(turned: Turned, tmp_path: Path) -> None:
    """A SYN, and its RST; other neighbours than those that were named are left out, failures are not."""
    one, other = Opponent.make(turned), Opponent.make(turned)
    file = open_capture(str(tmp_path / "a.pcapng"), None, "test", lambda text: None)
    assert file is not None
    capture = ElementCapture(file, Direction.OUTWARD, neighbours=())
    one.agent.element.transport.taps.append(capture)
    nobody = free_port_pair(HOST)
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", *other.at)]))
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", HOST, nobody)]))
    file.close()
    packets = read(tmp_path / "a.pcapng", nobody, "ip.dst", "tcp.dstport", "tcp.flags.str")
    assert packets[0][:2] == [HOST, str(nobody)]
    assert [flags.replace("·", "") for *_, flags in packets] == ["S", "AR"]
    assert capture.refusals == [(HOST, nobody)]
    one.close(turned)
    other.close(turned)


class _Flow:
    kind, reliable, serves, open = "TLS", True, False, True
    local, remote = ("192.0.2.1", 5061), ("192.0.2.2", 7003)


def test_tls(tmp_path: Path) -> None:
    """Of its clear text nothing is written."""
    file = open_capture(str(tmp_path / "a.pcapng"), None, "test", lambda text: None)
    assert file is not None
    capture, flow = ElementCapture(file, Direction.INWARD), _Flow()
    capture.connected(flow)  # type: ignore[arg-type]
    capture.received(flow, b"OPTIONS sip:a SIP/2.0\r\n\r\n")  # type: ignore[arg-type]
    capture.kept_alive(flow, KeepAlive.PING)  # type: ignore[arg-type]
    capture.closed(flow, Loss.HUNG_UP, "")  # type: ignore[arg-type]
    file.close()
    assert {each[0] for each in read(tmp_path / "a.pcapng", 1, "tcp.len")} == {"0"}
