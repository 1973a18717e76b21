"""The journal of a run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.journal import NAME, Beginning, Entry, Journal, place_of_run

SETTINGS = {"to": "127.0.0.1:5060", "step": None, "refusing": [408]}
BEGINNING = Beginning("size", 7, SETTINGS)


def entry(number: int, **more: object) -> Entry:
    """A probe."""
    return Entry(number, f"size {number}", "closed", float(number), 0.5, **more)


def written(directory: Path, count: int) -> Path:
    """The journal of a run that has made so many probes."""
    with closing(Journal.create(directory, BEGINNING)) as journal:
        for number in range(1, count + 1):
            journal.append(entry(number))
    return directory / NAME


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """Everything that was written is read back, before the file is closed too: a process that is killed closes none."""
    written(tmp_path, 3)
    with closing(Journal.resume(tmp_path, "size", None, SETTINGS)) as journal:
        assert journal.beginning == BEGINNING
        assert journal.earlier == [entry(1), entry(2), entry(3)]
        journal.append(entry(4, size=5001, status=513, alive=False, finding="x"))
        with closing(Journal.resume(tmp_path, "size", 7, SETTINGS)) as again:
            assert again.earlier[3].status == 513


def test_every_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    """Of a new run too: nothing waits in a buffer for a process that may be killed."""
    with closing(Journal.create(tmp_path, BEGINNING)) as journal:
        for number in range(1, 4):
            journal.append(entry(number))
            assert (tmp_path / NAME).read_bytes().count(b"\n") == number + 1


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_line_that_was_cut_short_is_dropped(tmp_path: Path, cut: int) -> None:
    """Whatever was left of it; what is written next starts a line of its own."""
    path = written(tmp_path, 2)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    with closing(Journal.resume(tmp_path, "size", None, SETTINGS)) as journal:
        assert journal.earlier == [entry(1)]
        journal.append(entry(2))
    assert path.read_bytes() == data


def test_another_run_is_not_overwritten(tmp_path: Path) -> None:
    """A directory holds one run."""
    written(tmp_path, 1)
    with pytest.raises(ConfigError, match=r"^--out .*: holds a run already: --resume it"):
        Journal.create(tmp_path, BEGINNING)


@pytest.mark.parametrize(
    ("command", "seed", "settings", "complaint"),
    [
        ("segmentation", None, {}, "command 'size', not 'segmentation'"),
        ("size", 8, {}, "seed 7, not 8"),
        ("size", None, {"to": "127.0.0.1:5061"}, "to '127.0.0.1:5060', not '127.0.0.1:5061'"),
        ("size", None, {"refusing": []}, r"refusing \[408\], not \[\]"),
    ],
)
def test_a_run_that_was_asked_for_something_else(
    tmp_path: Path, command: str, seed: int | None, settings: dict[str, object], complaint: str
) -> None:
    """Says what is different."""
    written(tmp_path, 1)
    with pytest.raises(ConfigError, match=f"^--resume: .*was made with {complaint}"):
        Journal.resume(tmp_path, command, seed, SETTINGS | settings)


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"nonsense\n", b'{"command": 5}\n'])
def test_no_journal(tmp_path: Path, content: bytes | None) -> None:
    """Named with its path."""
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ConfigError, match=r"^--resume: .*journal\.jsonl: "):
        Journal.resume(tmp_path, "size", None, SETTINGS)


def test_a_place_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where the directory should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"^--out .*file.*: "):
        Journal.create(tmp_path / "file" / "run", BEGINNING)


def test_a_new_run_has_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --out runs are numbered; --resume means the last one."""
    monkeypatch.chdir(tmp_path)
    assert place_of_run(None, "fuzz", resume=False) == Path("fuzz")
    assert place_of_run(None, "fuzz", resume=True) == Path("fuzz")
    Path("fuzz").mkdir()
    Path("fuzz-2").mkdir()
    assert place_of_run(None, "fuzz", resume=False) == Path("fuzz-3")
    assert place_of_run(None, "fuzz", resume=True) == Path("fuzz-2")
    assert place_of_run("fuzz", "other", resume=False) == Path("fuzz")
