"""A peer on real sockets, whose other end is a plain socket or Python's `ssl`: ways in which connections end."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from alg.edge.entrance import Address
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10
from harness.peers import tls_peer
from harness.peers.tls_meeting import Loss
from harness.peers.tls_peer import TlsPeer
from harness.peers.tls_rows import GOOD
from harness.peers.tls_stage import inside_settings
from tests.harness.peers.ends import EXPRESSWAY, WEBEX, expressway, now
from tests.harness.peers.turning import Turned

DISCONNECT = 'Detail="No SSL error available, probably remote disconnect"'
OPTIONS = (
    b"OPTIONS sip:expe SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.3:5062;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:l2sip>;tag=1\r\nTo: <sip:expe>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def connected(address: Address) -> socket.socket:
    """To a peer."""
    client = socket.create_connection(address, 10, (WEBEX, 0))
    client.settimeout(20)
    return client


def listening() -> socket.socket:
    """For a peer."""
    listener = socket.create_server((WEBEX, 0))
    listener.settimeout(20)
    return listener


def reset(sock: socket.socket) -> None:
    """End a connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_nobody_is_there(turned: Turned, pki: Pki) -> None:
    """The connection fails, the log says so in the product's words, and it is a meeting of its own."""
    with closing(socket.socket()) as unused:
        unused.bind((WEBEX, 0))
        target = unused.getsockname()
        with closing(expressway(turned, pki)) as peer:
            peer.connect(target)
            meeting = peer.concluded()
    assert (meeting.loss, meeting.remote, meeting.local[0]) == (Loss.UNREACHABLE, target, EXPRESSWAY)
    assert meeting.failure is None
    ends = f'Src-ip="{EXPRESSWAY}" Src-port="{meeting.local[1]}" Dst-ip="{WEBEX}" Dst-port="{target[1]}"'
    assert [line.partition('":  ')[2] for line in peer.log.splitlines()] == [
        f'{ends} Detail="TCP Connecting"',
        f'{ends} Detail="TCP Connection Failed"',
    ]


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"", DISCONNECT),
        (b"\x16\x03\x01", DISCONNECT),
        (b"SIP/2.0 200 OK\r\n\r\n", 'iResult="-1" error="1" bServer="true"'),
    ],
)
@pytest.mark.parametrize("breaks_off", [False, True], ids=["FIN", "RST"])
def test_a_client_that_goes(turned: Turned, pki: Pki, sent: bytes, detail: str, breaks_off: bool) -> None:
    """Before the handshake has begun, in the middle of a record, or with something that is no TLS."""
    with closing(expressway(turned, pki)) as peer:
        address = peer.listen()

        def talk() -> None:
            client = connected(address)
            client.sendall(sent)
            if breaks_off:
                reset(client)
                return
            client.shutdown(socket.SHUT_WR)
            with closing(client):
                while client.recv(4096):
                    pass

        turned.meanwhile(talk)
        meeting = peer.concluded()
        turned.until("its connection is gone", lambda: peer.log.count("TCP Connection Closed") == 1)
    if sent[:1] != b"S":
        assert meeting.loss is (Loss.RESET if breaks_off else Loss.EOF)
    if not (breaks_off and sent):
        assert detail in peer.log
    assert peer.log.count('Event="Inbound TLS Negotiation Error"') == 1


def test_a_server_that_goes(turned: Turned, pki: Pki) -> None:
    """RST behind the ClientHello, as a firewall does it."""
    with closing(listening()) as listener, closing(expressway(turned, pki)) as peer:
        peer.connect(listener.getsockname())

        def hear() -> bytes:
            server, _ = listener.accept()
            hello = server.recv(4096)
            reset(server)
            return hello

        assert turned.meanwhile(hear)[:1] == b"\x16"
        meeting = peer.concluded()
    assert meeting.loss is Loss.RESET
    assert DISCONNECT in peer.log
    assert 'iResult="-1" error="5" bServer="false"' in peer.log


