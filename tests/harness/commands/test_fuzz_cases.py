"""What `torture` and `mutate` share: the same options, and the same list."""

from __future__ import annotations

import json

import pytest

from harness.commands import fuzz_mutate, fuzz_torture
from harness.commands.fuzz_cases import print_list

SHARED = {
    *("to", "tls", "cert", "key", "ca", "verify", "name", "sender", "with_alg", "maps", "pool", "inside", "no_l4f"),
    *("profile", "faults", "timeout", "rate", "seed", "out", "resume", "listing", "owned", "as_json", "only", "count"),
}


def test_the_same_options() -> None:
    """Both have them, each with a help text."""
    for command in (fuzz_torture.command, fuzz_mutate.command):
        assert {parameter.name for parameter in command.params} >= SHARED
        assert all(getattr(parameter, "help", "") for parameter in command.params)


@pytest.mark.parametrize("as_json", [False, True])
def test_list(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns for a person, rows for a script."""
    assert print_list([{"a": "one", "b": "two", "c": "three", "d": "four"}], as_json) == 0
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out) == [{"a": "one", "b": "two", "c": "three", "d": "four"}]
    else:
        assert out.split() == ["one", "two", "three;", "four"]
