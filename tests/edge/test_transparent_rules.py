"""`sipalg proxy --transparent`: what is intercepted, from its first connection to the last trace of its rules."""

from __future__ import annotations

import itertools
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request
from tests.edge.sockets import ends_by_reset, receive, receive_all
from tests.helpers.lab import CLIENT, SERVER, Address, Opened, Stage, segments, stage
from tests.helpers.system import eventually

NET = ("--inside", "10.0.30.0/24")
POOL = "203.0.113.10"
ROUTER_INSIDE = "10.0.30.1"
SIP = 5060
UAS: Address = (SERVER, SIP)

methods = pytest.mark.parametrize("method", ["tproxy", "redirect"])
_ports = itertools.count(40000)


@pytest.fixture(scope="module")
def lab() -> Iterator[Stage]:
    """A lab whose router is as it was when all tests are over."""
    with stage("-rules", offload=False) as up:
        clean = up.router_state()
        yield up
        assert up.router_state() == clean


@pytest.fixture
def opened() -> Iterator[Opened]:
    """What this test opens."""
    with Opened() as everything:
        yield everything


def is_reset(lab: Stage, place: str, source: Address, target: Address) -> bool:
    """Whether a connection is reset, be it before the client has noticed that it stands."""
    try:
        with closing(lab.connect(place, source, target)) as client:
            return ends_by_reset(client)
    except ConnectionResetError:
        return True


@methods
def test_the_pool(lab: Stage, opened: Opened, method: str) -> None:
    """The router answers for the pool's address: a Contact announced through it can be called, other ports cannot."""
    proxy = opened.proxy(lab, *NET, "--pool", POOL, "--sip-port", "5060", "--intercept", method)
    uas, uac = opened.listen(lab, "outside", UAS), opened.listen(lab, "inside", (CLIENT, SIP))
    source = (CLIENT, next(_ports))
    client = opened.connect(lab, "inside", source, UAS)
    server, seen = opened.accept(uas)
    assert seen == (POOL, source[1])
    client.sendall(request(CLIENT))
    assert receive(server, len(request(POOL))) == request(POOL)
    caller = (SERVER, next(_ports))
    back = opened.connect(lab, "outside", caller, (POOL, SIP))
    called, seen = opened.accept(uac)
    assert seen == caller
    back.sendall(options(POOL))
    assert receive(called, len(options(CLIENT))) == options(CLIENT)
    assert is_reset(lab, "outside", (SERVER, next(_ports)), (POOL, 5070))
    proxy.expect(f"cannot connect to {POOL}:5070: ")


def test_a_client_looks_the_same_to_every_server(lab: Stage, opened: Opened) -> None:
    """Mappings are endpoint-independent: one inside port is one outside port, also at the same time."""
    opened.proxy(lab, *NET, "--pool", POOL, "--sip-port", "5060", "--sip-port", "5070")
    source = (CLIENT, next(_ports))
    for port in (5060, 5070):
        listening = opened.listen(lab, "outside", (SERVER, port))
        opened.connect(lab, "inside", source, (SERVER, port))
        assert opened.accept(listening)[1] == (POOL, source[1])


def test_without_a_map_nothing_changes(lab: Stage, opened: Opened) -> None:
    """With neither map nor pool the client's address is kept and messages stay as they are."""
    opened.proxy(lab, *NET)
    listening = opened.listen(lab, "outside", UAS)
    source = (CLIENT, next(_ports))
    client = opened.connect(lab, "inside", source, UAS)
    server, seen = opened.accept(listening)
    client.sendall(request(INSIDE))
    assert (seen, receive(server, len(request(INSIDE)))) == (source, request(INSIDE))


def test_other_ports_are_left_alone(lab: Stage, opened: Opened) -> None:
    """What is no SIP goes through the router as ever."""
    opened.proxy(lab, *NET, "--map", MAP)
    listening = opened.listen(lab, "outside", (SERVER, 8080))
    source = (CLIENT, next(_ports))
    client = opened.connect(lab, "inside", source, (SERVER, 8080))
    server, seen = opened.accept(listening)
    client.sendall(request(INSIDE))
    assert (seen, receive(server, len(request(INSIDE)))) == (source, request(INSIDE))


@methods
def test_the_proxy_itself_is_no_target(lab: Stage, opened: Opened, method: str) -> None:
    """A connection to the proxy's own port is reset, with a line that says why."""
    proxy = opened.proxy(lab, *NET, "--map", MAP, "--intercept", method)
    assert is_reset(lab, "inside", (CLIENT, next(_ports)), (ROUTER_INSIDE, 15060))
    proxy.expect("it was not intercepted")


@methods
def test_a_server_that_refuses(lab: Stage, opened: Opened, method: str) -> None:
    """The client's connection is reset when the server cannot be reached."""
    proxy = opened.proxy(lab, *NET, "--map", MAP, "--intercept", method)
    assert is_reset(lab, "inside", (CLIENT, next(_ports)), UAS)
    proxy.expect(f"cannot connect to {SERVER}:{SIP}: ")


