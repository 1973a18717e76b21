"""The benchmark of SIPp calls in a lab."""

from __future__ import annotations

from functools import partial

import pytest

from harness.bench import lab_calls
from harness.bench.lab_calls import measure_lab_calls
from harness.bench.routers import Router
from harness.lab.kernel_nat import kernel_nat
from tests.helpers.lab import require_root
from tests.helpers.system import cannot_run, require_system


@pytest.fixture(autouse=True)
def system() -> None:
    """What a lab with SIPp needs."""
    require_root()
    require_system("nft", "nftables")
    require_system("sipp", "sip-tester")


def test_all_routers_carry_the_calls() -> None:
    """A small load goes through each without a failed call; packets and CPU time are counted where they are spent."""
    figures = measure_lab_calls("t1", 100, 30)
    assert [figure.router for figure in figures] == [
        "kernel, plain NAT",
        "kernel, SIP helper",
        "inline",
        "proxy --transparent",
    ]
    if figures[1].remark:
        cannot_run(figures[1].remark)
    assert [figure.failed for figure in figures] == [0, 0, 0, 0]
    assert [figure.process_cpu is None for figure in figures] == [True, True, False, False]
    assert all(figure.machine_cpu and figure.machine_cpu > 0 for figure in figures)
    assert all(figure.packets_per_second and figure.packets_per_second > 6 * 30 for figure in figures)


def test_a_router_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row says why, with the kernel's own words, and has no figures."""
    absent = Router("absent", partial(kernel_nat, address="203.0.113.10", helper="none-such"))
    for name in ("PLAIN", "KERNEL", "INLINE", "TRANSPARENT"):
        monkeypatch.setattr(lab_calls, name, absent)
    for figure in measure_lab_calls("t1", 100, 30):
        assert (figure.router, figure.failed, figure.packets_per_second) == ("absent", None, None)
        assert "No such file or directory" in figure.remark
