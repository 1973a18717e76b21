"""A file appears whole or not at all, and never takes the place of what it may not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harness.capture.whole_file import whole_file


class Stopped(BaseException):
    """Such as an interrupt of the user."""


def _fail(path: Path, kind: type[BaseException]) -> None:
    with whole_file(str(path)) as file:
        file.write(b"half")
        raise kind


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """Until then what was there before can be read, and keeps its permissions."""
    path = tmp_path / "file"
    path.write_bytes(b"before")
    path.chmod(0o640)
    with whole_file(str(path)) as file:
        file.write(b"after")
        file.flush()
        assert path.read_bytes() == b"before"
        assert len(os.listdir(tmp_path)) == 2
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("kind", [OSError, Stopped])
@pytest.mark.parametrize("before", [None, b"before"])
def test_a_failure_leaves_what_was_there(tmp_path: Path, before: bytes | None, kind: type[BaseException]) -> None:
    """Perhaps nothing."""
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(kind):
        _fail(path, kind)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_link(tmp_path: Path) -> None:
    """What it points to is replaced, not the link."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"before")
    link.symlink_to(path)
    with whole_file(str(link)) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert path.read_bytes() == b"after"


def test_a_pipe(tmp_path: Path) -> None:
    """It is written as it goes, and stays a pipe."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with whole_file(str(path)) as file:
            file.write(b"some")
            file.flush()
            assert os.read(reader, 9) == b"some"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(("path", "kind"), [("nowhere/file", FileNotFoundError), (".", IsADirectoryError)])
def test_what_cannot_be_written(tmp_path: Path, path: str, kind: type[OSError]) -> None:
    """It fails before the block begins."""
    with pytest.raises(kind), whole_file(str(tmp_path / path)):
        pytest.fail("the block is not to be run")
    assert list(tmp_path.iterdir()) == []
