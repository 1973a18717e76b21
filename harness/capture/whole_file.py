"""A file that is there when it is whole, and not before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """What the block writes to, in place of `path` once the block has ended well.

    If it does not, what was there before, perhaps nothing, is still there. A pipe or a device is written as it goes.
    OSError if the file cannot be written.
    """
    place = os.path.realpath(path)
    if os.path.exists(place) and not os.path.isfile(place):
        with open(place, "wb") as file:
            yield file
        return
    partial = f"{place}.{os.getpid()}.part"
    mode = _mode_to_keep(place)
    file = open(partial, "xb")  # noqa: SIM115 - what is made here is removed below
    try:
        with file:
            if mode is not None:
                os.chmod(partial, mode)
            yield file
        os.replace(partial, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise


def _mode_to_keep(place: str) -> int | None:
    """The permissions of what is there; OSError if it must not be written."""
    try:
        with open(place, "r+b") as old:
            return stat.S_IMODE(os.fstat(old.fileno()).st_mode)
    except FileNotFoundError:
        return None
