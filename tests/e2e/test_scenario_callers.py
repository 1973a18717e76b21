"""Somebody else's callers in the scenarios of ALGs: SIPp in many at once, baresip in one on the command line.

Strategy: each is started when the scenario asks for its call, with the address that it names. SIPp's messages are those
of one script, with what a scenario needs put in: another header, another name for itself, another request altogether.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from twisted.internet.defer import FirstError

from alg.edge.entrance import Address
from harness.scenarios import alg_addresses, alg_media, alg_messages
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.stage import Network
from harness.scenarios.verdict import judge
from tests.e2e.test_baresip import Lab
from tests.edge.sockets import free_port_pair
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.alg_calls.strangers import failing, observe, verdicts
from tests.helpers.system import PATIENCE, eventually, require_system, sipalg_command, sipalg_environment

HERE = Path(__file__).parent
BYE = "  <send>\n    <![CDATA[\n      BYE sip:"
TYPE = "      Content-Type: application/sdp\n"
CALL = (HERE / "caller.xml").read_text().replace(BYE, f'  <pause milliseconds="400"/>\n{BYE}')
"""What the built-in callee says is not cut off."""
PORT = 25060
"""Of callers, each of which has an address of its own."""
Change = Callable[[str, bool], str]
"""Makes a script of that for a call, without the cure or with it."""


def as_it_is(script: str, fixed: bool) -> str:
    """Nothing special is asked for."""
    return script


def with_header(text: str) -> Change:
    """In the INVITE."""
    return lambda script, fixed: script.replace(TYPE, f"      {text}\n{TYPE}")


def silent(script: str, fixed: bool) -> str:
    """For longer than the connection is remembered, without the cure."""
    return script if fixed else script.replace('milliseconds="400"', 'milliseconds="3000"')


def signed(script: str, fixed: bool) -> str:
    """And in static NAT mode with the cure."""
    script = with_header('Identity: "c29tZWJvZHk="')(script, fixed)
    return as_outside(script) if fixed else script


def repaired(script: str, fixed: bool) -> str:
    """Static NAT mode is one repair too many."""
    return script if fixed else as_outside(script)


def as_outside(script: str) -> str:
    """It calls itself what it is called outside."""
    return script.replace("[local_ip]", "[outside]")


def asking(*methods: str) -> Change:
    """No call, but other requests, each of which is answered or not."""

    def change(script: str, fixed: bool) -> str:
        start, end = script.index("  <send>"), script.index("</scenario>")
        return script[:start] + "".join(map(_request, methods, range(1, 9))) + script[end:]

    return change


def registering(script: str, fixed: bool) -> str:
    """No call, and it stays connected for a while."""
    return asking("REGISTER")(script, fixed).replace("</scenario>", '  <pause milliseconds="1000"/>\n</scenario>')


def elsewhere(script: str, fixed: bool) -> str:
    """The call is for somebody of whom nobody has spoken."""
    return script.replace("INVITE sip:callee@[callee]:[remote_port]", "INVITE sip:wrong@nowhere.example")


def _request(method: str, number: int) -> str:
    return f"""\
  <send>
    <![CDATA[
      {method} sip:callee@[callee]:[remote_port];transport=tcp SIP/2.0
      Via: SIP/2.0/TCP [local_ip]:[local_port];branch=[branch]
      From: <sip:caller@[local_ip]:[local_port]>;tag=caller-[call_number]
      To: <sip:callee@[callee]:[remote_port]>
      Call-ID: [call_id]
      CSeq: {number} {method}
      Contact: <sip:caller@[local_ip]:[local_port];transport=tcp>
      Event: service
      Max-Forwards: 70
      Content-Length: 0

    ]]>
  </send>
  <recv response="200"/>
