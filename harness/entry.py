"""Where the `sipalg` script begins: with so little that whoever interrupts it at once gets no traceback of imports."""

from __future__ import annotations

import sys

_CUT_SHORT = 3
"""The exit status of `harness.cli` for a run that was interrupted."""


def console() -> None:
    """The entry point of the `sipalg` script."""
    try:
        from harness.cli import main  # noqa: PLC0415 - what takes time is imported where an interrupt is expected

        status = main()
    except KeyboardInterrupt:
        status = _CUT_SHORT
    sys.exit(status)
