"""The benchmark of INVITEs in one segment and in two."""

from __future__ import annotations

from functools import partial

import pytest

from harness.bench import segments
from harness.bench.routers import Router
from harness.bench.segments import LARGE, SMALL, measure_segments
from harness.lab.kernel_nat import kernel_nat
from tests.helpers.lab import require_root
from tests.helpers.system import cannot_run, require_system

SENT = 30


@pytest.fixture(autouse=True)
def system() -> None:
    """What a lab needs."""
    require_root()
    require_system("nft", "nftables")


def test_who_rewrites_what() -> None:
    """Without offload the large INVITE is two segments: the kernel's helper rewrites none, ours rewrite all."""
    figures = measure_segments(SENT, (False,))
    if figures[0].remark:
        cannot_run(figures[0].remark)
    assert {row.sent for row in figures} == {SENT}
    assert {(row.router, row.message_bytes): (row.rewritten, row.unmodified) for row in figures} == {
        ("kernel, SIP helper", SMALL): (SENT, 0),
        ("kernel, SIP helper", LARGE): (0, SENT),
        ("inline", SMALL): (SENT, 0),
        ("inline", LARGE): (SENT, 0),
        ("proxy --transparent", SMALL): (SENT, 0),
        ("proxy --transparent", LARGE): (SENT, 0),
    }


def test_routers_that_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not start says why; behind what does not rewrite, every INVITE is unmodified."""
    absent = partial(kernel_nat, address="203.0.113.10", helper="none-such")
    monkeypatch.setattr(segments, "KERNEL", Router("absent", absent))
    idle = Router("idle", partial(kernel_nat, address="203.0.113.10", helper=None))
    monkeypatch.setattr(segments, "INLINE", idle)
    monkeypatch.setattr(segments, "TRANSPARENT", idle)
    figures = measure_segments(5, (True,))
    assert [row.offload for row in figures] == [True] * 6
    assert ["No such file" in row.remark for row in figures] == [True, True, False, False, False, False]
    assert [(row.rewritten, row.unmodified) for row in figures] == [(0, 0)] * 2 + [(0, 5)] * 4
