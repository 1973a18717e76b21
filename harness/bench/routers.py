"""The NAT routers of a lab that are compared, each started, measured and taken away in its turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from harness.bench.processes import Running, sipalg
from harness.lab.kernel_nat import kernel_nat
from harness.lab.lab import Lab
from harness.lab.topology import INSIDE, OUTSIDE, ROUTER, Topology

CALLER = str(INSIDE.addresses[0].ip)
CALLEE = str(OUTSIDE.addresses[0].ip)
POOL = "203.0.113.10"
"""What every router makes of the caller."""
PORT = 5060

_NAT = ("--inside", str(INSIDE.addresses[0].cidr), "--pool", POOL, "--sip-port", str(PORT))
_DEVICE = "sipalg0"
_LISTEN = "0.0.0.0:15060"


@dataclass(frozen=True, slots=True)
class Router:
    """One that can be started."""

    name: str
    start: Callable[[Lab], AbstractContextManager[Running | None]]
    """In a lab that is up; None where no process does the work, but the kernel."""


@contextmanager
def bench_lab(offload: bool) -> Iterator[Lab]:
    """A lab of this process for as long as the block runs."""
    lab = Lab(Topology(f"bench{os.getpid()}"))
    try:
        lab.up(offload)
        yield lab
    finally:
        lab.down()


@contextmanager
def _plain_kernel(lab: Lab) -> Iterator[None]:
    with kernel_nat(lab, POOL, None):
        yield


@contextmanager
def _kernel_helper(lab: Lab) -> Iterator[None]:
    with kernel_nat(lab, POOL, port=PORT):
        yield


@contextmanager
def _inline(lab: Lab) -> Iterator[Running]:
    words = ("inline", "--tun", _DEVICE, *_NAT, "--install-routes")
    with sipalg("inline on ", *words, within=lab.command(ROUTER)) as (process, _):
        yield process


@contextmanager
def _transparent(lab: Lab) -> Iterator[Running]:
    words = ("proxy", "--transparent", "--listen", _LISTEN, *_NAT, "--media", "rewrite", "--install-rules")
    with sipalg("listening on ", *words, within=lab.command(ROUTER)) as (process, _):
        yield process


PLAIN = Router("kernel, plain NAT", _plain_kernel)
"""What the load costs by itself."""
KERNEL = Router("kernel, SIP helper", _kernel_helper)
INLINE = Router("inline", _inline)
TRANSPARENT = Router("proxy --transparent", _transparent)
