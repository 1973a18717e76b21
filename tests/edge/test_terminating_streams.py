"""What flows through terminated TLS: SIP rewritten in clear, ends and resets as each side brings them about."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import LOOPBACK, Upstream, connect, ends_by_reset, reset
from tests.edge.terminated import FIREWALL, Pair, read, told
from tests.edge.test_proxy_close import LARGE
from tests.edge.tls_ends import SERVER_NAME, Answerer, Papers, TlsEnd, call
from tests.helpers.system import PATIENCE, ProxyProcess, eventually, running_proxy

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
EACH_WAY = pytest.mark.parametrize("way", ["client ends first", "server ends first"])
MIB = 1 << 20


class Meet(Protocol):
    """Opens one more connection through a proxy."""

    def __call__(self, version: str = "1.3", through: ProxyProcess | None = None) -> Pair:
        """`through` another proxy than the standing one."""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends."""
    return Papers(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    """Where proxies connect to."""
    with closing(Upstream()) as here:
        yield here


@pytest.fixture(scope="module")
def arguments(papers: Papers, server: Upstream) -> tuple[str, ...]:
    """Of a proxy that terminates."""
    ca = ("--tls-ca", papers.path(FIREWALL), papers.path("firewall-root.key"))
    place = ("--listen", f"{LOOPBACK}:0", "--to", server.address)
    return (*place, "--map", MAP, "--media", "rewrite", "--tls-inspect", "terminate", *ca)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the standing proxy."""
    return tmp_path_factory.mktemp("events") / "events.jsonl"


@pytest.fixture(scope="module")
def standing(arguments: tuple[str, ...], events: Path) -> Iterator[ProxyProcess]:
    """One proxy for all tests that ask nothing special of it."""
    with running_proxy(*arguments, "--events", str(events)) as proxy:
        yield proxy


@pytest.fixture
def meet(papers: Papers, server: Upstream, standing: ProxyProcess) -> Iterator[Meet]:
    """Opens connections and closes them after the test."""
    server.close_accepted()
    with ExitStack() as stack:

        def open_pair(version: str = "1.3", through: ProxyProcess | None = None) -> Pair:
            port = (through or standing).port
            return stack.enter_context(closing(Pair(papers, port, server, version)))

        yield open_pair


def ends(pair: Pair, way: str) -> tuple[TlsEnd, TlsEnd]:
    """The side that ends first, and the other."""
    return (pair.client, pair.server) if way.startswith("client") else (pair.server, pair.client)


def hears_a_goodbye(end: TlsEnd) -> bool:
    """Whether the next thing is close_notify."""
    return end.recv(1) == b""


@VERSIONS
@pytest.mark.parametrize("cuts", [(), (1, 50, 500), tuple(range(0, 60_000, 7_000))], ids=["whole", "split", "many"])
@pytest.mark.parametrize("size", [0, 65_000])
def test_sip_is_rewritten_both_ways(meet: Meet, version: str, cuts: tuple[int, ...], size: int) -> None:
    """What the receiver decrypts is what it would have got without TLS."""
    pair = meet(version)
    for sender, receiver, sent, due in (
        (pair.client, pair.server, request(INSIDE, size=size), request(OUTSIDE, size=size)),
        (pair.server, pair.client, response(OUTSIDE, size=size), response(INSIDE, size=size)),
    ):
        for start, stop in zip((0, *cuts), (*cuts, len(sent)), strict=True):
            sender.sendall(sent[start:stop])
        assert read(receiver, len(due)) == due


def test_events_tell_of_clear_text(meet: Meet, events: Path) -> None:
    """Which rules touched a message, and how many bytes of clear text crossed."""
    pair = meet()
    pair.client.sendall(request(INSIDE))
    assert read(pair.server, len(request(OUTSIDE))) == request(OUTSIDE)
    pair.close()
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")
    *story, closed = told(events)
    message = [event for event in story if event["event"] == "message"][-1]
    assert (message["method"], message["length_in"]) == ("INVITE", len(request(INSIDE)))
    assert "Via" in {edit["rule"] for edit in message["edits"]}
    assert closed["outward"] == {"bytes_in": len(request(INSIDE)), "bytes_out": len(request(OUTSIDE))}


@VERSIONS
@EACH_WAY
def test_half_close(meet: Meet, version: str, way: str) -> None:
    """When one side has said goodbye, the other hears it and can still send megabytes, then ends it too."""
    first, second = ends(meet(version), way)
    first.sendall(b"{ all I have to say")
    first.say_goodbye()
    assert read(second, 19) == b"{ all I have to say"
    assert hears_a_goodbye(second)
    sender = threading.Thread(target=lambda: (second.sendall(LARGE), second.say_goodbye()))
    sender.start()
    assert read(first, len(LARGE)) == LARGE
    assert hears_a_goodbye(first)
    sender.join()


@EACH_WAY
def test_a_goodbye_behind_much_data(meet: Meet, way: str) -> None:
    """It does not overtake what was sent before, however slowly that is read."""
    first, second = ends(meet(), way)
    sender = threading.Thread(target=lambda: (first.sendall(LARGE), first.say_goodbye()))
    sender.start()
    threading.Event().wait(0.3)
    assert read(second, len(LARGE)) == LARGE
    assert hears_a_goodbye(second)
    sender.join()
    second.sendall(b"{ still here")
    assert read(first, 12) == b"{ still here"


@VERSIONS
@EACH_WAY
def test_a_stream_that_is_cut_is_passed_on_as_one(meet: Meet, version: str, way: str) -> None:
    """Who hears no close_notify must not hear one from us either: it could not tell that something is missing."""
    first, second = ends(meet(version), way)
    first.sendall(b"{ and I would ha")
    first.raw.shutdown(socket.SHUT_WR)
    assert read(second, 16) == b"{ and I would ha"
    with pytest.raises(ssl.SSLEOFError):
        second.recv(1)


@EACH_WAY
def test_a_reset_is_passed_on_as_one(meet: Meet, events: Path, way: str) -> None:
    """Not as an end of stream."""
    pair = meet()
    first, second = ends(pair, way)
    first.sendall(b"{")
    assert second.recv(1) == b"{"
    reset(first.raw)
    with pytest.raises(ConnectionResetError):
        second.recv(1)
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")
    assert told(events)[-1]["reason"] == "tls: connection reset"


@EACH_WAY
def test_held_bytes_go_out_before_the_end(meet: Meet, way: str) -> None:
    """A message that never became whole arrives unchanged before close_notify."""
    pair = meet()
    first, second = ends(pair, way)
    sent = request(INSIDE)[:300] if first is pair.client else response(OUTSIDE)[:300]
    first.sendall(sent)
    first.say_goodbye()
    assert read(second, 300) == sent
    assert hears_a_goodbye(second)


def test_a_reader_that_stops_stops_the_writer(meet: Meet, standing: ProxyProcess) -> None:
    """The proxy does not hold what the client does not read."""
    pair = meet()
    before = standing.resident
    pair.server.settimeout(0.5)
    with pytest.raises(TimeoutError):
        pair.server.sendall(b"{" * 60 * MIB)
    assert standing.resident - before < 30 * MIB


def test_a_writer_is_reset_while_nobody_reads(meet: Meet, events: Path) -> None:
    """Both are gone although the proxy could not deliver."""
    pair = meet()
    pair.server.settimeout(0.3)
    with suppress(TimeoutError):
        while True:
            pair.server.sendall(b"{" * MIB)
    reset(pair.client.raw)
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")


def test_a_server_that_cannot_be_reached(
    start_proxy: StartProxy, papers: Papers, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """The client is reset, and the event names the reason."""
    events = tmp_path / "events.jsonl"
    with closing(socket.create_server((LOOPBACK, 0))) as gone:
        target = f"{LOOPBACK}:{gone.getsockname()[1]}"
    proxy = start_proxy(*arguments, "--to", target, "--events", str(events))
    assert call(papers.client("1.3", FIREWALL), proxy.port) == "reset"
    eventually("refused", lambda: bool(told(events)))
    (refused,) = told(events)
    assert (refused["event"], refused["target"]) == ("refused", target)
    assert "refused" in refused["reason"]


def test_malformed_sip_ends_both_streams(
    start_proxy: StartProxy, arguments: tuple[str, ...], meet: Meet, tmp_path: Path
) -> None:
    """With malformed = "close" what came before arrives, then both are taken leave of, whatever is still said."""
    config, events = tmp_path / "sipalg.toml", tmp_path / "events.jsonl"
    config.write_text('[alg]\nmalformed = "close"\n')
    pair = meet(through=start_proxy(*arguments, "--config", str(config), "--events", str(events)))
    pair.client.sendall(options(INSIDE) + b"OPTIONS sip:bob@192.0.2.7 SIP/2.0\r\nContent-Length: nine\r\n\r\n")
    assert read(pair.server, len(options(OUTSIDE))) == options(OUTSIDE)
    assert hears_a_goodbye(pair.server)
    assert hears_a_goodbye(pair.client)
    pair.client.sendall(options(INSIDE))
    pair.close()
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")
    assert "Content-Length" in told(events)[-1]["reason"]


def test_bytes_behind_a_finished_handshake_that_are_no_tls(meet: Meet, events: Path) -> None:
    """The sender is told so by an alert; the other one is taken leave of behind what it is still owed."""
    pair = meet()
    pair.client.sendall(options(INSIDE))
    pair.client.raw.send(b"nonsense, and more than the header of a record")
    assert read(pair.server, len(options(OUTSIDE))) == options(OUTSIDE)
    assert hears_a_goodbye(pair.server)
    with pytest.raises(ssl.SSLError, match="ALERT"):
        pair.client.recv(1)
    pair.close()
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")


def test_a_handshake_that_stops_is_closed_once(papers: Papers, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """The proxy ends while a client has said hello and no more, and the server waits for a certificate."""
    events, hello = tmp_path / "events.jsonl", ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        papers.client("1.2").wrap_bio(ssl.MemoryBIO(), hello, server_hostname=SERVER_NAME).do_handshake()
    with closing(Answerer(papers.server("1.2", FIREWALL), PATIENCE)) as server:
        server.expect()
        place = ("--to", server.address, "--events", str(events))
        with running_proxy(*arguments, *place) as proxy, closing(connect(proxy.port)) as client:
            client.sendall(hello.read())
            assert client.recv(1) == b"\x16"
            proxy.stop()
        server.word()
    assert [each["event"] for each in told(events)].count("closed") == 1


def test_in_clear_beside_tls(standing: ProxyProcess, server: Upstream) -> None:
    """What does not begin as TLS goes through the ALG as ever, a reset included."""
    server.close_accepted()
    client = connect(standing.port)
    accepted = server.accept()
    client.sendall(options(INSIDE))
    assert accepted.recv(len(options(OUTSIDE)), socket.MSG_WAITALL) == options(OUTSIDE)
    reset(client)
    assert ends_by_reset(accepted)
