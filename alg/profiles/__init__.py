"""ALGs as data: which fixups one does, by the names of the rules in `alg.sip.rules` and `alg.sdp.rules`.

A profile is one TOML file. Those in this folder are known by name; any other is named by its path.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from alg.errors import ConfigError
from alg.sdp.rules import SDP_RULES
from alg.sip.rules import HEADER_RULES


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of ALG rewrites."""

    name: str
    """How the profile is asked for."""
    title: str
    """One line for people."""
    headers: frozenset[str]
    """Names from `HEADER_RULES`."""
    sdp: frozenset[str]
    """Names from `SDP_RULES`."""

    @classmethod
    def parse(cls, text: str, setting: str) -> Profile:
        """A profile from TOML text; ConfigError naming `setting` and the key that is wrong."""
        try:
            table: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{setting}: {error}") from None
        for key in table:
            if key not in {entry.name for entry in fields(cls)}:
                raise ConfigError(f"{setting}: unknown key {key!r}")
        known = {
            "headers": frozenset(rule.name for rule in HEADER_RULES),
            "sdp": frozenset(rule.name for rule in SDP_RULES),
        }
        for key in ("name", "title"):
            if not isinstance(table.get(key), str):
                raise ConfigError(f"{setting}: {key} must be a text")
        for key, names in known.items():
            value = table.get(key)
            if not isinstance(value, list):
                raise ConfigError(f"{setting}: {key} must be a list of rule names")
            for name in value:
                if not isinstance(name, str) or name not in names:
                    raise ConfigError(f"{setting}: {key}: no rule {name!r}; known: {', '.join(sorted(names))}")
        return cls(table["name"], table["title"], frozenset(table["headers"]), frozenset(table["sdp"]))


def names() -> list[str]:
    """The shipped profiles."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files(__name__).iterdir()
        if entry.name.endswith(".toml")
    )


def load(spec: str, setting: str = "--profile") -> Profile:
    """A shipped profile by name, or one of your own by the path of its TOML file."""
    if spec in names():
        return Profile.parse((resources.files(__name__) / f"{spec}.toml").read_text("utf-8"), f"{setting} {spec}")
    path = Path(spec)
    if path.suffix != ".toml":
        raise ConfigError(f"{setting}: no profile {spec!r}; known: {', '.join(names())}, or the path of a .toml file")
    try:
        return Profile.parse(path.read_text("utf-8"), f"{setting} {spec}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting}: {spec}: {error}") from None


COMPLETE = load("complete")
"""The ALG that does everything right."""
