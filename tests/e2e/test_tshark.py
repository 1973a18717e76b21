"""tshark judges what leaves the proxy: whole SIP messages, nothing malformed, right lengths, mapped addresses."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProxy
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive_all
from tests.helpers.system import cannot_run, eventually, require_system

INSIDE, OUTSIDE = "10.0.30.2", "64.100.0.10"
PARTS = 3
LAST = b"the capture ends here"

SESSION = """\
v=0
o=alice 1 1 IN IP4 {host}
s=-
c=IN IP4 {host}
t=0 0
m=audio 49170 RTP/AVP 0 8
a=rtcp:49171 IN IP4 {host}
a=candidate:1 1 UDP 2130706431 {host} 49170 typ host
m=video 51372 RTP/AVP 31
c=IN IP4 {host}
"""

HEADERS = """\
INVITE sip:bob@192.0.2.7 SIP/2.0
Via: SIP/2.0/TCP {host}:5060;branch=z9hG4bK{number};rport, SIP/2.0/TCP 192.0.2.8:5060;received={host}
v: SIP/2.0/UDP
 {host};branch=z9hG4bKfolded
Max-Forwards: 70
Route: <sip:{host}:5061;lr>, <sip:192.0.2.9;lr>
Record-Route: <sip:{host};lr>
f: "Alice" <sip:alice@{host}>;tag=a{number}
To: <sip:bob@192.0.2.7>
Call-ID: call{number}@example.com
CSeq: {number} INVITE
m: <sip:alice@{host}:5060;transport=tcp>
P-Asserted-Identity: <sip:alice@{host}>
Diversion: <sip:carol@{host}>;reason=unconditional
Content-Type: application/sdp
Content-Length: {length}

"""


def invite(host: str, number: int) -> bytes:
    """An INVITE whose sender has this address."""
    body = SESSION.format(host=host).replace("\n", "\r\n").encode()
    return HEADERS.format(host=host, number=number, length=len(body)).replace("\n", "\r\n").encode() + body


@contextmanager
def captured(path: Path, ports: list[int]) -> Iterator[None]:
    """Capture the TCP traffic of these ports on the loopback interface, from the first packet to the last.

    A datagram of our own comes behind the last; the capture is over when that is in the file.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as marker:
        marker.bind((LOOPBACK, 0))
        marked = marker.getsockname()
        with _tcpdump(path, " or ".join([f"udp port {marked[1]}", *(f"tcp port {port}" for port in ports)])):
            yield
            marker.sendto(LAST, marked)
            eventually("the last packet in the capture", lambda: LAST in path.read_bytes())


@contextmanager
def _tcpdump(path: Path, expression: str) -> Iterator[None]:
    command = [
        require_system("tcpdump", "tcpdump"),
        *("-i", "lo", "-n", "-U", "--immediate-mode", "-Z", "root", "-s", "0", "-w", str(path)),
        expression,
    ]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("tcpdump: listening on"):
                break
        else:
            cannot_run(f"tcpdump may not capture: {''.join(said)}")
        try:
            yield
        finally:
            process.terminate()
            said = process.communicate(timeout=10)[1]
    assert "\n0 packets dropped by kernel" in said


def dissect(path: Path, port: int) -> list[dict[str, Any]]:
    """The SIP messages of one leg as tshark sees them, in order."""
    command = [
        require_system("tshark", "tshark"),
        *("-n", "-r", str(path), "-d", f"tcp.port=={port},sip", "-Y", f"sip && tcp.dstport=={port}"),
        *("-T", "json", "--no-duplicate-keys", "-J", "sip sdp _ws.malformed"),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    found = []
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        assert "_ws.malformed" not in layers
        found += layers["sip"] if isinstance(layers["sip"], list) else [layers["sip"]]
    return found


def expert_words(path: Path, port: int) -> list[str]:
    """What tshark finds fault with in the SIP of one leg."""
    command = [
        require_system("tshark", "tshark"),
        *("-n", "-r", str(path), "-d", f"tcp.port=={port},sip"),
        *("-Y", "(_ws.malformed || (sip && _ws.expert.severity >= 6291456)) && tcp.port==" + str(port)),
        *("-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message"),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
    return done.stdout.splitlines()


def values(tree: Any, key: str) -> list[str]:
    """All values of a field, however deep."""
    found: list[str] = []
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                found += value if isinstance(value, list) else [value]
            else:
                found += values(value, key)
    elif isinstance(tree, list):
        for entry in tree:
            found += values(entry, key)
    return found


@pytest.mark.parametrize("size", [100_000, 700], ids=["whole", "in segments"])
def test_what_leaves_is_sip(start_proxy: StartProxy, tmp_path: Path, size: int) -> None:
    """Tshark dissects every message that leaves, finds nothing malformed, and sees the outside address everywhere."""
    require_system("tshark", "tshark")
    path = tmp_path / "outside.pcap"
    with closing(Upstream()) as upstream:
        port = upstream.port
        proxy = start_proxy(
            *("--listen", f"{LOOPBACK}:0", "--to", upstream.address),
            *("--map", f"{INSIDE}={OUTSIDE}", "--media", "rewrite"),
        )
        stream = b"".join(invite(INSIDE, number) for number in range(1, PARTS + 1))
        with captured(path, [port]), closing(connect(proxy.port)) as client:
            server = upstream.accept()
            for start in range(0, len(stream), size):
                client.sendall(stream[start : start + size])
            client.shutdown(socket.SHUT_WR)
            received = receive_all(server)
    messages = dissect(path, port)
    assert expert_words(path, port) == []
    assert [values(message, "sip.CSeq.seq") for message in messages] == [["1"], ["2"], ["3"]]
    body = len(invite(OUTSIDE, 1).partition(b"\r\n\r\n")[2])
    for number, message in enumerate(messages, 1):
        assert values(message, "sip.Content-Length") == [str(body)]
        assert values(message, "sip.Via.sent-by.address") == [OUTSIDE, "192.0.2.8", OUTSIDE]
        assert values(message, "sip.Via.received") == [OUTSIDE]
        assert values(message, "sip.from.host") == [OUTSIDE]
        assert values(message, "sip.contact.host") == [OUTSIDE]
        assert values(message, "sip.pai.host") == [OUTSIDE]
        assert values(message, "sip.Route.host") == [OUTSIDE, "192.0.2.9"]
        assert values(message, "sip.Record-Route.host") == [OUTSIDE]
        assert values(message, "sip.to.host") == ["192.0.2.7"]
        assert values(message, "sip.Call-ID") == [f"call{number}@example.com"]
        assert values(message, "sdp.owner.address") == [OUTSIDE]
        assert values(message, "sdp.connection_info.address") == [OUTSIDE, OUTSIDE]
        assert values(message, "sdp.media.port") == ["49170", "51372"]
        assert INSIDE not in json.dumps(message)
    assert received == b"".join(invite(OUTSIDE, number) for number in range(1, PARTS + 1))
