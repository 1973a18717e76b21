"""Where `sipalg proxy` captures to, files that cannot be written, and a proxy that is killed."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest

from alg.tcp.packet import TcpSegment
from harness.capture.capture_file import SYNTHESISED
from harness.capture.pcapng import Flow
from harness.capture.reader import CapturedPacket, CaptureError, read_capture
from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive
from tests.harness.capture.wireshark import dissect, sent
from tests.helpers.captures import file_comment
from tests.helpers.system import ProxyProcess, run_sipalg


def arguments(upstream: Upstream, *more: str) -> list[str]:
    """Of a proxy in front of it."""
    return ["--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--map", MAP, "--media", "rewrite", *more]


BAD_FILES = [
    ("/none/f.pcapng", "No such file or directory"),
    ("/", "Is a directory"),
    ("/dev/full", "No space left on device"),
]


@pytest.mark.parametrize(("path", "reason"), BAD_FILES, ids=[reason for _, reason in BAD_FILES])
def test_a_file_that_cannot_be_written(path: str, reason: str) -> None:
    """One line that names the option, the file and the reason; exit status 2."""
    done = run_sipalg("proxy", "--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:9", "--capture", path)
    assert (done.returncode, done.stderr.decode()) == (2, f"sipalg: --capture {path}: {reason}\n")


def test_the_file_of_the_configuration(start_proxy: StartProxy, tmp_path: Path) -> None:
    """[capture] file does the same; the flag wins over it; a fault names the key."""
    config, named, flagged = tmp_path / "c.toml", tmp_path / "named.pcapng", tmp_path / "flagged.pcapng"
    config.write_text(f'[capture]\nfile = "{named}"\n')
    with closing(Upstream()) as upstream:
        start_proxy(*arguments(upstream, "--config", str(config), "--capture", str(flagged))).stop()
        assert flagged.exists()
        assert not named.exists()
        start_proxy(*arguments(upstream, "--config", str(config))).stop()
    assert list(read_capture(str(named))) == []
    assert file_comment(named) == SYNTHESISED
    config.write_text('[capture]\nfile = "/"\n')
    done = run_sipalg("proxy", "--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:9", "--config", str(config))
    assert (done.returncode, done.stderr.decode()) == (2, "sipalg: [capture] file /: Is a directory\n")


def test_an_unknown_key(tmp_path: Path) -> None:
    """An error that names it."""
    config = tmp_path / "c.toml"
    config.write_text('[capture]\nfiles = "x"\n')
    done = run_sipalg("proxy", "--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:9", "--config", str(config))
    assert done.returncode == 2
    assert "files" in done.stderr.decode()
    assert "capture" in done.stderr.decode()


def test_a_killed_proxy_leaves_a_readable_file(tmp_path: Path) -> None:
    """SIGKILL between two messages: tshark reads all that crossed, without a complaint about the file."""
    path = tmp_path / "killed.pcapng"
    with closing(Upstream()) as upstream:
        proxy = ProxyProcess(*arguments(upstream, "--capture", str(path)))
        with closing(connect(proxy.port)) as client:
            server = upstream.accept()
            client.sendall(request(INSIDE))
            receive(server, len(request(OUTSIDE)))
            proxy.reload()
            proxy.kill()
    frames = dissect(path)
    assert sent(frames, "inside", inbound=True) == request(INSIDE)
    assert sent(frames, "outside", inbound=False) == request(OUTSIDE)
    assert not [fault for frame in frames for fault in frame.faults]


def test_a_proxy_killed_under_load(tmp_path: Path) -> None:
    """SIGKILL amid a flood: at most the last block is cut, and what went out is the start of what arrived."""
    path = tmp_path / "killed.pcapng"
    received = bytearray()
    with closing(Upstream()) as upstream:
        proxy = ProxyProcess(*arguments(upstream, "--capture", str(path)))
        with closing(connect(proxy.port)) as client:
            server = upstream.accept()
            flood = threading.Thread(target=_flood, args=(client,))
            flood.start()
            received += receive(server, 300_000)
            proxy.kill()
            flood.join()
            with suppress(ConnectionResetError):
                while piece := server.recv(1 << 20):
                    received += piece
    packets, fault = _readable(path)
    outgoing = b"".join(
        TcpSegment(packet.data).payload
        for packet in packets
        if (packet.interface.name, packet.flow) == ("outside", Flow.OUTBOUND)
    )
    if fault is not None:
        assert fault.reason == "file ends inside a block"
        assert path.stat().st_size - fault.offset < 2000
    assert len(outgoing) > 100_000
    assert received.startswith(outgoing)


def _readable(path: Path) -> tuple[list[CapturedPacket], CaptureError | None]:
    """The packets of a file that may be cut."""
    packets = []
    try:
        for packet in read_capture(str(path)):
            packets.append(packet)
    except CaptureError as fault:
        return packets, fault
    return packets, None


def _flood(client: socket.socket) -> None:
    """Messages until nobody takes them."""
    with suppress(OSError):
        for number in count():
            client.sendall(options(INSIDE, number))
