"""Links through a proxy that is a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Protocol

import pytest

from tests.conftest import StartProxy
from tests.edge.messages import MAP
from tests.edge.sockets import LOOPBACK, Link, Upstream, connect
from tests.helpers.system import ProxyProcess, running_proxy


class OpenLink(Protocol):
    """Opens one more connection: through the standing proxy, a new one with these arguments, or one that runs."""

    def __call__(self, *args: str, through: ProxyProcess | None = None, buffer: int | None = None) -> Link:
        """`buffer` is the size of the client's socket buffers."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Where a proxy of this test's own connects to."""
    with closing(Upstream()) as here:
        yield here


@pytest.fixture(scope="session")
def standing() -> Iterator[tuple[ProxyProcess, Upstream]]:
    """One proxy for all tests that ask nothing special of it: it maps INSIDE to OUTSIDE, addresses only."""
    with closing(Upstream()) as target:
        arguments = ("--listen", f"{LOOPBACK}:0", "--to", target.address, "--map", MAP, "--media", "rewrite")
        with running_proxy(*arguments) as proxy:
            yield proxy, target


@pytest.fixture
def link(start_proxy: StartProxy, upstream: Upstream, standing: tuple[ProxyProcess, Upstream]) -> Iterator[OpenLink]:
    """Opens connections and closes them after the test."""
    standing[1].close_accepted()
    with ExitStack() as stack:

        def open_link(*args: str, through: ProxyProcess | None = None, buffer: int | None = None) -> Link:
            proxy, target = through, upstream
            if through is None and args:
                proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", upstream.address, *args)
            elif through in (None, standing[0]):
                proxy, target = standing
            assert proxy is not None, "one of the three"
            client = stack.enter_context(closing(connect(proxy.port, buffer)))
            return Link(proxy, client, target.accept())

        yield open_link
