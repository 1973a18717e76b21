"""The benchmark of SIPp calls."""

from __future__ import annotations

from harness.bench.calls import measure_calls
from tests.helpers.system import require_system


def test_all_proxies_carry_the_calls() -> None:
    """A small load goes through our proxy with L4F on and off and through HAProxy without a failed call."""
    require_system("sipp", "sip-tester")
    require_system("haproxy", "haproxy")
    figures = measure_calls("t1", 200, 100)
    assert [figure.proxy for figure in figures] == [
        "sipalg, L4F on",
        "sipalg, L4F on, --media rewrite",
        "sipalg, L4F off",
        "HAProxy, TCP mode",
    ]
    assert [figure.failed for figure in figures] == [0, 0, 0, 0]
