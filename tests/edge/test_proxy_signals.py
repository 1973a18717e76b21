"""SIGTERM ends the proxy within a second with nothing lost; SIGHUP changes its configuration between two messages."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.edge.conftest import OpenLink
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive, receive_all
from tests.helpers.system import ProxyProcess, eventually, sipalg_command, sipalg_environment

OTHER = "198.51.100.77"
"""What stands for INSIDE after a reload."""
LONGEST_END = 1.5
"""Seconds from the signal to the end of the process; the contract says 1, the rest is for a busy machine."""


def end(proxy: ProxyProcess, number: signal.Signals = signal.SIGTERM) -> float:
    """Signal the end; seconds until the process is gone."""
    start = time.monotonic()
    proxy.signal(number)
    assert proxy.wait() == 0, proxy.errors
    return time.monotonic() - start


def send_until_blocked(connection: socket.socket, block: bytes = bytes(1 << 20)) -> int:
    """Send a block over and over until nothing more is taken, because nobody reads; the bytes taken."""
    connection.settimeout(0.3)
    taken = 0
    with suppress(TimeoutError):
        while True:
            taken += connection.send(block[taken % len(block) :])
    return taken


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_end_with_open_connections(link: OpenLink, number: signal.Signals) -> None:
    """Held bytes of both directions are delivered unchanged, both streams end in order, status 0, in time."""
    crossing = link("--map", MAP, "--media", "rewrite")
    crossing.client.sendall(options(INSIDE) + request(INSIDE)[:300])
    crossing.server.sendall(response(OUTSIDE)[:200])
    assert receive(crossing.server, len(options(OUTSIDE))) == options(OUTSIDE)
    time.sleep(0.1)
    assert end(crossing.proxy, number) < LONGEST_END
    assert receive_all(crossing.server) == request(INSIDE)[:300]
    assert receive_all(crossing.client) == response(OUTSIDE)[:200]


def test_end_with_many_connections(link: OpenLink) -> None:
    """A hundred connections with a held message each are all flushed."""
    first = link("--map", MAP, "--media", "rewrite")
    links = [first, *(link(through=first.proxy) for _ in range(99))]
    for number, crossing in enumerate(links):
        crossing.client.sendall(request(INSIDE, call=f"call{number}")[:-1])
    time.sleep(0.3)
    assert end(first.proxy) < LONGEST_END
    for number, crossing in enumerate(links):
        assert receive_all(crossing.server) == request(INSIDE, call=f"call{number}")[:-1]


def test_end_while_a_reader_has_stopped(link: OpenLink) -> None:
    """A peer that does not read cannot delay the end."""
    crossing = link("--map", MAP, "--no-l4f")
    send_until_blocked(crossing.client)
    assert end(crossing.proxy) < LONGEST_END


def test_end_while_a_reader_is_slow(link: OpenLink) -> None:
    """What the proxy has taken from a fast sender still reaches a reader that was behind, and then an orderly end."""
    crossing = link("--map", MAP, "--no-l4f")
    block = bytes(range(256)) * 4096
    sent = send_until_blocked(crossing.client, block)
    crossing.proxy.signal(signal.SIGTERM)
    received = receive_all(crossing.server)
    assert 0 < len(received) <= sent
    assert received == (block * (len(received) // len(block) + 1))[: len(received)]
    assert crossing.proxy.wait() == 0


def test_end_while_connecting(start_proxy: StartProxy) -> None:
    """A connection whose target does not answer the SYN cannot delay the end; its client hears a reset or an end."""
    with socket.socket() as full:
        full.bind((LOOPBACK, 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for queued in waiting:
            queued.setblocking(False)
            queued.connect_ex((LOOPBACK, port))
        proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:{port}", "--map", MAP)
        with closing(connect(proxy.port)) as client:
            client.sendall(request(INSIDE))
            time.sleep(0.2)
            assert end(proxy) < LONGEST_END
            with suppress(ConnectionResetError):
                assert receive_all(client) == b""
        for queued in waiting:
            queued.close()


def test_end_right_after_the_ready_line() -> None:
    """Whoever has read `listening on` can end the proxy in order at once."""
    command = sipalg_command("proxy", "--listen", f"{LOOPBACK}:0", "--to", f"{LOOPBACK}:9")
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=sipalg_environment()) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"listening on")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_no_new_connections_while_ending(link: OpenLink) -> None:
    """The listening port is closed at once, while an unread connection is still being waited for."""
    crossing = link("--map", MAP, "--no-l4f")
    send_until_blocked(crossing.client)
    port = crossing.proxy.port
    crossing.proxy.signal(signal.SIGTERM)

    def refused() -> bool:
        try:
            connect(port).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return True
        return False

    eventually("connections are refused", refused, 0.5)
    assert crossing.proxy.wait() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file that maps INSIDE to OUTSIDE."""
    path = tmp_path / "sipalg.toml"
    write(path, OUTSIDE)
    return path


