"""Scenarios of calls without a common codec."""

from __future__ import annotations

import pytest

from harness.scenarios.hybrid_codec import SCENARIOS
from harness.scenarios.registry import find
from tests.harness.scenarios.whole_run import WholeRun


def test_placements() -> None:
    """Each of the three has a label; the document and its problem are named."""
    assert [each.label for each in SCENARIOS] == ["B1-early", "B1-delayed", "B1-inbound"]
    for each in SCENARIOS:
        assert find(each.label) == [each]
        assert "both directions, problem 1" in each.source


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("no-common-codec-early-offer", "m=audio 0 RTP/SAVP *"),
        ("no-common-codec-early-offer", "Reason: Q.850;cause=47"),
        ("no-common-codec-delayed-offer", "Reason: Q.850;cause=47"),
        ("no-common-codec-inbound", "SIP/2.0 488 Not Acceptable Media"),
    ],
)
def test_log(whole_run: WholeRun, name: str, line: str) -> None:
    """The Expressway-E's has the line that the guide shows, in the failure alone."""
    assert line in whole_run.observation(name, False).logs["Expressway-E"]
    assert line not in whole_run.observation(name, True).logs["Expressway-E"]