def test_a_long_connection(lab: Stage, opened: Opened) -> None:
    """A thousand messages each way, every one of another length than it came with, arrive to the last byte."""
    opened.proxy(lab, *NET, "--map", MAP)
    listening = opened.listen(lab, "outside", UAS)
    client = opened.connect(lab, "inside", (CLIENT, next(_ports)), UAS)
    server, _ = opened.accept(listening)
    for number in range(0, 1000, 50):
        batch = range(number, number + 50)
        client.sendall(b"".join(options(INSIDE, each) for each in batch))
        due = b"".join(options(OUTSIDE, each) for each in batch)
        assert receive(server, len(due)) == due
        server.sendall(due)
        back = b"".join(options(INSIDE, each) for each in batch)
        assert receive(client, len(back)) == back
    client.close()
    assert receive_all(server) == b""


def test_media_doors_stand_on_the_outside_address(lab: Stage, opened: Opened) -> None:
    """The router answers for the address that SDP names, and passes media on to the endpoint."""
    proxy = opened.proxy(lab, *NET, "--pool", POOL, "--media", "relay")
    uas = opened.listen(lab, "outside", UAS)
    client = opened.connect(lab, "inside", (CLIENT, next(_ports)), UAS)
    server, _ = opened.accept(uas)
    client.sendall(request(CLIENT))
    assert receive(server, len(request(POOL))) == request(POOL)
    heard, said = (opened.datagrams(lab, *where) for where in (("inside", (CLIENT, 49170)), ("outside", (SERVER, 0))))
    said.sendto(b"media", (POOL, 49170))
    assert heard.recv(100) == b"media"
    assert proxy.complaints == []


@methods
def test_the_proxys_own_capture(lab: Stage, opened: Opened, method: str, tmp_path: Path) -> None:
    """It shows the addresses that both sides see, not those of the proxy."""
    capture = tmp_path / "both.pcapng"
    proxy = lab.proxy(*NET, "--map", MAP, "--intercept", method, "--capture", str(capture))
    listening = opened.listen(lab, "outside", UAS)
    source = (CLIENT, next(_ports))
    client = opened.connect(lab, "inside", source, UAS)
    server, seen = opened.accept(listening)
    client.sendall(options(INSIDE))
    receive(server, len(options(OUTSIDE)))
    proxy.stop()
    assert {each.source for each in segments(capture)} == {source, seen, UAS}
    assert seen == (OUTSIDE, source[1])


@methods
def test_a_killed_proxy_leaves_nothing_once_it_has_run_again(lab: Stage, opened: Opened, method: str) -> None:
    """Rules that a crash left are taken over by the next run, and are gone after it."""
    clean = lab.router_state()
    crashed = lab.proxy(*NET, "--map", "10.0.30.2=64.100.0.99", "--pool", POOL, "--intercept", method)
    crashed.kill()
    assert "sipalg_15060" in lab.router_state()
    proxy = lab.proxy(*NET, "--map", MAP, "--intercept", method)
    installed = lab.router_state()
    assert installed.count("lookup 115060") == 1
    assert "64.100.0.99" not in installed
    listening = opened.listen(lab, "outside", UAS)
    client = opened.connect(lab, "inside", (CLIENT, next(_ports)), UAS)
    server, _ = opened.accept(listening)
    client.sendall(request(INSIDE))
    assert receive(server, len(request(OUTSIDE))) == request(OUTSIDE)
    proxy.stop()
    assert lab.router_state() == clean


def test_what_is_on_its_way_arrives_after_sigterm(lab: Stage, opened: Opened) -> None:
    """Ending the proxy takes nothing from a client that has not read yet."""
    proxy = lab.proxy(*NET, "--map", MAP)
    listening = opened.listen(lab, "outside", UAS)
    client = opened.connect(lab, "inside", (CLIENT, next(_ports)), UAS)
    server, _ = opened.accept(listening)
    client.sendall(request(INSIDE, size=60000))
    eventually("bytes at the server", lambda: bool(server.recv(1, socket.MSG_PEEK)))
    proxy.stop()
    assert receive_all(server) == request(OUTSIDE, size=60000)


def test_a_reloaded_configuration_is_intercepted(lab: Stage, opened: Opened, tmp_path: Path) -> None:
    """SIGHUP brings the rules up to date with the file: another SIP port, another outside address."""
    config = tmp_path / "sipalg.toml"
    text = '[alg]\nsip_ports = [{port}]\ninside = ["10.0.30.0/24"]\n[media]\nmode = "rewrite"\n'
    text += '[[listener]]\nlisten = "0.0.0.0:15060"\ntransparent = true\nintercept = "redirect"\n'
    text += '[[map]]\ninside = "10.0.30.2"\noutside = "{outside}"\n'
    config.write_text(text.format(port=5060, outside="64.100.0.99"))
    proxy = lab.configured_proxy(config)
    try:
        config.write_text(text.format(port=5070, outside=OUTSIDE))
        proxy.reload()
        listening = opened.listen(lab, "outside", (SERVER, 5070))
        source = (CLIENT, next(_ports))
        client = opened.connect(lab, "inside", source, (SERVER, 5070))
        server, seen = opened.accept(listening)
        client.sendall(options(INSIDE))
        assert (seen, receive(server, len(options(OUTSIDE)))) == ((OUTSIDE, source[1]), options(OUTSIDE))
    finally:
        proxy.stop()


def test_a_stopped_proxy_can_be_signalled_at_once(lab: Stage) -> None:
    """SIGTERM right after the start leaves no rules."""
    clean = lab.router_state()
    proxy = lab.proxy(*NET, "--pool", POOL)
    proxy.signal(signal.SIGTERM)
    proxy.stop()
    assert lab.router_state() == clean
