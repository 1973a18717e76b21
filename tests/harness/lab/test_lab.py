"""Labs as other parts of the harness use them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from alg.errors import ConfigError
from harness.cli import main
from harness.lab.lab import Lab, State
from harness.lab.namespace import DIRECTORY
from harness.lab.topology import Topology
from tests.helpers.lab import NAME, leftovers, require_root


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab that is not up yet."""
    require_root()
    made = Lab(Topology(NAME))
    yield made
    made.down()
    assert leftovers() == []


def output(lab: Lab, place: str, *words: str) -> str:
    """What a command in one of the namespaces says."""
    return subprocess.run(lab.command(place, *words), capture_output=True, text=True, check=True).stdout


def test_there_is_no_way_out(lab: Lab) -> None:
    """The router has its two links and no default route; nothing speaks IPv6."""
    lab.up()
    assert output(lab, "router", "ip", "route").splitlines() == [
        "10.0.30.0/24 dev inside proto kernel scope link src 10.0.30.1 ",
        "203.0.113.0/24 dev outside proto kernel scope link src 203.0.113.1 ",
    ]
    links = json.loads(output(lab, "router", "ip", "-j", "link"))
    assert [link["ifname"] for link in links] == ["lo", "inside", "outside"]
    assert [output(lab, place, "ip", "-6", "address") for place in lab.topology.places] == ["", "", ""]


def test_several_labs(lab: Lab) -> None:
    """Labs of different names do not know of each other."""
    other = Lab(Topology(f"{NAME}-other"))
    lab.up()
    try:
        other.up()
        assert lab.down()
        assert (lab.state(), other.state()) == (State.DOWN, State.UP)
    finally:
        other.down()


def test_a_name_that_stands_for_no_namespace(lab: Lab) -> None:
    """The file that a killed `ip netns add` leaves is in nobody's way."""
    (DIRECTORY / lab.namespace("inside")).touch()
    assert lab.state() is State.INCOMPLETE
    lab.up()
    assert lab.state() is State.UP


def test_a_lab_that_cannot_be_completed_is_taken_down(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What iproute2 complains about is the error, and nothing is left."""
    monkeypatch.setattr(Topology, "batches", lambda _: {"router": "link set lo up\nlink set nothing up"})
    with pytest.raises(ConfigError, match='Cannot find device "nothing"'):
        lab.up()
    assert leftovers() == []


@pytest.mark.parametrize("command", [("up",), ("down",), ("status",), ("exec", "inside", "--", "true")])
def test_somebody_who_is_not_root(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is missing, and the exit status is 2."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        assert main(["lab", *command]) == 2
    assert capsys.readouterr() == ("", "sipalg: lab: needs root\n")
