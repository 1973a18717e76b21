"""The screen that a person sits in front of: a console that is plain where it is none, and a progress bar."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

_PLAIN_WIDTH = 100
"""Columns where the output is no terminal."""


def new_console(stderr: bool = False, plain_width: int = _PLAIN_WIDTH) -> Console:
    """Coloured and as wide as it is on a terminal, else plain and of so many columns."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else plain_width
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


class ProgressBar:
    """On standard error, if that is a terminal: how far a run is, and what it is doing."""

    def __init__(self, expected: int) -> None:
        self._progress: Progress | None = None
        if sys.stderr.isatty():
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=new_console(stderr=True),
                transient=True,
            )
            self._task = self._progress.add_task("", total=expected)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, doing: str, done: int) -> None:
        """What is being done now, and how many probes are behind us."""
        if self._progress is not None:
            total = self._progress.tasks[0].total or 0
            self._progress.update(self._task, description=doing, completed=done, total=max(total, done + 1))

    def tell(self, who: str, text: str) -> None:
        """A line that stays, whether it is a terminal or not."""
        if self._progress is not None:
            self._progress.console.print(Text(f"{who}: {text}"))
        else:
            sys.stderr.write(f"{who}: {text}\n")
