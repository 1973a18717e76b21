"""The name server of a stage, asked by Python's own means, and its packets as tshark reads them."""

from __future__ import annotations

import socket
import struct
import subprocess
from functools import partial
from pathlib import Path

from twisted.internet.defer import Deferred

from harness.capture.capture_file import open_capture
from harness.scenarios.hybrid.names import Names, packet
from harness.scenarios.stage import Stage
from harness.sip.dns import Zone
from harness.sip.resolve import Service
from tests.harness.peers.turning import Turned
from tests.helpers.system import cannot_run, require_system

NXDOMAIN = 3
SRV = 33


def question(number: int, name: str, kind: int) -> bytes:
    """RFC 1035 4.1."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def test_answers_and_their_packets(turned: Turned, stage: Stage) -> None:
    """A record that is there, a name that is not; both questions and both answers are in the capture."""
    path = stage.directory / "capture.pcapng"
    file = open_capture(str(path), None, "test", print)
    assert file is not None
    names = Names(stage.reactor, Zone().service("_sips._tcp.example.com", Service("expe.example.com", 5062)), file)
    address = names.listen(stage.network.host(53))

    def ask() -> list[bytes]:
        found = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(10)
            for number, name in enumerate(("_sips._tcp.example.com", "_sips._tcp.example.org"), 7):
                asking.sendto(question(number, name, SRV), address)
                found.append(asking.recv(512))
        return found

    there, missing = turned.meanwhile(ask)
    turned.result(Deferred.fromCoroutine(names.close()))
    file.close()
    assert there[:2] == struct.pack("!H", 7)
    assert struct.pack("!H", 5062) in there
    assert missing[3] & 0xF == NXDOMAIN
    assert shown(path, "dns.qry.name") == [
        "DNS\t53\t_sips._tcp.example.com\t0\t",
        "DNS\t53\t_sips._tcp.example.com\t1\t0",
        "DNS\t53\t_sips._tcp.example.org\t0\t",
        "DNS\t53\t_sips._tcp.example.org\t1\t3",
    ]


def test_the_port_of_dns(turned: Turned, stage: Stage) -> None:
    """Real peers ask there, if we may listen on it, and are answered from there; taken by others it is left to them."""
    file = open_capture(str(stage.directory / "capture.pcapng"), None, "test", print)
    assert file is not None
    host = stage.network.host(53)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        try:
            other.bind((stage.network.host(54), 53))
        except PermissionError:
            cannot_run("needs leave to listen on port 53")
        for where, answered in ((host, True), (stage.network.host(54), False)):
            names = Names(stage.reactor, Zone().host("expe.example.com", "192.0.2.7"), file)
            assert names.listen(where) == (where, 5353)
            assert turned.meanwhile(partial(asked, where)) is answered
            turned.result(Deferred.fromCoroutine(names.close()))
    file.close()


def asked(host: str) -> bool:
    """Whether a question to port 53 is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((host, 53))
        asking.settimeout(0.5 if host.endswith(".54") else 10)
        asking.send(question(9, "expe.example.com", 1))
        try:
            return socket.inet_aton("192.0.2.7") in asking.recv(512)
        except TimeoutError:
            return False


def shown(path: Path, display_filter: str) -> list[str]:
    """What tshark makes of a capture: protocol, the server's port, the name, whether it is an answer, and its code."""
    command = [require_system("tshark", "tshark"), "-n", "-r", str(path), "-Y", display_filter, "-T", "fields"]
    for field in ("_ws.col.Protocol", "udp.port", "dns.qry.name", "dns.flags.response", "dns.flags.rcode"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = (line.replace("True", "1").replace("False", "0").split("\t") for line in done.stdout.splitlines())
    return ["\t".join((protocol, min(ports.split(","), key=int), *rest)) for protocol, ports, *rest in lines]


def test_a_packet() -> None:
    """By hand: header of 20 bytes with its checksum, ports, length, no checksum of UDP's, payload."""
    assert packet(("192.0.2.1", 53), ("192.0.2.2", 40000), b"hello").hex() == (
        "45000021" "00004000" "4011" "b6c8" "c0000201" "c0000202" "0035" "9c40" "000d" "0000" "68656c6c6f"
    )  # fmt: skip
