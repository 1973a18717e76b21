"""The files of a PKI: private keys for their owner only, and never a CA replaced that nobody meant to replace.

Strategy: each file is created anew and exclusively, so that neither a link that lies in wait nor a second run at the
same time leads a key elsewhere; with `replace` the old file is removed first. A run that fails removes what it wrote,
and only that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from alg.errors import ConfigError

_SECRET = ".key"
"""Ending of the files that only their owner may read."""


def write_files(directory: Path, contents: Mapping[str, bytes], replace: bool) -> None:
    """Write files by name; a directory that has to be made is its owner's alone.

    ConfigError if one of them exists and `replace` is not set, or if the system refuses.
    """
    try:
        with ExitStack() as undo:
            if not directory.exists():
                directory.mkdir(mode=0o700, parents=True)
                undo.callback(directory.rmdir)
            if not replace:
                _refuse_existing(directory, contents)
            for name, content in contents.items():
                path = directory / name
                if replace:
                    path.unlink(missing_ok=True)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _mode(path))
                undo.callback(path.unlink, missing_ok=True)
                with open(descriptor, "wb") as file:
                    file.write(content)
            undo.pop_all()
    except OSError as failure:
        raise ConfigError(f"{failure.filename or directory}: {failure.strerror}") from None


def _refuse_existing(directory: Path, names: Mapping[str, bytes]) -> None:
    found = [name for name in names if os.path.lexists(directory / name)]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ConfigError(
            f"{directory}: {found[0]}{more} exist{'s' if not more else ''} already; --force replaces keys and CAs, "
            "and who trusted the old CAs must be given the new ones"
        )


def _mode(path: Path) -> int:
    return 0o600 if path.suffix == _SECRET else 0o644
