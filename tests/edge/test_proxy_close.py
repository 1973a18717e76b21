"""How connections through the proxy end: in halves, with what was held, by reset, or before they began."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.conftest import OpenLink
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import LOOPBACK, Link, Upstream, connect, ends_by_reset, receive, receive_all, reset, silent
from tests.helpers.system import eventually

LARGE = bytes(range(256)) * (4 << 12)
"""4 MiB of what is no SIP."""

each_way = pytest.mark.parametrize("way", ["client ends first", "server ends first"])


def ends(link: Link, way: str) -> tuple[socket.socket, socket.socket]:
    """The side that ends first, and the other."""
    return (link.client, link.server) if way.startswith("client") else (link.server, link.client)


@each_way
def test_half_close(link: OpenLink, way: str) -> None:
    """When one side has said all, the other hears the end and can still send megabytes, then ends it too."""
    crossing = link()
    first, second = ends(crossing, way)
    first.sendall(b"{ all I have to say")
    first.shutdown(socket.SHUT_WR)
    assert receive_all(second) == b"{ all I have to say"
    sender = threading.Thread(target=lambda: (second.sendall(LARGE), second.shutdown(socket.SHUT_WR)))
    sender.start()
    assert receive_all(first) == LARGE
    sender.join()


@each_way
def test_half_close_behind_much_data(link: OpenLink, way: str) -> None:
    """An end that comes right behind megabytes does not overtake them, however slowly they are read."""
    crossing = link()
    first, second = ends(crossing, way)
    sender = threading.Thread(target=lambda: (first.sendall(LARGE), first.shutdown(socket.SHUT_WR)))
    sender.start()
    time.sleep(0.2)
    assert receive_all(second) == LARGE
    sender.join()
    second.sendall(b"{ still here")
    assert receive(first, 12) == b"{ still here"


@each_way
def test_messages_after_a_half_close(link: OpenLink, way: str) -> None:
    """The direction that is still open goes on being rewritten."""
    crossing = link()
    first, second = ends(crossing, way)
    first.shutdown(socket.SHUT_WR)
    assert receive_all(second) == b""
    (sent, due) = (
        (response(OUTSIDE), response(INSIDE)) if first is crossing.client else (request(INSIDE), request(OUTSIDE))
    )
    second.sendall(sent[:100])
    second.sendall(sent[100:])
    second.shutdown(socket.SHUT_WR)
    assert receive_all(first) == due


@each_way
def test_held_bytes_go_out_before_the_end(link: OpenLink, way: str) -> None:
    """A message that never became whole arrives unchanged before the end of the stream."""
    crossing = link()
    first, second = ends(crossing, way)
    (sent, host) = (request(INSIDE), OUTSIDE) if first is crossing.client else (response(OUTSIDE), INSIDE)
    before = options(INSIDE if first is crossing.client else OUTSIDE)
    first.sendall(before + sent[:-1])
    assert receive(second, len(options(host))) == options(host)
    assert silent(second)
    first.shutdown(socket.SHUT_WR)
    assert receive_all(second) == sent[:-1]


def test_close_in_one_go(link: OpenLink) -> None:
    """A client that sends and closes at once is heard to the end; then both connections are gone."""
    crossing = link()
    crossing.client.sendall(request(INSIDE))
    crossing.client.close()
    assert receive_all(crossing.server) == request(OUTSIDE)
    crossing.server.close()
    eventually("no connection is left in the proxy", lambda: _sockets(crossing.proxy.pid) == 1)


def test_sent_and_closed_before_the_target_answered(start_proxy: StartProxy, upstream: Upstream) -> None:
    """Bytes and end of a client that is gone before the server leg stands arrive all the same."""
    proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--map", MAP, "--media", "rewrite")
    with closing(connect(proxy.port)) as client:
        client.sendall(request(INSIDE))
    assert receive_all(upstream.accept()) == request(OUTSIDE)


@each_way
def test_reset_is_passed_on(link: OpenLink, way: str) -> None:
    """A reset of one side reaches the other as a reset, not as an orderly end."""
    crossing = link()
    first, second = ends(crossing, way)
    first.sendall(options(INSIDE))
    assert receive(second, 7) == b"OPTIONS"
    reset(first)
    assert ends_by_reset(second)
    eventually("no connection is left in the proxy", lambda: _sockets(crossing.proxy.pid) == 1)


@each_way
def test_reset_after_a_half_close(link: OpenLink, way: str) -> None:
    """A side that has ended its stream still hears the other's reset."""
    crossing = link()
    first, second = ends(crossing, way)
    first.shutdown(socket.SHUT_WR)
    assert receive_all(second) == b""
    reset(second)
    assert ends_by_reset(first)


def test_one_connection_ends_alone(link: OpenLink) -> None:
    """The end of one connection is no other connection's end."""
    one = link()
    other = link(through=one.proxy)
    reset(one.client)
    assert ends_by_reset(one.server)
    other.client.sendall(request(INSIDE))
    assert receive(other.server, len(request(OUTSIDE))) == request(OUTSIDE)


def test_target_refuses(start_proxy: StartProxy) -> None:
    """Nobody at the target: one line names client, target and reason, and the client's connection is reset."""
    with socket.socket() as reserved:
        reserved.bind((LOOPBACK, 0))
        target = f"{LOOPBACK}:{reserved.getsockname()[1]}"
        proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", target, "--map", MAP)
        with closing(connect(proxy.port)) as client:
            client_address = "{}:{}".format(*client.getsockname())
            assert ends_by_reset(client)
        proxy.expect("cannot connect")
    (line,) = proxy.complaints
    assert f"from {client_address} reset: cannot connect to {target}: " in line
    assert "Connection refused" in line


def test_target_comes_up_later(start_proxy: StartProxy, upstream: Upstream) -> None:
    """A failed connection leaves the proxy ready for the next one."""
    port = upstream.port
    upstream.close()
    proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:{port}", "--map", MAP, "--media", "rewrite")
    with closing(connect(proxy.port)) as client:
        assert ends_by_reset(client)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
        listener.settimeout(5)
        with closing(connect(proxy.port)) as client:
            server, _ = listener.accept()
            with server:
                client.sendall(request(INSIDE))
                assert receive(server, len(request(OUTSIDE))) == request(OUTSIDE)


def test_cut_after_malformed_bytes(start_proxy: StartProxy, upstream: Upstream, tmp_path: Path) -> None:
    """With malformed = "close" the messages before the fault arrive, what follows does not, and both sides end."""
    config = tmp_path / "close.toml"
    config.write_text('[alg]\nmalformed = "close"\n')
    target = ("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--map", MAP, "--media", "rewrite")
    proxy = start_proxy(*target, "--config", str(config))
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        client.sendall(request(INSIDE) + b"\x00 this is no SIP")
        assert receive(server, len(request(OUTSIDE))) == request(OUTSIDE)
        for side in (server, client):
            with suppress(ConnectionResetError):
                assert receive_all(side) == b""


def _sockets(pid: int) -> int:
    """TCP sockets that a process holds."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        inodes |= {f"socket:[{line.split()[9]}]" for line in lines}
    held = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held += str(entry.readlink()) in inodes
        except FileNotFoundError:
            continue
    return held
