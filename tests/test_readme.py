"""What the README shows is what there is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec

from harness.cli import COMMANDS
from harness.settings import Flags, Settings, alg_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_configuration_file_is_valid() -> None:
    """The example can be copied as it stands."""
    (example,) = blocks("toml")
    settings = msgspec.toml.decode(example, type=Settings)
    assert len(settings.listener) == 2
    assert alg_config(settings, Flags()).sip_ports == {5060, 8000}


def test_every_command_that_is_named_exists() -> None:
    """No line of the README starts a command that is not there."""
    named = set(re.findall(r"^\s*(?:\.venv/bin/)?sipalg (\w+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """What `.ci/run` takes out of the README is the one command that runs the tests."""
    script = (ROOT / ".ci/run").read_text("utf-8")
    (extraction,) = re.findall(r'eval "\$\((.*)\)"', script)
    found = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.count("\n") == 1
    assert "-m pytest" in found
    assert found in README
