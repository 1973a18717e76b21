"""One scenario in a process of its own: `python -m harness.scenarios.child`, an order on standard input.

Strategy: the forms are run one after the other, each with a time limit and, unless one was named, in a network of its
own, as sockets of the first may linger. A verdict is a line of JSON on standard output as soon as it is known, and so
is a string for whoever is in front of the screen. What cannot be observed is a verdict too: an exception is `error`
with its text. SIGTERM has the run cancelled, so that it can clean up after itself.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from twisted.internet import defer
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner
from twisted.python.failure import Failure

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.scenarios.registry import SCENARIOS
from harness.scenarios.scenario import FORMS, Observation, Scenario
from harness.scenarios.stage import Network, Stage
from harness.scenarios.verdict import Outcome, Verdict, judge

OBSERVATION: Final = "observation.json"
"""The file of what was seen."""
VERDICT: Final = "verdict.json"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parent wants."""

    name: str
    forms: list[bool]
    """With the cure or not, in this order."""
    directory: str
    """Where each form gets a directory."""
    peers: dict[str, Address] = {}
    limit: float = 10.0
    """Seconds that a form may take."""
    wait: float = 0.0
    """Seconds of it for what a real peer does of its own accord."""
    network: str = ""
    """Such as `10.9.8`; empty for one of loopback."""
    certificates: str = ""
    """A directory; empty for new ones."""


class Child:
    """Carries out one order."""

    def __init__(self, reactor: Any, order: Order, scenario: Scenario) -> None:
        self._reactor = reactor
        self._order = order
        self._scenario = scenario
        self._mishaps: list[str] = []
        """What nobody caught."""
        self._running: defer.Deferred[Any] | None = None
        self._cut_short = False
        """What is seen from now on is seen of a run that was cancelled, and tells nothing."""

    def run(self) -> None:
        """From the first form to the last."""
        globalLogBeginner.beginLoggingTo(
            [cast(ILogObserver, self._listen_in)], discardBuffer=True, redirectStandardIO=False
        )
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._cancel))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._reactor.callWhenRunning(self._start)
        self._reactor.run(installSignalHandlers=False)

    def _start(self) -> None:
        self._running = defer.Deferred.fromCoroutine(self._run())
        self._running.addErrback(_complain).addBoth(lambda _: self._reactor.stop())

    def _cancel(self) -> None:
        assert self._running is not None, "the reactor runs"
        self._cut_short = True
        self._running.cancel()

    async def _run(self) -> None:
        with ExitStack() as stack:
            named = [self._order.network] if self._order.network else None
            for fixed in self._order.forms:
                try:
                    network = stack.enter_context(Network(named))
                except OSError as error:
                    _say(self._error(fixed, f"no network: {error.strerror}", time.monotonic()))
                    continue
                _say(await self._run_form(fixed, network))
                if named:
                    stack.close()

    async def _run_form(self, fixed: bool, network: Network) -> Verdict:
        directory = Path(self._order.directory) / FORMS[fixed]
        directory.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        _keep(directory, self._error(fixed, "cut short", start))
        try:
            observation = await self._observe(self._stage(network, directory), fixed)
            (directory / OBSERVATION).write_bytes(msgspec.json.format(msgspec.json.encode(observation)))
            verdict = judge(self._scenario, fixed, observation, time.monotonic() - start)
        except defer.CancelledError:
            raise
        except Exception as error:
            verdict = self._error(fixed, _told(error), start)
        if self._mishaps:
            verdict = self._error(fixed, self._mishaps[0], start)
        if self._cut_short:
            raise defer.CancelledError
        _keep(directory, verdict)
        return verdict

    def _stage(self, network: Network, directory: Path) -> Stage:
        order = self._order
        certificates = Path(order.certificates) if order.certificates else None
        return Stage(self._reactor, network, directory, order.peers, order.wait, _say, certificates)

    def _observe(self, stage: Stage, fixed: bool) -> defer.Deferred[Observation]:
        async def observe() -> Observation:
            return await self._scenario.observe(stage, fixed)

        return defer.Deferred.fromCoroutine(observe()).addTimeout(self._order.limit, self._reactor, self._timed_out)

    def _timed_out(self, result: Any, limit: float) -> Any:
        raise TimeoutError(f"not done after {limit:g} s")

    def _error(self, fixed: bool, reason: str, start: float) -> Verdict:
        return Verdict(self._scenario.name, fixed, Outcome.ERROR, reason, (), time.monotonic() - start)

    def _listen_in(self, event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            self._mishaps.append(_told(failure.value))


def _say(what: Verdict | str) -> None:
    """To the parent."""
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


def _keep(directory: Path, verdict: Verdict) -> None:
    """In place of the one before."""
    (directory / VERDICT).write_bytes(msgspec.json.format(msgspec.json.encode(verdict)))


def _complain(failure: Failure) -> None:
    """Nothing of a run that was cancelled."""
    if not isinstance(failure.value, defer.CancelledError):
        sys.stderr.write(failure.getTraceback())


def _told(error: BaseException) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def main() -> None:
    """Carry out the order on standard input."""
    from twisted.internet import reactor  # noqa: PLC0415 - installing the reactor is the program's choice

    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    Child(reactor, order, SCENARIOS[order.name]).run()


if __name__ == "__main__":
    main()
