"""A firewall that terminates TLS between two ends, one process for each way it is configured."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from tests.edge.messages import INSIDE, MAP, options
from tests.edge.sockets import LOOPBACK, Upstream, connect
from tests.edge.tls_ends import SERVER_NAME, Answerer, Outcome, Papers, call
from tests.helpers.system import PATIENCE, ProxyProcess, eventually, running_proxy

FIREWALL = "firewall-root.crt"


def told(path: Path) -> list[dict[str, Any]]:
    """The events in a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


class Terminating:
    """A running proxy, and its events of the latest connection."""

    def __init__(self, proxy: ProxyProcess, events: Path, server: Answerer, papers: Papers) -> None:
        self.proxy = proxy
        self._events = events
        self._server = server
        self._papers = papers

    @property
    def story(self) -> list[dict[str, Any]]:
        """What was told of the latest connection."""
        everything = told(self._events)
        latest = max((event.get("connection", 0) for event in everything), default=0)
        return [event for event in everything if event.get("connection") == latest]

    def deeds(self, action: str, leg: str | None = None) -> list[dict[str, Any]]:
        """What was done to the latest connection."""
        return [event for event in self.story if event.get("action") == action and leg in (None, event["leg"])]

    def alerts(self) -> list[tuple[str, bool, str]]:
        """Leg, whether we sent it, and its name."""
        return [(event["leg"], event["sent"], event["description"]) for event in self.deeds("alert")]

    def over(self) -> dict[str, Any]:
        """The event that tells of the end of the latest connection, once it has come."""
        eventually("the connection is closed", lambda: self.story[-1]["event"] == "closed")
        return self.story[-1]

    def meet(
        self,
        version: str,
        data: bytes = options(INSIDE),
        client: ssl.SSLContext | None = None,
        server: ssl.SSLContext | None = None,
    ) -> Outcome:
        """One connection between two ends that trust the firewall, and nobody else, unless they say otherwise."""
        self._server.expect(server or self._papers.server(version, FIREWALL))
        said = call(client or self._papers.client(version, FIREWALL), self.proxy.port, data=data)
        outcome = Outcome(said, self._server.word())
        self.over()
        return outcome


class Firewalls:
    """Proxies in front of one server, each started when it is first asked for."""

    def __init__(self, papers: Papers, folder: Path, stack: ExitStack) -> None:
        self.papers = papers
        self.server = stack.enter_context(closing(Answerer()))
        self._folder = folder
        self._stack = stack
        self._running: dict[tuple[str, ...], Terminating] = {}

    @property
    def authority(self) -> tuple[str, ...]:
        """The option that names the CA."""
        return ("--tls-ca", self.papers.path(FIREWALL), self.papers.path("firewall-root.key"))

    def __call__(self, *options: str) -> Terminating:
        """One with these options."""
        if options not in self._running:
            events = self._folder / f"events-{len(self._running)}.jsonl"
            proxy = self._stack.enter_context(
                running_proxy(
                    *("--listen", f"{LOOPBACK}:0", "--to", self.server.address, "--map", MAP, "--events", str(events)),
                    *("--tls-inspect", "terminate", *self.authority, *options),
                )
            )
            self._running[options] = Terminating(proxy, events, self.server, self.papers)
        return self._running[options]


@contextmanager
def firewalls(folder: Path, papers: Papers) -> Iterator[Firewalls]:
    """Firewalls that must end well when the block did."""
    with ExitStack() as stack:
        yield Firewalls(papers, folder, stack)


class Pair:
    """One mutual TLS connection through a proxy, both ends in the hands of the test."""

    def __init__(self, papers: Papers, port: int, upstream: Upstream, version: str = "1.3") -> None:
        raw = connect(port)
        accepted = upstream.accept()
        for each in (raw, accepted):
            each.settimeout(PATIENCE)
        self.client, self.server = _shake(
            papers.client(version, FIREWALL).wrap_socket(
                raw, server_hostname=SERVER_NAME, do_handshake_on_connect=False, suppress_ragged_eofs=False
            ),
            papers.server(version, FIREWALL).wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
            ),
        )

    def close(self) -> None:
        """Close both, without a word."""
        self.client.close()
        self.server.close()


def _shake(client: ssl.SSLSocket, server: ssl.SSLSocket) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """Both handshakes at once, as each waits for the other."""
    thread = Thread(target=server.do_handshake)
    thread.start()
    client.do_handshake()
    thread.join(PATIENCE)
    return client, server


def read(tls: ssl.SSLSocket, size: int) -> bytes:
    """Exactly so many bytes, or what came before close_notify."""
    data = b""
    while len(data) < size and (piece := tls.recv(min(size - len(data), 1 << 16))):
        data += piece
    return data
