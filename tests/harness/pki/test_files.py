"""The files of a PKI: who may read them, and what is never replaced."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alg.errors import ConfigError
from harness.pki.files import write_files

CONTENTS = {"a.key": b"secret", "a.crt": b"public", "roots.pem": b"roots"}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the user's shell may have set."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    """Keys 0600 in a directory 0700, whatever the umask; certificates are public."""
    folder = tmp_path / "deep" / "pki"
    write_files(folder, CONTENTS, replace=False)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS
    assert mode(folder) == 0o700
    assert mode(folder / "a.key") == 0o600
    assert mode(folder / "a.crt") & ~0o644 == 0


def test_a_directory_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    """Its permissions and what else is in it are the user's."""
    tmp_path.chmod(0o755)
    (tmp_path / "notes").write_text("mine")
    write_files(tmp_path, CONTENTS, replace=False)
    assert mode(tmp_path) == 0o755
    assert (tmp_path / "notes").read_text() == "mine"


@pytest.mark.parametrize(
    ("existing", "words"),
    [(["a.key"], "a.key exists already"), (["roots.pem", "a.crt"], "a.crt and 1 more exist already")],
)
def test_nothing_is_replaced(tmp_path: Path, existing: list[str], words: str) -> None:
    """One file that exists, even a link to nowhere, and nothing at all is written."""
    for name in existing:
        (tmp_path / name).symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=f"{words}; --force replaces"):
        write_files(tmp_path, CONTENTS, replace=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(existing)


def test_replacing(tmp_path: Path) -> None:
    """Old files go, with the permissions they had; a link goes, not what it leads to."""
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "a.key").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a.crt").write_text("old")
    write_files(tmp_path, CONTENTS, replace=True)
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert not (tmp_path / "a.key").is_symlink()
    assert mode(tmp_path / "a.key") == 0o600
    assert {name: (tmp_path / name).read_bytes() for name in CONTENTS} == CONTENTS


def test_half_a_pki_is_removed(tmp_path: Path) -> None:
    """When a later file cannot be written, the earlier ones go again."""
    (tmp_path / "roots.pem").mkdir()
    with pytest.raises(ConfigError, match=r"roots\.pem: "):
        write_files(tmp_path, CONTENTS, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["roots.pem"]


class Meanwhile(dict[str, bytes]):
    """Files of which another run writes one just before we would."""

    def __init__(self, path: Path) -> None:
        super().__init__(CONTENTS)
        self._path = path

    def items(self) -> Any:
        """The other run is faster."""
        self._path.write_bytes(b"theirs")
        return super().items()


def test_two_runs_at_the_same_time(tmp_path: Path) -> None:
    """The second fails, takes its own files away and leaves those of the first."""
    with pytest.raises(ConfigError, match=r"a\.crt: File exists"):
        write_files(tmp_path, Meanwhile(tmp_path / "a.crt"), replace=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.crt": b"theirs"}


def test_a_new_directory_is_removed_with_it(tmp_path: Path) -> None:
    """A directory that was made for files that could not be written goes too."""
    with pytest.raises(ConfigError, match="No such file or directory"):
        write_files(tmp_path / "pki", {"a.key": b"", "no/a.crt": b""}, replace=False)
    assert list(tmp_path.iterdir()) == []


def test_no_directory(tmp_path: Path) -> None:
    """A file where the directory should be is told."""
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(ConfigError, match=f"{path}.*: Not a directory"):
        write_files(path, CONTENTS, replace=False)
    with pytest.raises(ConfigError, match="Not a directory"):
        write_files(path / "pki", CONTENTS, replace=False)
