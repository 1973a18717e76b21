"""`sipalg lab` with real namespaces, as its users see it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.lab.lab import Lab
from harness.lab.namespace import within
from harness.lab.topology import Topology
from tests.helpers.lab import CLIENT, NAME, SERVER, Opened, Stage, leftovers, require_root
from tests.helpers.system import eventually, run_sipalg, sipalg_command, sipalg_environment

OPTION = ("--name", NAME)


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Each test begins and ends without a lab."""
    require_root()
    yield
    Lab(Topology(NAME)).down()
    assert leftovers() == []


def lab(command: str, *args: str) -> tuple[int, str, str]:
    """Run a subcommand: its exit status, standard output, standard error."""
    done = run_sipalg("lab", command, *OPTION, *args)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def start(place: str, *words: str) -> subprocess.Popen[bytes]:
    """A command in one of the namespaces, by `sipalg lab exec`."""
    return subprocess.Popen(
        sipalg_command("lab", "exec", *OPTION, place, "--", *words), env=sipalg_environment(), stdout=subprocess.PIPE
    )


def in_lab(place: str, *words: str) -> str:
    """The output of a command in one of the namespaces."""
    command = ["ip", "netns", "exec", f"sipalg-{NAME}-{place}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def endpoints_meet() -> bool:
    """Whether a connection from inside comes to an end outside, through the router."""
    here = Stage(Lab(Topology(NAME)))
    with Opened() as opened:
        listening = opened.listen(here, "outside", (SERVER, 5060))
        client = opened.connect(here, "inside", (CLIENT, 0), (SERVER, 5060))
        return opened.accept(listening)[1] == client.getsockname()


def root_devices() -> str:
    """What the root namespace has, counters aside."""
    return "".join(
        subprocess.run(["ip", "-o", *what], capture_output=True, text=True, check=True).stdout
        for what in (("link",), ("route", "show", "table", "all"), ("rule",))
    )


def test_from_up_to_down() -> None:
    """A lab comes up, is seen, works, and goes without a trace."""
    before = root_devices()
    status, said, complaints = lab("up")
    assert (status, complaints) == (0, "")
    assert said.splitlines()[0] == "lab is up"
    assert "10.0.30.2/24" in said
    assert root_devices() == before
    assert lab("status")[:2] == (0, said)
    assert endpoints_meet()
    assert lab("down") == (0, "lab is down\n", "")
    assert root_devices() == before
    assert lab("status")[:2] == (1, "lab is down\n")
    assert lab("down") == (0, "lab was not up\n", "")


def test_status_for_machines() -> None:
    """Addresses, offload and processes, as JSON."""
    lab("up", "--offload", "off", "--inside", "10.0.30.2/24", "--inside", "10.0.30.3/24")
    with start("inside", "sleep", "60") as sleeping:
        status: dict[str, object] = {}

        def processes() -> dict[str, str]:
            status.update(json.loads(lab("status", "--json")[1]))
            found: dict[str, str] = status["places"]["inside"]["processes"]  # type: ignore[index]
            return found

        eventually("sleep in the lab", lambda: processes() == {str(sleeping.pid): "sleep 60"})
        sleeping.kill()
    assert status == {
        "name": NAME,
        "state": "up",
        "places": {
            "inside": {
                "namespace": f"sipalg-{NAME}-inside",
                "addresses": {"eth0": ["10.0.30.2/24", "10.0.30.3/24"]},
                "offload": {"eth0": False},
                "processes": {str(sleeping.pid): "sleep 60"},
            },
            "router": {
                "namespace": f"sipalg-{NAME}-router",
                "addresses": {"inside": ["10.0.30.1/24"], "outside": ["203.0.113.1/24"]},
                "offload": {"inside": False, "outside": False},
                "processes": {},
            },
            "outside": {
                "namespace": f"sipalg-{NAME}-outside",
                "addresses": {"eth0": ["203.0.113.20/24"]},
                "offload": {"eth0": False},
                "processes": {},
            },
        },
    }


def test_exec_is_the_command() -> None:
    """Its output, its exit status and its options are the command's own."""
    assert lab("exec", "inside", "--", "true") == (2, "", "sipalg: lab exec: the lab is down\n")
    lab("up")
    assert lab("exec", "outside", "--", "sh", "-c", "echo --name; exit 7")[:2] == (7, "--name\n")
    assert "10.0.30.1" in lab("exec", "router", "ip", "-4", "address")[1]
    assert lab("exec", "inside", "--")[0] == 2
    assert lab("exec", "nowhere", "--", "true")[0] == 2


def test_up_twice() -> None:
    """The second time says so and changes no more than the offload; other addresses are an error."""
    lab("up")
    within(f"sipalg-{NAME}-inside", partial(Path("/proc/sys/net/ipv4/ip_default_ttl").write_text, "99"))
    status, said, _ = lab("up", "--offload", "off")
    assert (status, said.splitlines()[0]) == (0, "lab is up already")
    assert "eth0 10.0.30.2/24 (offload off)" in said
    assert in_lab("inside", "cat", "/proc/sys/net/ipv4/ip_default_ttl") == "99\n"
    assert lab("up", "--inside", "10.0.30.9/24") == (
        2,
        "",
        "sipalg: lab up: it is up with other addresses: inside lacks 10.0.30.9/24; take it down\n",
    )


@pytest.mark.parametrize("missing", ["inside", "router"])
def test_what_a_crash_has_left_is_repaired_and_removed(missing: str) -> None:
    """A lab that lacks something is told apart from one that is up; up makes it whole, down removes the rest."""
    lab("up")
    subprocess.run(["ip", "netns", "delete", f"sipalg-{NAME}-{missing}"], check=True)
    assert lab("status")[:2] == (1, "lab is incomplete\n")
    assert lab("up")[0] == 0
    assert endpoints_meet()
    subprocess.run(["ip", "netns", "delete", f"sipalg-{NAME}-{missing}"], check=True)
    assert lab("down") == (0, "lab is down\n", "")


def test_down_ends_what_runs_in_the_lab_and_nothing_else() -> None:
    """Processes are asked to end, then killed; the same program outside goes on."""
    lab("up")
    stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done"
    with subprocess.Popen(["sleep", "60"]) as outside, start("inside", "sleep", "60") as asked:
        with start("router", "bash", "-c", stubborn) as killed:
            assert killed.stdout is not None, "was asked for"
            assert killed.stdout.readline() == b"ready\n"
            eventually("sleep in the lab", lambda: "sleep" in lab("status")[1])
            assert lab("down")[0] == 0
            assert (asked.wait(5), killed.wait(5)) == (-15, -9)
            assert outside.poll() is None
        outside.kill()
