"""TLS inspection and what nobody should send: no TLS at all, handshakes in crumbs, a huge hello, ends that just leave.

Strategy: one proxy with a listener for each rule. When a test is over, the proxy has let go of every connection; when
all are, its standard error holds no traceback (`ProxyProcess.stop`).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from tests.edge.messages import options
from tests.edge.sockets import Upstream, connect, receive, receive_all, reset
from tests.edge.terminated import FIREWALL, listener, tls_section, told
from tests.edge.tls_ends import SOON, Outcome, Papers, TlsEnd, fared
from tests.helpers.system import PATIENCE, ProxyProcess, eventually, running_proxy

MESSAGE = options("192.0.2.2")
HELLO_RULES = ("reset:client-hello", "drop:client-hello")
RULES = ("pass", "reset:client-finished", "drop:client-finished", "terminate", *HELLO_RULES)
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
SSL_V2_HELLO = bytes.fromhex("802e 01 0301 0015 0000 0010 010080 000005 000004 00000a 010080 000009 060040") + bytes(16)
"""Of a client that begins with the old format and could do TLS 1.0 (RFC 5246 E.2)."""
NO_TLS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: callservice.ciscospark.com\r\n\r\n",
    "zeros": bytes(100),
    "random": bytes((47 * number + 11) % 256 for number in range(5000)),
    "SSLv2": SSL_V2_HELLO,
    "unknown handshake message": bytes.fromhex("16 0301 0005 aaaaaaaaaa"),
    "hello of nonsense": bytes.fromhex("16 0301 0028 01000024") + b"\xff" * 36,
    "endless record": bytes.fromhex("16 0301 ffff") + bytes(70_000),
    "endless message": bytes.fromhex("16 0301 4000 01ffffff") + bytes(16_380),
}
NO_HELLO = {
    "alert": bytes.fromhex("15 0301 0002 0228"),
    "change cipher spec": bytes.fromhex("14 0303 0001 01"),
    "application data": bytes.fromhex("17 0303 0020") + bytes(32),
}
"""Records that no connection begins with."""


@dataclass
class Firewall:
    """A proxy with a listener for each rule, and where all of them lead."""

    papers: Papers
    proxy: ProxyProcess
    upstream: Upstream
    events: Path

    def port(self, rule: str) -> int:
        """Where its listener is."""
        return self.proxy.ports[RULES.index(rule)]

    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.proxy.pid}/fd"))

    def contexts(self, rule: str, version: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """Of a client and a server that trust whom they see through this rule."""
        trust = FIREWALL if rule == "terminate" else "roots.pem"
        return self.papers.client(version, trust), self.papers.server(version, trust)

    def deeds(self) -> list[str]:
        """What was done to the latest connection."""
        everything = told(self.events)
        latest = max(event["connection"] for event in everything)
        return [event["action"] for event in everything if event["connection"] == latest and "action" in event]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firewall]:
    """For all tests here."""
    folder = tmp_path_factory.mktemp("strangers")
    papers, events = Papers(folder / "pki"), folder / "events.jsonl"
    with closing(Upstream()) as upstream:
        config = folder / "sipalg.toml"
        config.write_text(tls_section(papers) + "".join(listener(upstream.address, rule) for rule in RULES))
        with running_proxy("--config", str(config), "--events", str(events), listeners=len(RULES)) as proxy:
            yield Firewall(papers, proxy, upstream, events)


@pytest.fixture
def firewall(standing: Firewall) -> Iterator[Firewall]:
    """For one test, which leaves nothing behind in it."""
    before = standing.descriptors()
    yield standing
    standing.upstream.close_accepted()
    eventually("every connection is closed", lambda: standing.descriptors() == before)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("sent", NO_TLS.values(), ids=NO_TLS)
def test_what_is_no_tls_passes(firewall: Firewall, rule: str, sent: bytes) -> None:
    """Whole and untouched, in either direction, whatever is done to TLS; the event tells why."""
    with closing(connect(firewall.port(rule))) as client, closing(firewall.upstream.accept()) as server:
        client.sendall(sent)
        assert receive(server, len(sent)) == sent
        server.sendall(b"what?")
        server.close()
        assert receive_all(client) == b"what?"
        assert firewall.deeds() == ["not-tls"]


@pytest.mark.parametrize("sent", NO_HELLO.values(), ids=NO_HELLO)
def test_records_that_no_connection_begins_with(firewall: Firewall, sent: bytes) -> None:
    """Where connections are terminated the client is told `unexpected_message`; elsewhere they pass."""
    for rule in RULES:
        with closing(connect(firewall.port(rule))) as client, closing(firewall.upstream.accept()) as server:
            client.sendall(sent)
            if rule == "terminate":
                assert receive_all(client)[-2:] == bytes([2, 10])
                assert receive_all(server) == b""
            else:
                assert receive(server, len(sent)) == sent


def answer(end: TlsEnd) -> None:
    """What the server does."""
    end.do_handshake()
    end.sendall(end.recv(len(MESSAGE)))
    end.unwrap()


def ask(end: TlsEnd) -> None:
    """What the client does."""
    end.do_handshake()
    end.sendall(MESSAGE)
    assert end.recv(len(MESSAGE)) == MESSAGE
    end.unwrap()


def meet(client: TlsEnd, server: TlsEnd, patience: float = PATIENCE) -> Outcome:
    """How both fare."""
    words: dict[str, str] = {}
    for end in (client, server):
        end.settimeout(patience)
    thread = Thread(target=lambda: words.update(server=fared(server, answer)))
    thread.start()
    words["client"] = fared(client, ask)
    thread.join(2 * PATIENCE)
    return Outcome(**words)


FATES = {
    "pass": Outcome("ok", "ok"),
    "terminate": Outcome("ok", "ok"),
    "reset:client-hello": Outcome("reset", "reset"),
    "reset:client-finished": Outcome("reset", "reset"),
    "drop:client-finished": Outcome("timeout", "timeout"),
}


@VERSIONS
@pytest.mark.parametrize("rule", FATES)
def test_a_handshake_byte_by_byte(firewall: Firewall, rule: str, version: str) -> None:
    """Each byte in a segment of its own, from both ends: nothing is different."""
    client, server = firewall.contexts(rule, version)
    with closing(connect(firewall.port(rule))) as raw, closing(firewall.upstream.accept()) as accepted:
        ends = TlsEnd(raw, client, serves=False, piece=1), TlsEnd(accepted, server, serves=True, piece=1)
        assert meet(*ends, SOON if rule.startswith("drop") else PATIENCE) == FATES[rule]


@pytest.mark.parametrize("rule", FATES)
def test_a_hello_of_16_kilobytes(firewall: Firewall, rule: str) -> None:
    """It takes two records, and is one message."""
    client, server = firewall.contexts(rule, "1.3")
    client.set_alpn_protocols(["sip", *(f"{number:x<255}" for number in range(63))])
    server.set_alpn_protocols(["sip"])
    with closing(connect(firewall.port(rule))) as raw, closing(firewall.upstream.accept()) as accepted:
        ends = TlsEnd(raw, client, serves=False), TlsEnd(accepted, server, serves=True)
        assert meet(*ends, SOON if rule.startswith("drop") else PATIENCE) == FATES[rule]
        assert ends[0].said_first > 16_384
        if FATES[rule].client == "ok":
            assert [end.tls.selected_alpn_protocol() for end in ends] == ["sip", "sip"]


class Gone(Exception):
    """The end has left."""


class Leaver(TlsEnd):
    """An end that leaves when it has sent so many bytes."""

    left = 0
    """Bytes that it still sends."""

    def _put(self, data: bytes) -> None:
        now, self.left = data[: self.left], self.left - len(data)
        super()._put(now)
        if self.left <= 0:
            raise Gone


POINTS = (0, 1, 5, 60, 1000)
"""Nothing; within a record's header; behind it; within a hello; within a flight of certificates."""


