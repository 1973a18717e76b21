"""The file that secrets are appended to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.key_log import KeyLog


def test_a_new_file_is_its_owners(tmp_path: Path) -> None:
    """Nobody else reads it, whatever the umask, and each line is there at once."""
    path, said = tmp_path / "keys", list[str]()
    before = os.umask(0)
    try:
        log = KeyLog(str(path), "--tls-keylog", said.append)
    finally:
        os.umask(before)
    log.write(b"CLIENT_RANDOM aa bb")
    assert path.read_bytes() == b"CLIENT_RANDOM aa bb\n"
    assert path.stat().st_mode & 0o777 == 0o600
    log.close()
    log.write(b"late")
    assert path.read_bytes() == b"CLIENT_RANDOM aa bb\n"
    assert said == []


def test_an_old_file_is_added_to(tmp_path: Path) -> None:
    """What others have logged stays."""
    path = tmp_path / "keys"
    path.write_bytes(b"theirs\n")
    log = KeyLog(str(path), "--tls-keylog", print)
    log.write(b"ours")
    log.close()
    assert path.read_bytes() == b"theirs\nours\n"


@pytest.mark.parametrize(("path", "reason"), [("/", "Is a directory"), ("/none/keys", "No such file or directory")])
def test_a_file_that_cannot_be_opened(path: str, reason: str) -> None:
    """Is an error that names setting, file and reason."""
    with pytest.raises(ConfigError, match=f"^--tls-keylog {path}: {reason}$"):
        KeyLog(path, "--tls-keylog", print)


def test_a_disk_that_is_full() -> None:
    """One complaint, and silence from then on."""
    said: list[str] = []
    log = KeyLog("/dev/full", "[tls] keylog", said.append)
    log.write(b"first")
    log.write(b"second")
    assert said == ["[tls] keylog /dev/full: No space left on device; logging of keys ends, traffic goes on"]
