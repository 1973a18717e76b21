"""One line without its time: fields, words, where it comes from, and the two spaces behind the level."""

from __future__ import annotations

from harness.expressway.log.entry import X8_7, X8_10, Code, Entry, Event

UTC = "2016-04-19 07:09:13,979"


def test_a_line_of_a_module() -> None:
    """Fields stand in quotes, whatever is in them, behind a colon and two spaces."""
    entry = Entry("network.tcp", "DEBUG", (("Src-ip", "10.0.30.2"), ("Src-port", 27921), ("Detail", 'a "b"')))
    for dialect in (X8_7, X8_10):
        assert entry.render(UTC, dialect) == (
            f'UTCTime="{UTC}" Module="network.tcp" Level="DEBUG":  Src-ip="10.0.30.2" Src-port="27921" Detail="a "b""'
        )


def test_spaces_in_network_sip() -> None:
    """Two between its fields in X8.7, one in X8.10."""
    entry = Entry("network.sip", "INFO", (("Action", "Sent"), ("Local-port", 5060)), block="\n |")
    assert entry.render(UTC, X8_7).endswith('Level="INFO":  Action="Sent"  Local-port="5060"\n |')
    assert entry.render(UTC, X8_10).endswith('Level="INFO":  Action="Sent" Local-port="5060"\n |')


def test_a_line_of_a_developer_module() -> None:
    """It says which code it comes from, and may have words between its fields."""
    entry = Entry(
        "developer.ssl", "ERROR", (("this", "0x1"), "Failed to do it", ("error", 1)), Code("a.cpp(68)", "::b")
    )
    assert entry.render(UTC, X8_10) == (
        f'UTCTime="{UTC}" Module="developer.ssl" Level="ERROR" CodeLocation="a.cpp(68)" Method="::b" '
        'Thread="0x7f29ddefa700":  this="0x1" Failed to do it error="1"'
    )


def test_an_event() -> None:
    """Its level and the time stand at the end."""
    event = Event("Search Attempted", (("Service", "SIP"),))
    assert event.render(UTC, X8_7) == f'Event="Search Attempted" Service="SIP" Level="1" UTCTime="{UTC}"'
