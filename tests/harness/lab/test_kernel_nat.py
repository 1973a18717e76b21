"""The kernel as the NAT of a lab's router."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alg.errors import ConfigError
from harness.lab.kernel_nat import kernel_nat
from tests.helpers.lab import CLIENT, SERVER, Opened, Stage, require_kernel_alg, stage
from tests.helpers.system import require_system

POOL = "203.0.113.10"


@pytest.fixture(scope="module")
def lab() -> Iterator[Stage]:
    """A lab whose router is as it was when all tests are over."""
    require_system("nft", "nftables")
    with stage("-kernel") as up:
        clean = up.router_state()
        yield up
        assert up.router_state() == clean


def test_source_nat(lab: Stage) -> None:
    """The outside sees the address that was asked for, with the inside's port."""
    with kernel_nat(lab.lab, POOL, helper=None), Opened() as opened:
        listening = opened.listen(lab, "outside", (SERVER, 5060))
        client = opened.connect(lab, "inside", (CLIENT, 0), (SERVER, 5060))
        assert opened.accept(listening)[1] == (POOL, client.getsockname()[1])


def test_the_helper_watches_its_port(lab: Stage) -> None:
    """The rules name the kernel's SIP helper, and the port that it is to look at."""
    require_kernel_alg(lab.lab)
    with kernel_nat(lab.lab, POOL, port=5070):
        state = lab.router_state()
    assert 'type "sip" protocol tcp' in state
    assert 'tcp dport 5070 ct helper set "alg"' in state


def test_a_kernel_without_the_helper(lab: Stage) -> None:
    """It says so in its own words, and nothing is left."""
    clean = lab.router_state()
    with pytest.raises(ConfigError, match="No such file or directory"), kernel_nat(lab.lab, POOL, helper="none-such"):
        pass
    assert lab.router_state() == clean