"""


RUNS: dict[str, Change] = {
    **{"l4f-off": as_it_is, "nonstandard-port": as_it_is, "one-way-audio": as_it_is, "rtcp-attribute-stale": as_it_is},
    **{"ack-misrouted": as_it_is, "stale-content-length": as_it_is, "idle-timeout": silent},
    "long-line-dropped": with_header("User-to-User: " + "x" * 1200),
    **{"identity-signature-broken": signed, "double-nat-fix": repaired},
    **{"unknown-method-dropped": asking("OPTIONS", "SERVICE"), "source-port-translated": registering},
}
"""Scenarios, each with what is special about what the caller sends."""
EVERY = [each.name for each in (*alg_messages.SCENARIOS, *alg_addresses.SCENARIOS, *alg_media.SCENARIOS)]
SHRINKING, REGISTERS = "stale-content-length", "source-port-translated"
MOST_SECONDS = 60.0


@pytest.fixture
def turned() -> Iterator[Turned]:
    """For one test; no socket, no timer and no unhandled error may be left."""
    turned = Turned()
    with turned.watched():
        yield turned


class Callers:
    """SIPp, once for each scenario that asks for it."""

    def __init__(self, folder: Path, fixed: bool, changes: Mapping[str, Change]) -> None:
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self._program = require_system("sipp", "sip-tester")
        self._folder = folder
        self._fixed = fixed
        self._changes = changes

    def start(self, name: str, order: str) -> None:
        """As it is ordered."""
        found = re.search(r"^caller: .*\bsip:callee@((?:\d+\.){3})103:(\d+);transport=tcp", order)
        assert found is not None, order
        network, port = found[1], found[2]
        callee, (caller, outside) = f"{network}103", (f"{network}{number}" for number in _numbers(name))
        script = self._folder / f"{name}.xml"
        script.write_text(self._changes[name](CALL, self._fixed))
        command = [self._program, f"{callee}:{port}", "-sf", str(script), "-t", "t1", "-m", "1", "-nostdin"]
        command += ["-i", caller, "-ci", caller, "-p", str(PORT), "-key", "callee", callee, "-key", "outside", outside]
        command += ["-timeout", "10s", "-timeout_error"]
        self.started[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder
        )

    def end(self) -> None:
        """All of them."""
        for process in self.started.values():
            process.kill()
            process.wait(PATIENCE)


@contextmanager
def calling(folder: Path, fixed: bool, changes: Mapping[str, Change] = RUNS) -> Iterator[Callers]:
    """Callers that are ended behind the block."""
    callers = Callers(folder, fixed, changes)
    try:
        yield callers
    finally:
        callers.end()


def caller(name: str, network: Network) -> dict[str, Address]:
    """At a host that nobody has who is built in."""
    return {"caller": (network.host(_numbers(name)[0]), PORT)}


def _numbers(name: str) -> tuple[int, int]:
    """Of hosts: the caller's, and the one that it is outside."""
    return (107, 2) if name == SHRINKING else (7, 102)


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
def test_sipp_calls(turned: Turned, tmp_path: Path, fixed: bool) -> None:
    """Every scenario whose messages SIPp can make shows its evidence, or its cure, and neither for the other; where it
    works SIPp says so too. It does not listen, and cannot be called back.
    """
    names = [name for name in RUNS if name != REGISTERS or not fixed]
    with calling(tmp_path, fixed) as callers:
        found = verdicts(observe(turned, tmp_path, names, fixed, caller, callers.start), fixed)
        assert failing(found) == {}
        ends = {name: process.wait(PATIENCE) for name, process in callers.started.items()}
    assert [*ends] == names
    assert {name for name, each in found.items() if len(each.evidence) < 2} == set()
    if fixed:
        assert {name: status for name, status in ends.items() if status != 0} == {}


def test_a_caller_that_never_calls(turned: Turned, tmp_path: Path) -> None:
    """It is asked, waited for, and then it is told that there was no call."""
    said: list[str] = []
    seen = observe(turned, tmp_path, ["l4f-off"], True, caller, lambda name, text: said.append(text), wait=0.2)
    (reason,) = failing(verdicts(seen, True)).values()
    assert reason.startswith("answer to INVITE: expected 200 OK, found no INVITE")
    assert len(said) == 1


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
def test_nobody_calls(turned: Turned, tmp_path: Path, fixed: bool) -> None:
    """Of what nobody sent nothing is told that would be a sign of either form, in any scenario."""
    seen = observe(turned, tmp_path, EVERY, fixed, _nobody, wait=0.2)
    assert len(seen) >= 19
    signs = {
        f"{name}: {sign.what}: {sign.expected}"
        for name, observation in seen.items()
        for form in (False, True)
        for sign in SCENARIOS[name].signs(form)
        if sign.check(observation).shown
    }
    assert signs == set()


