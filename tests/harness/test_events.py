"""The event log on its own: one JSON object a line, whatever bytes the messages hold."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.nat.media import Door
from alg.nat.table import Endpoint
from harness.events import EventLog
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options
from tests.helpers.strategies import streams


class Log:
    """An event log in memory."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.log = EventLog(self.file, lambda: 1700000000.1234567)

    def events(self) -> list[dict[str, Any]]:
        """What was written."""
        lines = self.file.getvalue().split("\n")
        assert lines.pop() == ""
        return [json.loads(line) for line in lines]


@pytest.fixture
def log() -> Log:
    """An empty log."""
    return Log()


def run(log: Log, data: bytes, direction: Direction = Direction.OUTWARD) -> None:
    """Feed a stream to a connection that the log listens to, and end it."""
    connection = Alg(AlgConfig(nat=NatConfig((AddressMap.parse(MAP),)))).connection(sink=log.log.sink(7))
    connection.feed(direction, data)
    connection.close(direction)
    log.log.closed(7, "closed", connection)


def test_time_and_kind_come_first(log: Log) -> None:
    """Every line has the time in seconds, to the microsecond, and its kind."""
    log.log.emit("tls", note="x")
    assert log.file.getvalue() == '{"time":1700000000.123457,"event":"tls","note":"x"}\n'


def test_connections(log: Log) -> None:
    """Addresses are HOST:PORT."""
    log.log.connected(3, ("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 3))
    log.log.refused(4, ("10.0.0.1", 1), ("10.0.0.3", 3), "no route")
    connected, refused = log.events()
    del connected["time"], refused["time"]
    assert connected == {
        "event": "connected",
        "connection": 3,
        "client": "10.0.0.1:1",
        "listener": "10.0.0.2:2",
        "target": "10.0.0.3:3",
    }
    assert refused == {
        "event": "refused",
        "connection": 4,
        "client": "10.0.0.1:1",
        "target": "10.0.0.3:3",
        "reason": "no route",
    }


def test_doors(log: Log) -> None:
    """A door is told by its endpoint, its side and where it listens; one that could not be opened by its address."""
    door = Door(
        Direction.INWARD, Endpoint(b"10.0.0.1", 4000), Endpoint(b"10.0.0.1", 4001), Endpoint(b"1.2.3.4", 6), 0.0
    )
    log.log.door("closed", door, reason="BYE")
    log.log.door("refused", None, address="1.2.3.4:6", reason="taken")
    closed, refused = log.events()
    assert (closed["action"], closed["direction"], closed["endpoint"], closed["door"], closed["reason"]) == (
        *("closed", "inward", "10.0.0.1:4000"),
        *("1.2.3.4:6", "BYE"),
    )
    assert (refused["action"], refused["address"], refused["reason"]) == ("refused", "1.2.3.4:6", "taken")
    assert "door" not in refused


def test_edits_of_a_message(log: Log) -> None:
    """A rewritten message is followed by its rewrites; offsets count from its start."""
    run(log, b"\r\n" + options(INSIDE))
    message, rewrite, closed = log.events()
    assert message["offset"] == 2
    assert message["edits"] == [
        {"rule": "Via", "offset": options(INSIDE).index(b"10.0.30.2"), "before": INSIDE, "after": OUTSIDE}
    ]
    assert (rewrite["rule"], rewrite["reason"]) == ("Via", "address is mapped")
    assert closed["outward"] == {"bytes_in": 2 + len(options(INSIDE)), "bytes_out": 2 + len(options(OUTSIDE))}


def test_bytes_that_are_no_text(log: Log) -> None:
    """A Call-ID of any bytes is written as text, and the line stays one line of JSON."""
    run(log, b'OPTIONS sip:x SIP/2.0\r\nCall-ID: \xff\x00"\\\xe2\x82\xac\x85\r\n\r\n')
    message, _ = log.events()
    assert message["call_id"].startswith('\ufffd\x00"\\€')


@given(streams())
def test_any_stream(data: bytes) -> None:
    """Whatever comes, every line is JSON, offsets only grow, and lengths add up to the stream."""
    log = Log()
    run(log, data)
    *events, closed = log.events()
    assert closed["outward"]["bytes_in"] == len(data)
    offsets = [event["offset"] for event in events if event["event"] in ("message", "passthrough")]
    assert offsets == sorted(offsets)
    growth = sum(event["delta"] for event in events if event["event"] == "message")
    assert closed["outward"]["bytes_out"] == len(data) + growth
