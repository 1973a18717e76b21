"""The routers that are compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.bench.routers import CALLEE, CALLER, INLINE, KERNEL, PLAIN, POOL, PORT, TRANSPARENT, Router, bench_lab
from harness.lab.lab import Lab, State
from tests.helpers.lab import Opened, Stage, require_kernel_alg, require_root
from tests.helpers.system import require_system


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab, gone afterwards."""
    require_root()
    require_system("nft", "nftables")
    with bench_lab(offload=False) as one:
        yield one
    assert one.state() is State.DOWN


@pytest.mark.parametrize("router", [PLAIN, KERNEL, INLINE, TRANSPARENT], ids=lambda router: router.name)
def test_the_outside_sees_the_pool(lab: Lab, router: Router) -> None:
    """Each is the NAT of the lab while it is there, and leaves no trace."""
    if router is KERNEL:
        require_kernel_alg(lab)
    stage = Stage(lab)
    before = stage.router_state()
    with router.start(lab) as process, Opened() as opened:
        listening = opened.listen(stage, "outside", (CALLEE, PORT))
        source = opened.connect(stage, "inside", (CALLER, 0), (CALLEE, PORT)).getsockname()
        assert opened.accept(listening)[1] == (POOL, source[1])
        assert (process is None) is (router in (PLAIN, KERNEL))
        assert process is None or process.cpu_seconds() > 0
    assert stage.router_state() == before
