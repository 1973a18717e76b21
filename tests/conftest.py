"""What all tests share: how hard Hypothesis tries, and `sipalg proxy` as a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.system import ProxyProcess

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("fast", max_examples=40, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("deep", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


class StartProxy(Protocol):
    """Starts `sipalg proxy` with these arguments, and returns when it listens."""

    def __call__(self, *args: str, listeners: int = 1) -> ProxyProcess:
        """`listeners` is the number of listeners that its configuration asks for."""


@pytest.fixture
def start_proxy() -> Iterator[StartProxy]:
    """Starts proxies; when the test is over each must end well on SIGTERM, having printed no traceback."""
    running: list[ProxyProcess] = []

    def start(*args: str, listeners: int = 1) -> ProxyProcess:
        proxy = ProxyProcess(*args, listeners=listeners)
        running.append(proxy)
        return proxy

    yield start
    failures = []
    for proxy in running:
        try:
            proxy.stop()
        except (AssertionError, pytest.fail.Exception) as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
