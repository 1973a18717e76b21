"""Lines of connections in an Expressway's log."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO

import pytest

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.expressway_log import ExpresswayLog
from harness.sip.flow import FlowFailed, Loss, Target
from tests.harness.sip.fake_flow import FakeFlow

HERE, THERE = ("192.0.2.3", 5062), ("192.0.2.70", 40000)
INWARDS = 'Src-ip="192.0.2.70" Src-port="40000" Dst-ip="192.0.2.3" Dst-port="5062"'
OUTWARDS = 'Src-ip="192.0.2.3" Src-port="5062" Dst-ip="192.0.2.70" Dst-port="40000"'


@pytest.fixture
def sink() -> StringIO:
    """What is written."""
    return StringIO()


@pytest.fixture
def log(sink: StringIO) -> ExpresswayLog:
    """An ear."""
    return ExpresswayLog(DiagnosticLog(sink, "expe", lambda: datetime(2017, 9, 19, 14, 1, tzinfo=UTC)))


def flow(serves: bool) -> FakeFlow:
    """A connection."""
    return FakeFlow(True, "TLS", HERE, THERE, serves)


def lines(sink: StringIO) -> list[str]:
    """Without time and module."""
    return re.findall(r'Level="\w+":  (.*)', sink.getvalue())


def test_a_connection_that_comes_in(log: ExpresswayLog, sink: StringIO) -> None:
    """Both lines, with whoever made it as the source, also when it ends."""
    log.connected(flow(True))
    log.closed(flow(True), Loss.EOF, "")
    assert lines(sink) == [
        f'{INWARDS} Detail="TCP Connecting"',
        f'{INWARDS} Detail="TCP Connection Established"',
        f'{INWARDS} Detail="TCP Connection Closed" Reason="Got EOF on socket"',
    ]


def test_a_connection_that_we_make(log: ExpresswayLog, sink: StringIO) -> None:
    """One line when it begins, one when it stands, one with the reason when TLS has failed."""
    log.connecting(HERE, Target("TLS", *THERE))
    log.connected(flow(False))
    log.failed(HERE, FlowFailed(Target("TLS", *THERE), Loss.TLS, "told elsewhere"))
    log.closed(flow(False), Loss.TLS, "self signed certificate")
    assert lines(sink) == [
        f'{OUTWARDS} Detail="TCP Connecting"',
        f'{OUTWARDS} Detail="TCP Connection Established"',
        f'{OUTWARDS} Detail="TCP Connection Closed" Reason="self signed certificate"',
    ]


@pytest.mark.parametrize("loss", [Loss.REFUSED, Loss.TIMEOUT])
def test_a_connection_that_never_stands(log: ExpresswayLog, sink: StringIO, loss: Loss) -> None:
    """Refused or not answered, the line is the same."""
    log.failed(HERE, FlowFailed(Target("TLS", *THERE), loss))
    assert lines(sink) == [f'{OUTWARDS} Detail="TCP Connection Failed"']
