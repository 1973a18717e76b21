"""What can be the NAT router of a lab, each for as long as a block runs: the inside endpoint has the pool's address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.lab.kernel_nat import kernel_nat
from tests.e2e.inline_lab import MAPPED, POOL, InlineLab
from tests.helpers.lab import Stage, require_kernel_alg


@contextmanager
def inline(lab: InlineLab, *args: str) -> Iterator[None]:
    """`sipalg inline`."""
    with lab.inline(*MAPPED, *args):
        yield


@contextmanager
def transparent(lab: InlineLab, *args: str) -> Iterator[None]:
    """`sipalg proxy --transparent`."""
    proxy = Stage(lab.lab).proxy(*MAPPED, *args)
    try:
        yield
        proxy.stop()
    finally:
        proxy.kill()


@contextmanager
def kernel(lab: InlineLab) -> Iterator[None]:
    """The kernel with its own SIP ALG."""
    require_kernel_alg(lab.lab)
    with kernel_nat(lab.lab, POOL):
        yield


OURS = {"inline": inline, "transparent": transparent}
