"""One run of the demonstration, from nothing to its exit status."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import defer, error, task
from twisted.python.failure import Failure

from harness.demo import verdict
from harness.demo.files import OutputDirectory
from harness.demo.report import Report
from harness.demo.stage import Stage
from harness.events import EventLog

_SUCCESS, _VERDICT_FAILED, _CUT_SHORT = 0, 1, 3
_CLOSING_TIME = 1.0
"""seconds"""


class DemoRun:
    """Both calls, and what is said about them."""

    def __init__(self, reactor: Any, report: Report, output: OutputDirectory | None, time_limit: float = 8.0) -> None:
        self.complaints: list[str] = []
        """Why the run failed, a sentence each."""
        self._reactor = reactor
        self._report = report
        self._output = output
        self._time_limit = time_limit
        """seconds"""
        self._stage = Stage(reactor, EventLog(output.events, time.time) if output else None)
        self._failure: Failure | None = None
        self._finished = False

    def run(self) -> int:
        """Run the reactor until all is over; the exit status."""
        self._reactor.callWhenRunning(self._start)
        self._reactor.run()
        if self._output is not None:
            self._output.close()
        if self._failure is not None:
            self._failure.raiseException()
        if not self._finished:
            return _CUT_SHORT
        return _VERDICT_FAILED if self.complaints else _SUCCESS

    def _start(self) -> None:
        calls = defer.Deferred.fromCoroutine(self._calls())
        calls.addTimeout(self._time_limit, self._reactor, onTimeoutCancel=self._timed_out)
        calls.addErrback(self._failed)
        calls.addCallback(lambda _: defer.Deferred.fromCoroutine(self._close()))
        calls.addErrback(self._failed)
        calls.addBoth(lambda _: self._reactor.stop())

    async def _calls(self) -> None:
        self._report.topology()
        call, watcher = await self._stage.place_call(l4f=True), self._stage.watcher
        faults = verdict.faults_with_alg(call, watcher)
        if self._output is not None:
            self._output.write(watcher.messages)
        if watcher.messages:
            self._report.difference(watcher.messages[0])
        self._report.totals(watcher)
        if faults:
            self.complaints += [f"the call through the ALG failed: {fault}" for fault in faults]
            return
        call = await self._stage.place_call(l4f=False)
        surprises = verdict.surprises_without_l4f(call)
        found = verdict.consequences(call)
        self._report.without_l4f(call, found)
        if surprises:
            self.complaints += [f"the call with L4F off did not fail as expected: {surprise}" for surprise in surprises]
            return
        self._report.closing(found, str(self._output.path) if self._output else None)

    def _timed_out(self, result: object, limit: float) -> None:
        waiting = "; ".join(self._stage.outstanding) or "closing sockets"
        self.complaints.append(f"not done after {limit:g} s: {waiting}")

    def _failed(self, failure: Failure) -> None:
        """An address that cannot be used is a finding; everything else is an error of ours."""
        if isinstance(failure.value, defer.FirstError):
            failure = failure.value.subFailure
        if isinstance(failure.value, error.CannotListenError):
            self.complaints.append(str(failure.value))
        else:
            self._failure = failure

    async def _close(self) -> None:
        """Every socket is closed, and the reactor has seen it."""
        await defer.Deferred.fromCoroutine(self._stage.close()).addTimeout(_CLOSING_TIME, self._reactor)
        await task.deferLater(self._reactor, 0)
        self._finished = True
