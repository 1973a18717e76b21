"""A firewall between two ends that does now this, now that: one process, told by file and SIGHUP as operators tell it.

Strategy: a proxy takes half a second of CPU time to start, and reads its configuration again in a few milliseconds. So
each test writes its rules and its `[tls]` into the file, and looks at the events of the connections that come then.
"""

from __future__ import annotations

import json
import signal
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from tests.edge.messages import INSIDE, MAP, options
from tests.edge.sockets import LOOPBACK, Upstream, connect
from tests.edge.tls_ends import Answerer, Outcome, Papers, TlsEnd, call
from tests.helpers.system import PATIENCE, ProxyProcess, eventually, running_proxy

FIREWALL = "firewall-root.crt"
_RELOADED = "configuration reloaded"


def told(path: Path) -> list[dict[str, Any]]:
    """The events in a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def listener(target: str, *rules: str, host: str = LOOPBACK) -> str:
    """A `[[listener]]` of a configuration file."""
    return f'[[listener]]\nlisten = "{host}:0"\nto = "{target}"\ntls_inspect = {json.dumps(rules)}\n'


def tls_section(papers: Papers, **keys: object) -> str:
    """`[tls]` with the firewall's CA."""
    keys = {"ca": [papers.path(FIREWALL), papers.path("firewall-root.key")], **keys}
    return "[tls]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


class Firewall:
    """A running proxy, and its events of the latest connection."""

    def __init__(self, papers: Papers, folder: Path, stack: ExitStack) -> None:
        self.papers = papers
        self.server = stack.enter_context(closing(Answerer()))
        self._config = folder / "firewall.toml"
        self._events = folder / "events.jsonl"
        self._orders = self._write((), {})
        arguments = ("--config", str(self._config), "--map", MAP, "--events", str(self._events))
        self.proxy: ProxyProcess = stack.enter_context(running_proxy(*arguments))

    def obey(self, *rules: str, **tls: object) -> None:
        """Inspect new connections by these rules, and these keys of `[tls]`."""
        before, heard = self._orders, self.proxy.errors.count(_RELOADED)
        self._orders = self._write(rules, tls)
        if self._orders != before:
            self.proxy.signal(signal.SIGHUP)
            eventually(f"{_RELOADED}: {self._orders}", lambda: self.proxy.errors.count(_RELOADED) > heard)

    def _write(self, rules: tuple[str, ...], tls: dict[str, object]) -> str:
        orders = listener(self.server.address, *rules) + (tls_section(self.papers, **tls) if tls else "")
        self._config.write_text(orders, "utf-8")
        return orders

    @property
    def story(self) -> list[dict[str, Any]]:
        """What was told of the latest connection."""
        everything = told(self._events)
        latest = max((event.get("connection", 0) for event in everything), default=0)
        return [event for event in everything if event.get("connection") == latest]

    def deeds(self, action: str | None = None, leg: str | None = None) -> list[dict[str, Any]]:
        """What was done to the latest connection."""
        done = [event for event in self.story if event["event"] == "tls" and "action" in event]
        return [deed for deed in done if action in (None, deed["action"]) and leg in (None, deed.get("leg"))]

    def alerts(self) -> list[tuple[str, bool, str]]:
        """Leg, whether we sent it, and its name."""
        return [(event["leg"], event["sent"], event["description"]) for event in self.deeds("alert")]

    def over(self) -> dict[str, Any]:
        """The event that tells of the end of the latest connection, once it has come."""
        eventually("the connection is closed", lambda: self.story[-1]["event"] == "closed")
        return self.story[-1]

    def meet(
        self,
        client: ssl.SSLContext,
        server: ssl.SSLContext,
        data: bytes = b"hi",
        client_waits: float = PATIENCE,
        server_waits: float = PATIENCE,
    ) -> Outcome:
        """One connection between two ends."""
        self.server.expect(server, server_waits)
        said = call(client, self.proxy.port, client_waits, data)
        outcome = Outcome(said, self.server.word())
        self.over()
        return outcome


class Terminating:
    """A firewall that terminates, in one of the ways it can be told to."""

    def __init__(self, firewall: Firewall, tls: dict[str, object]) -> None:
        self._firewall = firewall
        self._tls = {"lowest": "1.2"} | tls
        self.deeds, self.alerts, self.over = firewall.deeds, firewall.alerts, firewall.over

    def meet(
        self,
        version: str,
        data: bytes = options(INSIDE),
        client: ssl.SSLContext | None = None,
        server: ssl.SSLContext | None = None,
    ) -> Outcome:
        """One connection between two ends that trust the firewall, and nobody else, unless they say otherwise."""
        papers = self._firewall.papers
        self._firewall.obey("terminate", **self._tls)
        client = client or papers.client(version, FIREWALL)
        return self._firewall.meet(client, server or papers.server(version, FIREWALL), data)


class Firewalls:
    """One firewall, and all that it can be told."""

    def __init__(self, firewall: Firewall) -> None:
        self._firewall = firewall
        self.papers, self.server = firewall.papers, firewall.server

    def __call__(self, **tls: object) -> Terminating:
        """Told so by these keys of `[tls]`."""
        return Terminating(self._firewall, tls)


@contextmanager
def running_firewall(folder: Path, papers: Papers) -> Iterator[Firewall]:
    """A firewall that must end well when the block did."""
    with ExitStack() as stack:
        yield Firewall(papers, folder, stack)


class Pair:
    """One mutual TLS connection through a proxy, both ends in the hands of the test."""

    def __init__(self, papers: Papers, port: int, upstream: Upstream, version: str = "1.3") -> None:
        raw = connect(port)
        self.client = TlsEnd(raw, papers.client(version, FIREWALL), serves=False)
        self.server = TlsEnd(upstream.accept(), papers.server(version, FIREWALL), serves=True)
        thread = Thread(target=self.server.do_handshake)
        thread.start()
        self.client.do_handshake()
        thread.join(PATIENCE)

    def close(self) -> None:
        """Close both, without a word."""
        self.client.close()
        self.server.close()


def read(end: TlsEnd, size: int) -> bytes:
    """Exactly so many bytes, or what came before close_notify."""
    data = b""
    while len(data) < size and (piece := end.recv(min(size - len(data), 1 << 16))):
        data += piece
    return data
