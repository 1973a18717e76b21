"""Does nothing wrong: the worked example of a fault.

A fault is one class in one file, with an entry in the registry (`alg/faults/__init__.py`). It says its name, a title
and a source, declares its parameters, checks them in `__post_init__`, and overrides the hooks that it needs.
"""

from __future__ import annotations

from alg.faults.base import Case, Fault, Parameter


class Noop(Fault):
    """Lets every message leave as it should."""

    name = "noop"
    title = "nothing is wrong"
    source = "this project"
    parameters = (Parameter("times", "how often to do nothing", "1"),)

    def __post_init__(self) -> None:
        self.number("times", 1, 100)

    def leaves(self, case: Case, after: bytes) -> bytes:
        """The message."""
        return after
