"""Profiles: which fixups an ALG does, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from alg import profiles
from alg.errors import ConfigError
from alg.profiles import COMPLETE, Profile
from alg.sdp.rules import SDP_RULES
from alg.sip.rules import HEADER_RULES
from tests.helpers.feed import through
from tests.helpers.vector import STATIC, in_request

ALL_BUT_ROUTE = ", ".join(f'"{rule.name}"' for rule in HEADER_RULES if rule.name != "Route")
FORGETS_ROUTE = f"""
name = "forgetful"
title = "Forgets Route"
headers = [{ALL_BUT_ROUTE}]
sdp = ["o=", "c="]
"""


def written(text: str, folder: Path) -> str:
    """The path of a profile with this text."""
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profile_loads_under_its_name(name: str) -> None:
    """Every shipped profile is asked for by the name it gives itself."""
    assert profiles.load(name).name == name


def test_complete_has_every_rule() -> None:
    """The ALG that does everything right leaves no rule out."""
    assert COMPLETE.headers == {rule.name for rule in HEADER_RULES}
    assert COMPLETE.sdp == {rule.name for rule in SDP_RULES}


def test_own_profile_is_obeyed(tmp_path: Path) -> None:
    """A profile of one's own that leaves Route out leaves Route alone, and only Route."""
    profile = profiles.load(written(FORGETS_ROUTE, tmp_path))
    line = b"Route: <sip:10.0.30.2;lr>\r\nRecord-Route: <sip:%s;lr>\r\nContact: <sip:%s>"
    out = through([in_request(line % (b"10.0.30.2", b"10.0.30.2"))], STATIC, "out", profile=profile)
    assert out == in_request(line % (b"64.100.0.10", b"64.100.0.10"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"Via"', '"Vai"', "headers: no rule 'Vai'; known: Contact, "),
        ('"c="', '"b="', "sdp: no rule 'b='; known: a=candidate, "),
        ('"c="', "7", "sdp: no rule 7"),
        ("title", "titel", "unknown key 'titel'"),
        ('title = "Forgets Route"', "", "title must be a text"),
        ('name = "forgetful"', "name = 1", "name must be a text"),
        ('sdp = ["o=", "c="]', 'sdp = "o="', "sdp must be a list of rule names"),
        ('sdp = ["o=", "c="]', "", "sdp must be a list of rule names"),
        ("headers = [", "headers = ", ""),
        ('"Via"', "[]", "headers: no rule []"),
        ('"Via"', "{}", "headers: no rule {}"),
    ],
)
def test_mistake_is_named(old: str, new: str, complaint: str, tmp_path: Path) -> None:
    """A wrong rule or key is named, with the file and what would be known."""
    assert old in FORGETS_ROUTE
    path = written(FORGETS_ROUTE.replace(old, new, 1), tmp_path)
    with pytest.raises(ConfigError) as caught:
        profiles.load(path, "--profile")
    assert str(caught.value).startswith(f"--profile {path}: {complaint}")


@pytest.mark.parametrize("spec", ["compleat", "", "complete.json", "../complete"])
def test_unknown_name(spec: str) -> None:
    """A name that nobody knows is answered with those that are known."""
    with pytest.raises(ConfigError, match=r"no profile .*; known: .*complete.*\.toml file"):
        profiles.load(spec)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is missing, a folder, or no text is named."""
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name in ("missing.toml", "folder.toml", "binary.toml"):
        with pytest.raises(ConfigError, match=f"--profile: .*{name}"):
            profiles.load(str(tmp_path / name))


def test_own_file_may_not_hide_a_shipped_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`complete` is the shipped profile, whatever lies in the working directory."""
    monkeypatch.chdir(tmp_path)
    written(FORGETS_ROUTE, tmp_path)
    (tmp_path / "own.toml").rename(tmp_path / "complete")
    assert profiles.load("complete") == COMPLETE


def test_profile_is_a_value() -> None:
    """Two readings of one profile are equal."""
    assert Profile.parse(FORGETS_ROUTE, "x") == Profile.parse(FORGETS_ROUTE, "y")
