"""The shape of the source tree: which way imports flow, what each file may know, and that each has its test."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path.relative_to(ROOT) for package in ("alg", "harness") for path in (ROOT / package).rglob("*.py"))
CORE = [path for path in SOURCES if path.parts[0] == "alg" and path.parts[:2] != ("alg", "edge")]
MODULES = [path for path in SOURCES if path.name != "__init__.py"]

MOST_LINES = 400
EFFECTS = frozenset(
    {
        *(
            "_thread",
            "asyncio",
            "concurrent",
            "multiprocessing",
            "os",
            "queue",
            "random",
            "sched",
            "secrets",
            "selectors",
        ),
        *("select", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile", "threading", "time"),
    }
)
"""Parts of the standard library that do what a sans-io core may not: sockets, clocks, chance, processes, threads."""

TLS_LIBRARIES = frozenset({"OpenSSL", "cryptography"})
"""What `alg/tls` knows beside the standard library, and nothing else in the core."""

TESTED_ELSEWHERE = {
    "alg/edge/crossing.py": "tests/edge/test_proxy_close.py",
    "alg/edge/observing.py": "tests/edge/test_proxy_events.py",
    "alg/faults/base.py": "tests/faults/test_spec.py",
    "alg/faults/skipped.py": "tests/faults/test_contact_forgotten.py",
    "alg/tls/blind.py": "tests/tls/test_inspection.py",
    "harness/commands/demo.py": "tests/harness/demo/test_command.py",
    "harness/commands/options.py": "tests/harness/test_cli.py",
    "harness/commands/proxy.py": "tests/edge/test_proxy_config.py",
    "harness/console.py": "tests/edge/test_proxy_events.py",
    "harness/demo/composing.py": "tests/harness/demo/test_command.py",
    "harness/demo/endpoint.py": "tests/harness/demo/test_command.py",
    "harness/demo/media.py": "tests/harness/demo/test_command.py",
    "harness/demo/reading.py": "tests/harness/demo/test_command.py",
    "harness/demo/report.py": "tests/harness/demo/test_command.py",
    "harness/demo/run.py": "tests/harness/demo/test_command.py",
    "harness/demo/stage.py": "tests/harness/demo/test_command.py",
    "harness/demo/templates.py": "tests/harness/demo/test_command.py",
    "harness/demo/topology.py": "tests/harness/demo/test_command.py",
    "harness/proxying.py": "tests/edge/test_proxy_signals.py",
    "harness/scenarios/alg_addresses.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/alg_media.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/alg_messages.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/alg_calls/declaring.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/alg_calls/middle.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/alg_calls/shaping.py": "tests/harness/scenarios/test_registry.py",
    "harness/scenarios/child.py": "tests/harness/scenarios/test_runner.py",
}
"""Source files whose tests drive them through what they are a part of, each with the file where that happens."""

ENTRY_POINTS = {
    "harness.entry": "setup.cfg, the sipalg script",
}


def dotted(path: Path) -> str:
    """The name a source file is imported by."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted(path) for path in SOURCES}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file; `from a import b` is `a.b` where that is a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            assert node.module
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = members & NAMES
            found |= modules
            if modules != members:
                found.add(node.module)
    return found


def roots(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imported(path)}


def test_tree_is_found() -> None:
    """These guards look at the tree they are meant for."""
    assert Path("alg/connection.py") in CORE
    assert Path("alg/edge/proxy.py") in SOURCES
    assert "twisted" in roots(Path("alg/edge/proxy.py"))


@pytest.mark.parametrize("path", CORE, ids=str)
def test_core_is_sans_io(path: Path) -> None:
    """The core can be run from a printed page: standard library without effects, netaddr, and itself."""
    allowed = {"alg", "netaddr"} | (TLS_LIBRARIES if path.parts[:2] == ("alg", "tls") else frozenset())
    strangers = roots(path) - sys.stdlib_module_names - allowed
    assert not strangers, f"{path} imports {strangers}"
    effects = roots(path) & EFFECTS
    assert not effects, f"{path} imports {effects}"


@pytest.mark.parametrize("path", CORE, ids=str)
def test_core_reads_no_files(path: Path) -> None:
    """Only profiles, which are files of the package, are read from disk."""
    if path.parts[:2] == ("alg", "profiles"):
        return
    assert not roots(path) & {"pathlib", "io", "importlib", "glob", "fileinput"}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "exec", "eval", "__import__"}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "alg"], ids=str)
def test_alg_does_not_know_the_harness(path: Path) -> None:
    """Imports flow one way: tests, harness, edge, core."""
    assert not roots(path) & {"harness", "tests"}
    if path in CORE:
        assert not [name for name in imported(path) if name.startswith("alg.edge")]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "harness"], ids=str)
def test_harness_does_not_know_the_tests(path: Path) -> None:
    """What is installed works without the tests."""
    assert "tests" not in roots(path)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_source_file_has_its_test_file(path: Path) -> None:
    """Whoever changes a file knows where its tests are."""
    elsewhere = TESTED_ELSEWHERE.get(str(path))
    assert own_test(path).is_file() if elsewhere is None else (ROOT / elsewhere).is_file()


def own_test(path: Path) -> Path:
    """Where the test file of a source file stands."""
    folder = Path("tests") / path.parent.relative_to("alg") if path.parts[0] == "alg" else Path("tests") / path.parent
    return ROOT / folder / f"test_{path.name}"


def test_exceptions_are_still_needed() -> None:
    """A file that got its test file, or is gone, is no exception any more."""
    assert [path for path in TESTED_ELSEWHERE if own_test(Path(path)).exists() or not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_source_file_can_be_held_in_the_head(path: Path) -> None:
    """A file that has grown too long has two reasons to change."""
    lines = (ROOT / path).read_text("utf-8").count("\n")
    assert lines <= MOST_LINES, f"{path} has {lines} lines"


IMPORTED = set().union(*(imported(path) for path in SOURCES))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_source_file_is_used(path: Path) -> None:
    """No dead modules: each is imported by another one, or is an entry point, or a command that the CLI lists."""
    name = dotted(path)
    if name in ENTRY_POINTS or is_command(path):
        return
    assert name in IMPORTED, f"nobody imports {path}"


def is_command(path: Path) -> bool:
    """Whether the CLI lists it by the name of its file."""
    if path.parent != Path("harness/commands"):
        return False
    tree = ast.parse((ROOT / "harness/cli.py").read_text("utf-8"))
    return any(isinstance(node, ast.Constant) and node.value == path.stem for node in ast.walk(tree))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_source_file_says_what_it_is_for(path: Path) -> None:
    """Every file opens with a sentence for its reader."""
    assert ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8")))
