"""The log being written: the time in front, the host, and both lines of a message."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10, Entry, Event
from tests.harness.expressway.log.moments import NEW_YORK, SYDNEY

ENTRY = Entry("network.tcp", "DEBUG", (("Detail", "TCP Connecting"),))
OPTIONS = b"OPTIONS sip:10.0.30.2:5060 SIP/2.0\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"


def test_time_and_host() -> None:
    """Local time in seconds with its offset, host, process, and UTC in milliseconds."""
    sink = io.StringIO()
    DiagnosticLog(sink, "expc", lambda: SYDNEY).write(ENTRY)
    assert sink.getvalue() == (
        '2016-04-19T17:09:13+10:00 expc tvcs: UTCTime="2016-04-19 07:09:13,973" Module="network.tcp" Level="DEBUG":  '
        'Detail="TCP Connecting"\n'
    )


def test_milliseconds() -> None:
    """X8.10 has them in the local time too, always three digits; what is behind them is cut off."""
    for microsecond, digits in ((485_999, "485"), (7_000, "007")):
        sink = io.StringIO()
        now = NEW_YORK.replace(microsecond=microsecond)
        DiagnosticLog(sink, "amer-expressway01", lambda now=now: now, X8_10).write(ENTRY)
        assert sink.getvalue().startswith(
            f'2017-09-22T11:11:19.{digits}-04:00 amer-expressway01 tvcs: UTCTime="2017-09-22 15:11:19,{digits}" Module='
        )


def test_lines_of_one_moment() -> None:
    """All have the same time; an event goes into the same file."""
    sink = io.StringIO()
    moments = iter([SYDNEY, NEW_YORK])
    log = DiagnosticLog(sink, "expc", lambda: next(moments))
    log.write(ENTRY, Event("Search Attempted", ()))
    log.write(ENTRY)
    first, second, third = sink.getvalue().splitlines()
    assert second == (
        '2016-04-19T17:09:13+10:00 expc tvcs: Event="Search Attempted" Level="1" UTCTime="2016-04-19 07:09:13,973"'
    )
    assert first[:25] == second[:25] != third[:25]


@pytest.mark.parametrize(("way", "action"), [("received", "Received"), ("sent", "Sent")])
def test_a_message(way: str, action: str) -> None:
    """The INFO line, then the DEBUG line with the message, both with one hash."""
    sink = io.StringIO()
    log = DiagnosticLog(sink, "expc", lambda: SYDNEY)
    getattr(log, way)(("10.0.30.2", 5060), ("192.0.2.1", 5061), OPTIONS)
    info, debug, *block = sink.getvalue().splitlines()
    assert f'Level="INFO":  Action="{action}"  Local-ip="10.0.30.2"  Local-port="5060"' in info
    assert f'Level="DEBUG":  Action="{action}"  Local-ip="10.0.30.2"  Local-port="5060"' in debug
    assert info.partition("Msg-Hash=")[2].strip('"') == debug.partition("Msg-Hash=")[2].strip('"')
    assert block[:2] == [" SIPMSG:", " |OPTIONS sip:10.0.30.2:5060 SIP/2.0"]
    assert block[-1] == " |"


def test_a_clock_without_zone() -> None:
    """Is our own mistake."""
    with pytest.raises(AssertionError, match="how far it is from UTC"):
        DiagnosticLog(io.StringIO(), "expc", lambda: datetime(2016, 4, 19)).write(ENTRY)
