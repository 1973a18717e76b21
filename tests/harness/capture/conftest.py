"""A proxy that captures, between a client and a server of the test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest

from harness.capture.reader import read_capture
from tests.conftest import StartProxy
from tests.edge.messages import MAP
from tests.edge.sockets import LOOPBACK, Link, Upstream, connect
from tests.harness.capture.wireshark import Frame, dissect
from tests.helpers.system import ProxyProcess, eventually


class Recording:
    """A capture under way."""

    def __init__(self, proxy: ProxyProcess, upstream: Upstream, path: Path, stack: ExitStack) -> None:
        self.proxy = proxy
        self.upstream = upstream
        self.path = path
        self._stack = stack

    def link(self) -> Link:
        """One more connection, while the others are quiet; both of its handshakes are captured."""
        before = self.packets()
        client = self._stack.enter_context(closing(connect(self.proxy.port)))
        link = Link(self.proxy, client, self.upstream.accept())
        self.wait_for(before + 6)
        return link

    def packets(self) -> int:
        """How many there are by now."""
        return sum(1 for _ in read_capture(str(self.path)))

    def wait_for(self, packets: int) -> None:
        """Wait until there are so many packets."""
        eventually(f"{packets} packets are captured", lambda: self.packets() >= packets)

    def settle(self) -> None:
        """Wait until a while has passed without a packet."""
        size = -1
        while size != (size := self.path.stat().st_size):
            time.sleep(0.1)

    def frames(self) -> list[Frame]:
        """The packets as tshark sees them."""
        return dissect(self.path, (self.proxy.port, self.upstream.port))


class Record(Protocol):
    """Starts a proxy that captures, with these arguments beside."""

    def __call__(self, *args: str, upstream: Upstream | None = None) -> Recording:
        """`upstream` is where it connects to, if not where all tests let it."""


@pytest.fixture
def record(start_proxy: StartProxy, tmp_path: Path) -> Iterator[Record]:
    """Starts a proxy; connections are closed after the test."""
    with ExitStack() as stack:

        def start(*args: str, upstream: Upstream | None = None) -> Recording:
            target = upstream or stack.enter_context(closing(Upstream()))
            path = tmp_path / "capture.pcapng"
            arguments = ("--listen", f"{LOOPBACK}:0", "--to", target.address, "--map", MAP, "--media", "rewrite")
            proxy = start_proxy(*arguments, "--capture", str(path), *args)
            return Recording(proxy, target, path, stack)

        yield start
