"""What a scenario may need of the machine that not every machine has, and why it cannot be had here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One thing."""

    name: str
    missing: Callable[[], str]
    """Why it cannot be had; empty if it can."""
    exclusive: bool = False
    """Only one scenario at a time can have it."""


def program(name: str, package: str) -> Need:
    """A program of a Debian package."""
    return Need(name, lambda: "" if shutil.which(name) else f"{name} is missing: Debian package {package}")


def _no_lab() -> str:
    if os.geteuid() != 0:
        return "the lab needs root"
    return program("ip", "iproute2").missing()


LAB = Need("lab", _no_lab, exclusive=True)
"""Network namespaces with addresses and packets of their own."""


def first_missing(needs: Iterable[Need]) -> str:
    """Why a scenario cannot run on this machine; empty if it can."""
    return next((reason for need in needs if (reason := need.missing())), "")
