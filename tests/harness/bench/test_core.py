"""The core benchmark."""

from __future__ import annotations

from harness.bench.core import measure_core


def test_rows() -> None:
    """One row for each kind of table, each with a time."""
    figures = measure_core(rounds=1)
    assert [figure.what for figure in figures] == [
        "1 mapping",
        "10,000 mappings",
        "pool",
        "no address maps",
        "L4F off",
    ]
    assert all(figure.microseconds > 0 for figure in figures)
