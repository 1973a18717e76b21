"""The command line as a whole: help, version, and how wrong use is answered."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.cli import COMMANDS, main
from tests.helpers.system import run_sipalg, sipalg_environment

USERS_COMMANDS = ("rewrite", "proxy")


def test_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments it shows what there is, and that is no error."""
    assert main([]) == 0
    out, errors = capsys.readouterr()
    assert errors == ""
    shown = " ".join(out.split())
    for name, line in COMMANDS.items():
        assert f" {name} {line}" in shown


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", USERS_COMMANDS)
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], name: str, flag: str) -> None:
    """The help of a command shows how it is used."""
    assert main([name, flag]) == 0
    out, errors = capsys.readouterr()
    assert errors == ""
    assert "Example:" in out
    assert f"sipalg {name} " in out
    assert COMMANDS[name].split(" ", maxsplit=1)[0] in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the program."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sipalg")


@pytest.mark.parametrize("arguments", [["rewrote"], ["--verbose"], ["rewrite", "--maps", "a=b"]])
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Status 2 and one line that names what is wrong."""
    assert main(arguments) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert arguments[-1 if len(arguments) == 1 else 1] in line


def test_status_of_the_process() -> None:
    """The process ends with the status of the command."""
    assert run_sipalg("--help").returncode == 0
    assert run_sipalg("no-such-command").returncode == 2


def test_the_filter_starts_without_a_reactor() -> None:
    """`rewrite` installs no reactor: it is a filter, not a server."""
    code = "import sys; from harness.cli import main; main(['rewrite', '-h']); assert REACTOR not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("REACTOR", "'twisted.internet.reactor'")],
        capture_output=True,
        check=False,
        timeout=20,
        env=sipalg_environment(),
    )
    assert done.returncode == 0
