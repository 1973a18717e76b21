"""The demonstration tells the truth when the ALG, or its absence, does something else than it should."""

from __future__ import annotations

import re

from tests.harness.demo.conftest import TIME_LIMIT, run_demo, run_python

_ALTERED_ALG = """
import dataclasses
from harness.demo import stage, topology
from alg.config import MediaMode
from twisted.internet import reactor
stage.alg_config = lambda l4f: {config}
"""


def test_an_alg_that_leaves_sdp_alone_fails_the_demonstration() -> None:
    """Status 1, and the reasons name the inside address, its line, and the media that was not heard."""
    config = "dataclasses.replace(topology.alg_config(l4f), media=MediaMode.OFF)"
    run = run_demo(before=_ALTERED_ALG.format(config=config))
    assert run.status == 1
    assert "INVITE shows 127.0.30.2 to the outside: c=IN IP4 127.0.30.2\n" in run.stderr
    assert "caller heard 0 of 25 audio RTP packets" in run.stderr
    assert all(line.startswith("sipalg demo: the call through the ALG failed: ") for line in run.stderr.splitlines())


def test_addresses_without_doors_fail_the_demonstration() -> None:
    """SDP that is right does not help when nothing listens where it points."""
    config = "dataclasses.replace(topology.alg_config(l4f), media=MediaMode.REWRITE)"
    run = run_demo(before=_ALTERED_ALG.format(config=config))
    assert run.status == 1
    assert "0 doors opened and 0 closed" in run.stderr
    assert "callee heard 0 of 25 video RTP packets" in run.stderr


def test_an_l4f_switch_that_does_nothing_fails_the_demonstration() -> None:
    """A call that works although it should not is as wrong as the other way round."""
    run = run_demo(before=_ALTERED_ALG.format(config="topology.alg_config(True)"))
    assert run.status == 1
    assert "the call with L4F off did not fail as expected: the caller heard the callee" in run.stderr
    assert "outward messages did not arrive as they were sent" in run.stderr


_OWN_RUN = """
from twisted.internet import reactor
from harness.demo.report import PLAIN_WIDTH, Report
from harness.screen import new_console
from harness.demo.run import DemoRun
run = DemoRun(reactor, Report(new_console(plain_width=PLAIN_WIDTH)), None{arguments})
status = run.run()
print(*run.complaints, sep="\\n")
print("left over:", reactor.getDelayedCalls(), reactor.removeAll())
"""


def test_nothing_is_left_over() -> None:
    """Every socket and every timer is gone when the command ends."""
    run = run_python(_OWN_RUN.format(arguments=""))
    assert (run.status, run.stderr) == (0, "")
    assert run.stdout.endswith("left over: [] []\n")


def test_time_limit_says_what_was_outstanding() -> None:
    """A run that takes too long is cut short, cleans up, and says what it was waiting for."""
    run = run_python(_OWN_RUN.format(arguments=", time_limit=0.2"))
    assert (run.status, run.stderr) == (1, "")
    assert run.seconds < TIME_LIMIT
    steps = r"(sends|waits for|streams) .+"
    assert re.search(rf"(?m)^not done after 0\.2 s: the caller {steps}; the callee {steps}$", run.stdout)
    assert run.stdout.endswith("left over: [] []\n")