def client_context(papers: Path) -> ssl.SSLContext:
    """Webex's, by the standard library; it does not check whom it talks to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(papers / "webex-chain.pem", papers / "webex.key")
    return context


@pytest.mark.parametrize("version", [TlsVersion.TLS_1_2, TlsVersion.TLS_1_3], ids=["1.2", "1.3"])
def test_a_goodbye_is_awaited(turned: Turned, pki: Pki, papers: Path, version: TlsVersion) -> None:
    """A peer that is closed says close_notify and FIN, takes what is still sent to it, and has no reset for it."""
    with closing(expressway(turned, pki, version=version)) as peer:
        address = peer.listen()

        def greet() -> ssl.SSLSocket:
            client = client_context(papers).wrap_socket(connected(address))
            client.sendall(OPTIONS)
            assert client.recv(4096).startswith(b"SIP/2.0 200 ")
            return client

        with turned.meanwhile(greet) as client:
            assert peer.concluded().answered

            def part() -> bytes:
                rest = client.recv(4096)
                client.unwrap().close()
                return rest

            finish = turned.begin(part)
            peer.close()
            assert finish() == b""
    assert peer.peer.meetings[0].loss is Loss.EOF
    assert "Error" not in peer.log


def test_who_does_not_go_is_reset(turned: Turned, pki: Pki, papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that is closed does not wait for ever."""
    monkeypatch.setattr(tls_peer, "_FAREWELL", 0.05)
    with closing(expressway(turned, pki)) as peer:
        address = peer.listen()
        with turned.meanwhile(lambda: client_context(papers).wrap_socket(connected(address))) as client:
            turned.until("the peer knows", lambda: bool(peer.peer.meetings and peer.peer.meetings[0].established))
            peer.close()
            raw = socket.socket(fileno=client.detach())
            with closing(raw):
                assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in {errno.EPIPE, errno.ECONNRESET}


def test_connections_have_meetings_of_their_own(turned: Turned, pki: Pki, papers: Path) -> None:
    """In the order in which they were made; the first of them concludes."""
    with closing(expressway(turned, pki)) as peer:
        address = peer.listen()
        context = client_context(papers)

        def talk() -> None:
            with context.wrap_socket(connected(address)) as first:
                with connected(address) as second:
                    second.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    second.shutdown(socket.SHUT_WR)
                    while second.recv(4096):
                        pass
                first.sendall(OPTIONS)
                assert first.recv(4096).startswith(b"SIP/2.0 200 ")

        turned.meanwhile(talk)
        turned.until("both are seen", lambda: len(peer.peer.meetings) == 2 and peer.peer.meetings[0].answered)
    good, bad = peer.peer.meetings
    assert (good.answered, good.failure) == (True, None)
    assert bad.failure is not None
    assert (bad.answered, bad.established) == (False, False)


def test_keys_are_logged_as_lines(turned: Turned, pki: Pki, papers: Path) -> None:
    """Of the SSLKEYLOGFILE format, with the client's random number."""
    lines: list[bytes] = []
    log = DiagnosticLog(StringIO(), "expe", now, X8_10)
    settings = inside_settings(GOOD, pki, TlsVersion.TLS_1_2)
    peer = TlsPeer(turned.reactor, settings, log, now, lambda: "token", lines.append)
    address = peer.listen((EXPRESSWAY, 0))
    with turned.meanwhile(lambda: client_context(papers).wrap_socket(connected(address))):
        turned.until("keys", lambda: bool(lines))
    turned.until("its end", lambda: peer.concluded.called)
    turned.result(Deferred.fromCoroutine(peer.close()))
    assert [line.split()[0] for line in lines] == [b"CLIENT_RANDOM"]
    assert all(line.endswith(b"\n") for line in lines)


def test_an_address_of_somebody_else(turned: Turned, pki: Pki) -> None:
    """CannotListenError, as Twisted has it."""
    peer = expressway(turned, pki)
    with pytest.raises(CannotListenError):
        peer.peer.listen(("192.0.2.1", 0))
