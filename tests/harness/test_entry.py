"""The start of `sipalg`: an interrupt before it is there ends it with the status of every interrupt, and quietly."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.helpers.system import PATIENCE, sipalg_command, sipalg_environment

SLOW = "import sys, time; sys.stdout.write('importing'); sys.stdout.flush(); time.sleep(60)\n"


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("click", ["scenario", "run", "--all"]), ("harness.cli", []), ("msgspec", ["scenario", "run", "--all"])],
    ids=["its first import", "the command line", "what a command needs"],
)
def test_an_interrupt_while_it_imports(tmp_path: Path, module: str, arguments: list[str]) -> None:
    """Ctrl-C while a module takes its time: status 3, nothing printed but perhaps the end of the line with ^C."""
    (tmp_path / "slow.py").write_text(SLOW)
    # A finder that puts the slow module in the place of another.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.util import spec_from_file_location\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        return spec_from_file_location(name, {str(tmp_path / 'slow.py')!r}) if name == {module!r} else None\n"
        "sys.meta_path.insert(0, Finder)\n"
    )
    environment = sipalg_environment()
    environment["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    with subprocess.Popen(
        sipalg_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(9) == b"importing"
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, out, errors.strip()) == (3, b"", b"")
