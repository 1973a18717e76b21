"""Labs for tests: real kernel TCP between namespaces, and captures of what each endpoint sees.

Strategy: sockets are made inside a namespace and used from the test; programs run there through `ip netns exec`. Names
carry the process number, so that test runs do not meet. The judge of addresses is tcpdump in the endpoint's namespace.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alg.errors import ConfigError
from harness.lab.kernel_nat import kernel_nat
from harness.lab.lab import Lab
from harness.lab.namespace import within
from harness.lab.topology import INSIDE, ROUTER, Side, Topology
from tests.helpers.system import PATIENCE, ProxyProcess, cannot_run, eventually, require_system

CLIENT = "10.0.30.2"
SERVER = "203.0.113.20"
NAME = f"t{os.getpid()}"
"""What the names of this test run's labs begin with."""

_EVERY_PACKET = ("--immediate-mode", "-U", "-s", "2000", "-B", "32768")
"""Written as they come; in a ring of 32 MiB that is cut into frames of the longest packet, so that none is dropped."""
_STRANGE = ("tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment", "_ws.malformed")
"""Retransmissions are not: the kernel probes for a lost tail when an acknowledgment is delayed (RFC 8985 7)."""

Address = tuple[str, int]


def require_root() -> None:
    """Namespaces need root and iproute2: without them the test is skipped, or fails where that is demanded."""
    require_system("ip", "iproute2")
    if os.geteuid() != 0:
        cannot_run("needs root for network namespaces")


def require_kernel_alg(lab: Lab) -> None:
    """The kernel has a SIP ALG of its own: without one the test is skipped, or fails where it is demanded."""
    require_system("nft", "nftables")
    try:
        with kernel_nat(lab, "203.0.113.99"):
            pass
    except ConfigError as error:
        cannot_run(f"this kernel has no SIP ALG: {error}")


class Stage:
    """A lab that is up."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def listen(self, place: str, address: Address) -> socket.socket:
        """A listening socket of an endpoint."""
        sock = self.socket(place, address)
        sock.listen()
        return sock

    def connect(self, place: str, source: Address, target: Address) -> socket.socket:
        """A connection that an endpoint makes."""
        sock = self.socket(place, source)
        try:
            sock.connect(target)
        except OSError:
            sock.close()
            raise
        return sock

    def socket(self, place: str, address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket of an endpoint."""
        sock = within(self.lab.namespace(place), partial(socket.socket, socket.AF_INET, kind))
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.bind(address)
        except OSError:
            sock.close()
            raise
        return sock

    def proxy(self, *args: str) -> ProxyProcess:
        """A transparent proxy on the router, with its rules."""
        require_system("nft", "nftables")
        base = ("--transparent", "--listen", "0.0.0.0:15060", "--media", "rewrite", "--install-rules")
        return ProxyProcess(*base, *args, within=self.lab.command(ROUTER))

    def configured_proxy(self, config: Path) -> ProxyProcess:
        """The same from a configuration file."""
        require_system("nft", "nftables")
        return ProxyProcess("--config", str(config), "--install-rules", within=self.lab.command(ROUTER))

    def router_state(self) -> str:
        """The rules and routes of the router, all of them."""
        commands = (["nft", "list", "ruleset"], ["ip", "rule"], ["ip", "route", "show", "table", "all"])
        return "\n".join(line for command in commands for line in _output(self.lab.command(ROUTER, *command)))

    @contextmanager
    def captured(self, place: str, file: Path) -> Iterator[None]:
        """A capture of everything that an endpoint sends and receives."""
        line = [require_system("tcpdump", "tcpdump"), *_EVERY_PACKET, "-n", "-i", "eth0", "-w", str(file)]
        tcpdump = subprocess.Popen(self.lab.command(place, *line), stderr=subprocess.PIPE, text=True)
        assert tcpdump.stderr is not None, "was asked for"
        with tcpdump, tcpdump.stderr:
            while "listening on" not in (said := tcpdump.stderr.readline()):
                assert said, "tcpdump says when it listens"
            try:
                yield
                eventually(f"FIN or RST of both in {file.name}", lambda: len(ends(file)) >= 2)
            finally:
                tcpdump.terminate()


class Opened(ExitStack):
    """What a test opens: sockets are closed when it is over, and proxies must end well."""

    def proxy(self, lab: Stage, *args: str) -> ProxyProcess:
        """A proxy on the router."""
        proxy = lab.proxy(*args)
        self.callback(proxy.stop)
        return proxy

    def listen(self, lab: Stage, place: str, address: Address) -> socket.socket:
        """A server."""
        return self.enter_context(closing(lab.listen(place, address)))

    def connect(self, lab: Stage, place: str, source: Address, target: Address) -> socket.socket:
        """A client's connection."""
        return self.enter_context(closing(lab.connect(place, source, target)))

    def datagrams(self, lab: Stage, place: str, address: Address) -> socket.socket:
        """A UDP socket of an endpoint."""
        return self.enter_context(closing(lab.socket(place, address, socket.SOCK_DGRAM)))

    def accept(self, server: socket.socket) -> tuple[socket.socket, Address]:
        """The server's end of a connection, and whom it sees."""
        connection, seen = server.accept()
        connection.settimeout(PATIENCE)
        return self.enter_context(closing(connection)), seen


@contextmanager
def stage(suffix: str, outside: str = f"{SERVER}/24", offload: bool = True) -> Iterator[Stage]:
    """A lab from its start to its end."""
    require_root()
    lab = Lab(Topology(f"{NAME}{suffix}", (INSIDE, Side.parse("outside", (outside,)))))
    lab.up(offload)
    try:
        yield Stage(lab)
    finally:
        lab.down()


def leftovers() -> list[str]:
    """The namespaces that labs of this test run have left, benchmarks' included."""
    names = (line.split()[0] for line in _output(["ip", "netns", "list"]) if line)
    return [name for name in names if re.search(rf"-[a-z]+{os.getpid()}(-|$)", name)]


@dataclass(frozen=True)
class Segment:
    """A TCP segment as tshark sees it on an endpoint's wire."""

    source: Address
    destination: Address
    method: str
    """Of the SIP request that ends here."""
    remark: str
    """What tshark finds strange about it."""


def segments(file: Path, sip_port: int = 5060) -> list[Segment]:
    """The TCP segments in a capture; everything in it has to be TCP or ARP."""
    fields = ("ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "sip.Method", *_STRANGE, "_ws.col.Protocol")
    command = [require_system("tshark", "tshark"), "-r", str(file), "-d", f"tcp.port=={sip_port},sip", "-T", "fields"]
    rows = [line.split("\t") for line in _output([*command, *(word for name in fields for word in ("-e", name))])]
    assert all(row[1] or row[-1] == "ARP" for row in rows), rows
    return [
        Segment((row[0], int(row[1])), (row[2], int(row[3])), row[4], " ".join(filter(None, row[5:-1])))
        for row in rows
        if row[1]
    ]


def ends(file: Path) -> set[str]:
    """Who has ended a stream so far."""
    tcpdump = require_system("tcpdump", "tcpdump")
    lines = _output([tcpdump, "-n", "-r", str(file), "tcp[tcpflags] & (tcp-fin | tcp-rst) != 0"])
    return {line.split()[2] for line in lines}


def _output(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    return done.stdout.splitlines()