def _nobody(name: str, network: Network) -> dict[str, Address]:
    """A caller that never comes, and a callee that does not listen."""
    return {**caller(name, network), "callee": (network.host(207), 1)}


def test_a_call_for_somebody_else(turned: Turned, tmp_path: Path) -> None:
    """It is answered by whoever gets it, and it still is not the one that was asked for."""
    with calling(tmp_path, True, {"l4f-off": elsewhere}) as callers:
        seen = observe(turned, tmp_path, ["l4f-off"], True, caller, callers.start)
    evidence = judge(SCENARIOS["l4f-off"], True, seen["l4f-off"]).evidence
    wrong = {each.what: each.found for each in evidence if not each.shown}
    assert wrong == {"inside, Request-URI of the INVITE": "another"}


def test_an_address_that_does_not_shrink(turned: Turned, tmp_path: Path) -> None:
    """The scenario needs a longer one, and says so before it asks for anything."""
    said: list[str] = []
    with pytest.raises(FirstError) as failure:
        observe(
            turned,
            tmp_path,
            [SHRINKING],
            False,
            lambda name, network: {"caller": (network.host(3), PORT)},
            lambda name, text: said.append(text),
        )
    assert "has to be longer than that" in str(failure.value.subFailure.value)
    assert said == []


CALLER = "127.0.81.7"
NETWORK = "127.0.81"


@contextmanager
def ordering(name: str, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`sipalg scenario run` with the cure and baresip as the caller; the order that it gives, and its process."""
    command = sipalg_command("scenario", "run", name, "--fixed", "--json", "--network", f"{NETWORK}.0/24")
    command += ["--peer", f"caller={CALLER}:{port}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=sipalg_environment()
    ) as sipalg:
        assert sipalg.stderr is not None, "was asked for"
        order = sipalg.stderr.readline()
        assert order.startswith(f"{name}: caller: "), order
        try:
            yield order, sipalg
        finally:
            sipalg.kill()


def verdict(sipalg: subprocess.Popen[str]) -> dict[str, str]:
    """The evidence of the one, which has to pass: what was found by question."""
    (said,) = json.loads(sipalg.communicate(timeout=MOST_SECONDS)[0])
    assert said["verdict"] == "pass", said["reason"]
    return {each["what"]: each["found"] for each in said["evidence"]}


def test_baresip_calls(tmp_path: Path) -> None:
    """When it is asked to: it is answered, heard, and hears what the callee says until that hangs up."""
    lab, port = Lab(tmp_path), free_port_pair(CALLER)
    with ordering("one-way-audio", port) as (order, sipalg):
        assert f" call sip:callee@{NETWORK}.103:5060;transport=tcp, " in order
        dial = f"/dial sip:callee@{NETWORK}.103:5060"
        with lab.endpoint("caller", CALLER, port, "-e", dial, codec="PCMA") as baresip:
            found = verdict(sipalg)
            eventually("baresip hears that it is over", lambda: "packets:" in baresip.said)
    assert baresip.hears().startswith(f"{NETWORK}.103:")
    assert (found["audio RTP at the caller"], found["audio RTP at the callee"]) == ("heard", "heard")
    assert found["answer to BYE"] == "200 OK"


def test_baresip_registers(tmp_path: Path) -> None:
    """When it is asked to, and the call that the registrar places to where it came from is answered."""
    lab, port = Lab(tmp_path), free_port_pair(CALLER)
    with ordering("source-port-translated", port) as (order, sipalg):
        assert f" with {CALLER}:{port} in its Contact, " in order
        registrar = f"{NETWORK}.103:5060"
        with lab.endpoint(
            "caller", CALLER, port, extra=";answermode=auto", codec="PCMA", registrar=registrar
        ) as baresip:
            found = verdict(sipalg)
            eventually("baresip has a call", lambda: "Call established: sip:callee@" in baresip.said)
    assert "200 OK () [1 binding" in baresip.said
    assert found["answer to the call from outside"] == "200 OK"