def leave(firewall: Firewall, rule: str, version: str, who: str, how: str, point: int) -> str:
    """One end leaves in the middle of its handshake; how the other one fares."""
    contexts = firewall.contexts(rule, version)
    with closing(connect(firewall.port(rule))) as raw, closing(firewall.upstream.accept()) as accepted:
        kinds = (Leaver, TlsEnd) if who == "client" else (TlsEnd, Leaver)
        ends = [
            kind(sock, context, serves)
            for kind, sock, context, serves in zip(kinds, (raw, accepted), contexts, (False, True), strict=True)
        ]
        leaver, other = ends if who == "client" else reversed(ends)
        assert isinstance(leaver, Leaver)
        leaver.left = point
        words: list[str] = []
        thread = Thread(target=lambda: words.append(fared(other, answer if who == "client" else ask)))
        thread.start()
        if point:
            with pytest.raises(Gone):
                leaver.do_handshake()
        if how == "reset":
            reset(leaver.raw)
        else:
            leaver.raw.shutdown(1)
        thread.join(2 * PATIENCE)
        return words[0]


@VERSIONS
@pytest.mark.parametrize("how", ["eof", "reset"])
@pytest.mark.parametrize("who", ["client", "server"])
def test_ends_that_leave_early(firewall: Firewall, who: str, how: str, version: str) -> None:
    """The other end hears of it in the same way, wherever that is; a firewall that terminates has words of its own."""
    for point in POINTS:
        for rule in ("pass", "reset:client-finished", "drop:client-finished"):
            assert leave(firewall, rule, version, who, how, point) == how, (rule, point)
        said = leave(firewall, "terminate", version, who, how, point)
        assert said in {"eof", "reset", "tlsv1 alert internal error", "close notify"}, point
