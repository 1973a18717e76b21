"""Routes, rules, ARP and device of `sipalg inline`: there while it runs, gone afterwards, however it ended."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from netaddr import IPAddress, IPNetwork

from alg.errors import ConfigError
from harness.inline_routes import InlineRoutes
from harness.lab.namespace import within
from tests.e2e.inline_lab import DEVICE, INSIDE, MAPPED, NETWORK, OUTSIDE, POOL, POOLED, InlineLab, inline_lab
from tests.helpers.system import PATIENCE

OWN = "203.0.113.1"
"""The router's own outside address."""
PARAMETERS = ("ip_forward", "tcp_early_demux", "conf/all/rp_filter", "neigh/outside/proxy_delay")


@pytest.fixture(scope="module")
def shared() -> Iterator[InlineLab]:
    """A lab without a router yet."""
    with inline_lab() as one:
        yield one


@pytest.fixture
def lab(shared: InlineLab) -> Iterator[InlineLab]:
    """The lab; when the test is over, the router is as it was."""
    before = state(shared)
    yield shared
    assert state(shared) == before


def state(lab: InlineLab) -> dict[str, str]:
    """Everything about the router that might have changed."""
    questions = ("rule show", "route show table all", "neigh show proxy", "-br link show")
    answers = {question: lab.ip("router", question) for question in questions}
    return {**answers, **{name: parameter(lab, name) for name in PARAMETERS}}


def parameter(lab: InlineLab, name: str) -> str:
    """A kernel parameter of the router."""
    return within(lab.lab.namespace("router"), lambda: Path("/proc/sys/net/ipv4", name).read_text())


def put_back(lab: InlineLab, parameters: dict[str, str]) -> None:
    """Kernel parameters, whose old values a killed process takes with it."""

    def write() -> None:
        for name, value in parameters.items():
            Path("/proc/sys/net/ipv4", name).write_text(value)

    within(lab.lab.namespace("router"), write)


def reaches(lab: InlineLab) -> bool:
    """Whether the inside reaches the outside, and is seen with its outside address."""
    with lab.connection() as (_, server):
        return server.getpeername()[0] != INSIDE


def test_what_is_installed(lab: InlineLab) -> None:
    """Both directions are routed into the device, and somebody answers for the pool."""
    with lab.inline(*POOLED):
        rules = lab.ip("router", "rule show")
        assert f"from {NETWORK} lookup" in rules
        assert f"from all to {POOL} lookup" in rules
        assert f"{POOL} dev outside" in lab.ip("router", "neigh show proxy")
        assert DEVICE in lab.ip("router", "link show")
        assert reaches(lab)


def test_after_a_kill(lab: InlineLab) -> None:
    """What a killed process left behind is no obstacle to the next one, and is gone after it."""
    parameters = {name: parameter(lab, name) for name in PARAMETERS}
    with lab.inline("--inside", NETWORK, "--pool", "203.0.113.77") as process:
        process.kill()
    assert "203.0.113.77" in lab.ip("router", "neigh show proxy")
    with lab.inline(*POOLED):
        assert "203.0.113.77" not in lab.ip("router", "neigh show proxy") + lab.ip("router", "rule show")
        assert reaches(lab)
    put_back(lab, parameters)


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_the_routers_own_address(lab: InlineLab, ends: signal.Signals) -> None:
    """A pool of the router's own address: its local route makes way, and comes back."""
    with lab.inline("--inside", NETWORK, "--pool", OWN) as process:
        with lab.connection() as (_, server):
            assert server.getpeername()[0] == OWN
        process.signal(ends)


def test_the_routers_own_address_after_a_kill(lab: InlineLab) -> None:
    """Even a kill does not cost the router its address for longer than until the next run."""
    parameters = {name: parameter(lab, name) for name in PARAMETERS}
    with lab.inline("--inside", NETWORK, "--pool", OWN) as process:
        process.kill()
    assert OWN not in lab.ip("router", "route show table local type local")
    with lab.inline(*POOLED):
        assert OWN in lab.ip("router", "route show table local type local")
    put_back(lab, parameters)


def test_the_address_of_an_earlier_proxy(lab: InlineLab) -> None:
    """A socket of the router's own that waits in TIME-WAIT does not take the packets of a binding with its numbers."""
    with lab.outside(lambda: socket.create_server((OUTSIDE, 5060))) as listener:
        listener.settimeout(PATIENCE)
        router = lab.lab.namespace("router")
        early = within(router, lambda: socket.create_connection((OUTSIDE, 5060), PATIENCE, (OWN, 4401)))
        with early, listener.accept()[0] as served:
            early.close()
            assert served.recv(1) == b""
        with lab.inline("--map", f"{INSIDE}:27901={OWN}:4401"):
            client = lab.inside(lambda: socket.create_connection((OUTSIDE, 5060), PATIENCE, (INSIDE, 27901)))
            with client, listener.accept()[0] as server:
                assert server.getpeername() == (OWN, 4401)
                client.sendall(b"?")
                assert server.recv(1) == b"?"


def test_the_router_is_still_reached(lab: InlineLab) -> None:
    """What the inside says to the router itself does not concern the NAT."""
    with lab.inline(*MAPPED), within(lab.lab.namespace("router"), lambda: socket.create_server(("", 9000))) as listener:
        listener.settimeout(PATIENCE)
        for visit, address in ((lab.inside, "10.0.30.1"), (lab.outside, OWN)):
            with visit(lambda address=address: socket.create_connection((address, 9000), PATIENCE)):
                listener.accept()[0].close()


def attempt(lab: InlineLab, action: Callable[[], None]) -> None:
    """Do something in the router's namespace."""
    within(lab.lab.namespace("router"), action)


def test_one_router_at_a_time(lab: InlineLab) -> None:
    """A second one in the same namespace is refused, and leaves the first one's routes alone."""
    second = InlineRoutes("sipalg1", [IPNetwork(NETWORK)], [IPAddress(POOL)])
    with lab.inline(*POOLED):
        with pytest.raises(ConfigError, match="sipalg inline on sipalg0 has its routes here already"):
            attempt(lab, second.install)
        assert reaches(lab)


def test_nothing_is_left_after_a_failure(lab: InlineLab) -> None:
    """A device that is not there: an error that says so, and nothing is left of what was done before."""
    with pytest.raises(ConfigError, match="sipalg7"):
        attempt(lab, InlineRoutes("sipalg7", [IPNetwork(NETWORK)], [IPAddress(OUTSIDE)]).install)
