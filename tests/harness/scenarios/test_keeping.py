"""Room for a run: what earlier ones left of the same scenario and form goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from alg.errors import ConfigError
from harness.scenarios.keeping import make_room
from harness.scenarios.runner import Job
from harness.scenarios.scenario import FORMS
from harness.scenarios.verdict import Outcome, Verdict
from tests.harness.scenarios import made_up

JOBS = [Job(made_up.WORKS, (True,))]


def left(directory: Path, name: str, fixed: bool) -> Path:
    """What a run leaves of one form."""
    place = directory / name / FORMS[fixed]
    place.mkdir(parents=True)
    (place / "verdict.json").write_bytes(msgspec.json.encode(Verdict(name, fixed, Outcome.PASS, "fine")))
    (place / "capture.pcapng").write_bytes(b"")
    return place


def test_only_the_same_scenario_and_form(tmp_path: Path) -> None:
    """Its files are gone; those of the other form and of other scenarios stay, and so does whatever is beside them."""
    places = [left(tmp_path, *form) for form in (("works", True), ("works", False), ("raises", True))]
    (tmp_path / "works" / "notes.txt").write_text("mine")
    make_room(tmp_path, JOBS)
    assert [len(list(place.iterdir())) for place in places] == [0, 2, 2]
    assert (tmp_path / "works" / "notes.txt").read_text() == "mine"


def test_a_new_directory_or_an_empty_one(tmp_path: Path) -> None:
    """Nothing is to be done."""
    make_room(tmp_path, JOBS)
    (tmp_path / "works" / "cure").mkdir(parents=True)
    make_room(tmp_path, JOBS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("thesis.tex", "mine"),
        ("verdict.json", "guilty"),
        ("verdict.json", '{"name":"raises","fixed":true,"verdict":"pass","reason":""}'),
        ("verdict.json", '{"name":"works","fixed":false,"verdict":"pass","reason":""}'),
    ],
)
def test_what_is_not_ours(tmp_path: Path, name: str, content: str) -> None:
    """It stays, with everything else that was to go; the error names the place."""
    ours, place = left(tmp_path, "asks", False), tmp_path / "works" / "cure"
    place.mkdir(parents=True)
    (place / name).write_text(content)
    with pytest.raises(ConfigError, match=f"^--out {place}: has {name}, but not from an earlier run$"):
        make_room(tmp_path, [Job(made_up.ASKS, (False,)), *JOBS])
    assert (place / name).read_text() == content
    assert len(list(ours.iterdir())) == 2


def test_a_directory_among_our_files(tmp_path: Path) -> None:
    """We make none."""
    place = left(tmp_path, "works", True)
    (place / "private").mkdir()
    with pytest.raises(ConfigError, match=f"--out {place}: has private, but"):
        make_room(tmp_path, JOBS)
    assert len(list(place.iterdir())) == 3


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """Somebody else's directory is not ours to empty."""
    (tmp_path / "mine").mkdir()
    place = left(tmp_path, "works", True)
    (place / "link").symlink_to(tmp_path / "mine")
    make_room(tmp_path, JOBS)
    assert list(place.iterdir()) == []
    assert (tmp_path / "mine").is_dir()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """Named, too."""
    (tmp_path / "works").write_text("mine")
    with pytest.raises(ConfigError, match=f"--out {tmp_path}/works/cure: Not a directory"):
        make_room(tmp_path, JOBS)