def write(path: Path, outside: str, alg: str = "") -> None:
    """Map INSIDE to another address."""
    path.write_text(f'[alg]\n{alg}\n[media]\nmode = "rewrite"\n[[map]]\ninside = "{INSIDE}"\noutside = "{outside}"\n')


def test_reload_takes_effect_at_the_next_message(link: OpenLink, config: Path) -> None:
    """A message that was half there is rewritten under the old map, the one behind it under the new."""
    crossing = link("--config", str(config))
    crossing.client.sendall(request(INSIDE)[:400])
    crossing.server.sendall(response(OUTSIDE)[:100])
    time.sleep(0.1)
    write(config, OTHER)
    crossing.proxy.reload()
    crossing.client.sendall(request(INSIDE)[400:] + request(INSIDE, call="c2"))
    due = request(OUTSIDE) + request(OTHER, call="c2")
    assert receive(crossing.server, len(due)) == due
    crossing.server.sendall(response(OUTSIDE)[100:] + response(OTHER))
    due = response(INSIDE) + response(INSIDE)
    assert receive(crossing.client, len(due)) == due
    later = link(through=crossing.proxy)
    later.client.sendall(request(INSIDE))
    assert receive(later.server, len(request(OTHER))) == request(OTHER)


def test_reload_switches_the_alg_off_and_on(link: OpenLink, config: Path) -> None:
    """`l4f = false` lets bytes pass from the next message on; `l4f = true` takes up rewriting in mid-stream."""
    crossing = link("--config", str(config))
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE)
    write(config, OUTSIDE, "l4f = false")
    crossing.proxy.reload()
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(INSIDE))) == request(INSIDE)
    write(config, OUTSIDE)
    crossing.proxy.signal(signal.SIGHUP)
    eventually("a second reload", lambda: crossing.proxy.errors.count("configuration reloaded") == 2)
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[alg]\nl5f = true\n", "l5f"),
        ("this is no TOML", "sipalg.toml"),
        ('[[map]]\ninside = "10.0.30.2"\noutside = "nowhere"\n', "nowhere"),
        ('[[map]]\ninside = "10.0.30.2"\noutside = "0.0.0.0"\n', "0.0.0.0"),
        (None, "No such file"),
    ],
    ids=["unknown key", "no TOML", "no address", "unusable address", "no file"],
)
def test_a_broken_file_keeps_the_configuration(link: OpenLink, config: Path, text: str | None, named: str) -> None:
    """A reload that cannot be done says so in one line, names the reason, and changes nothing."""
    crossing = link("--config", str(config))
    if text is None:
        config.unlink()
    else:
        config.write_text(text)
    crossing.proxy.reload("configuration kept")
    (line,) = crossing.proxy.complaints
    assert named in line
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE)


def test_flags_win_over_a_reloaded_file(link: OpenLink, config: Path) -> None:
    """What the command line says stays so across a reload."""
    crossing = link("--config", str(config), "--map", f"{INSIDE}={OTHER}")
    crossing.proxy.reload()
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(OTHER))) == request(OTHER)


def test_reload_without_a_file(link: OpenLink) -> None:
    """SIGHUP without a configuration file ends nothing."""
    crossing = link("--map", MAP, "--media", "rewrite")
    crossing.proxy.reload()
    crossing.client.sendall(request(INSIDE))
    assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE)


def test_bindings_of_the_pool_survive_a_reload(link: OpenLink, tmp_path: Path) -> None:
    """A binding that was made before a reload still leads inward after it."""
    path = tmp_path / "pool.toml"
    path.write_text(f'[alg]\npool = ["{OUTSIDE}"]\n[media]\nmode = "rewrite"\n')
    crossing = link("--config", str(path))
    crossing.client.sendall(options(INSIDE))
    assert receive(crossing.server, len(options(OUTSIDE))) == options(OUTSIDE)
    path.write_text(f'[alg]\npool = ["{OUTSIDE}", "{OTHER}"]\n[media]\nmode = "rewrite"\n')
    crossing.proxy.reload()
    crossing.server.sendall(options(OUTSIDE))
    assert receive(crossing.client, len(options(INSIDE))) == options(INSIDE)


def test_reload_reaches_every_listener(start_proxy: StartProxy, upstream: Upstream, config: Path) -> None:
    """All listeners of one process share the configuration."""
    with config.open("a") as file:
        for _ in range(2):
            file.write(f'[[listener]]\nlisten = "{LOOPBACK}:0"\nto = "{upstream.address}"\n')
    proxy = start_proxy("--config", str(config), listeners=2)
    config.write_text(config.read_text().replace(OUTSIDE, OTHER))
    proxy.reload()
    for port in proxy.ports:
        with closing(connect(port)) as client:
            server = upstream.accept()
            client.sendall(request(INSIDE))
            assert receive(server, len(request(OTHER))) == request(OTHER)
