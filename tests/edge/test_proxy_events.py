"""The event log: which events there are, what each says, and that the debug text comes beside it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProxy
from tests.edge.conftest import OpenLink
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.edge.sockets import LOOPBACK, Link, Upstream, connect, ends_by_reset, receive, receive_all, reset
from tests.helpers.system import eventually

Event = dict[str, Any]
GROWTH = len(OUTSIDE) - len(INSIDE)


class LoggedLink:
    """A link through a proxy that writes events."""

    def __init__(self, link: Link, path: Path) -> None:
        self.link = link
        self._path = path

    def events(self, *kinds: str) -> list[Event]:
        """The events of these kinds so far, or all."""
        found = [json.loads(line) for line in self._path.read_text().splitlines()]
        return [event for event in found if not kinds or event["event"] in kinds]

    def close(self) -> list[Event]:
        """Close both sides; all events, the last being the end of the connection."""
        self.link.client.close()
        self.link.server.close()
        eventually("the connection is closed", lambda: bool(self.events("closed")))
        return self.events()


OpenLogged = Callable[..., LoggedLink]


@pytest.fixture
def logged(link: OpenLink, tmp_path: Path) -> OpenLogged:
    """Opens a link through a proxy with --events."""

    def open_logged(*arguments: str) -> LoggedLink:
        path = tmp_path / "events.jsonl"
        return LoggedLink(link("--map", MAP, "--media", "rewrite", "--events", str(path), *arguments), path)

    return open_logged


def test_a_connection_from_start_to_end(logged: OpenLogged) -> None:
    """`connected` names client, listener and target; `closed` counts the bytes of both directions in and out."""
    begin = time.time()
    crossing = logged()
    link = crossing.link
    link.client.sendall(request(INSIDE))
    receive(link.server, len(request(OUTSIDE)))
    link.server.sendall(response(OUTSIDE))
    receive(link.client, len(response(INSIDE)))
    client = "{}:{}".format(*link.client.getsockname())
    target = "{}:{}".format(*link.server.getsockname())
    connected, *_, closed = crossing.close()
    assert begin - 1 < connected.pop("time") <= closed.pop("time") < time.time() + 1
    listener = f"{LOOPBACK}:{link.proxy.port}"
    assert connected == {
        "event": "connected",
        "connection": 1,
        "client": client,
        "listener": listener,
        "target": target,
    }
    assert closed == {
        "event": "closed",
        "connection": 1,
        "reason": "closed",
        "outward": {"bytes_in": len(request(INSIDE)), "bytes_out": len(request(OUTSIDE))},
        "inward": {"bytes_in": len(response(OUTSIDE)), "bytes_out": len(response(INSIDE))},
    }


def test_a_message_and_its_rewrites(logged: OpenLogged) -> None:
    """`message` has method, Call-ID, CSeq, offset, lengths, growth and all edits; each edit is an event as well."""
    crossing = logged()
    crossing.link.client.sendall(options(INSIDE) + request(INSIDE, call="c7", cseq=3))
    receive(crossing.link.server, len(options(OUTSIDE) + request(OUTSIDE)))
    first, message = crossing.events("message")
    edits = message.pop("edits")
    message.pop("time")
    assert message == {
        "event": "message",
        "connection": 1,
        "direction": "outward",
        "method": "INVITE",
        "call_id": "c7@10.0.30.2.64.100.0.10",
        "cseq": "3 INVITE",
        "offset": len(options(INSIDE)),
        "length_in": len(request(INSIDE, cseq=3)),
        "length_out": len(request(OUTSIDE, cseq=3)),
        "delta": 8 * GROWTH,
    }
    assert (first["method"], first["delta"], first["offset"]) == ("OPTIONS", GROWTH, 0)
    assert [edit["rule"] for edit in edits] == [
        *("Via", "Via received", "From", "Contact", "Record-Route", "Content-Length", "SDP o=", "SDP c=", "SDP a=rtcp")
    ]
    for edit in edits:
        before, after = edit["before"], edit["after"]
        assert request(INSIDE)[edit["offset"] :].startswith(before.encode())
        assert (before, after) == (INSIDE, OUTSIDE) or edit["rule"] == "Content-Length"
    rewrites = [event for event in crossing.events("rewrite") if event["method"] == "INVITE"]
    for event in rewrites:
        assert event.pop("reason")
        assert event.pop("time")
    common = {"event": "rewrite"} | {
        key: message[key] for key in ("connection", "direction", "method", "call_id", "cseq")
    }
    assert rewrites == [common | edit for edit in edits]


def test_a_response_has_a_status(logged: OpenLogged) -> None:
    """A response is told by its status, and inward growth is negative."""
    crossing = logged()
    crossing.link.server.sendall(response(OUTSIDE))
    receive(crossing.link.client, len(response(INSIDE)))
    (message,) = crossing.events("message")
    assert (message["status"], message["direction"]) == (200, "inward")
    assert "method" not in message
    assert message["delta"] == len(response(INSIDE)) - len(response(OUTSIDE)) < 0


def test_a_message_without_edits(logged: OpenLogged) -> None:
    """A message that nothing had to be done to is an event too."""
    crossing = logged()
    crossing.link.client.sendall(options("192.0.2.9"))
    receive(crossing.link.server, len(options("192.0.2.9")))
    (message,) = crossing.events("message")
    assert (message["edits"], message["delta"]) == ([], 0)
    assert not crossing.events("rewrite")


def test_held_and_passed_bytes(logged: OpenLogged) -> None:
    """`hold` says how much waits, `passthrough` what went on unchanged, where in the stream, and why."""
    crossing = logged()
    crossing.link.client.sendall(options(INSIDE) + request(INSIDE)[:100])
    receive(crossing.link.server, len(options(OUTSIDE)))
    eventually("the hold is known", lambda: bool(crossing.events("hold")))
    hold = crossing.events("hold")[-1]
    assert (hold["offset"], hold["length"], hold["direction"]) == (len(options(INSIDE)), 100, "outward")
    assert hold["reason"]
    crossing.link.client.shutdown(socket.SHUT_WR)
    receive_all(crossing.link.server)
    (passed,) = crossing.events("passthrough")
    assert (passed["offset"], passed["length"], passed["connection"]) == (len(options(INSIDE)), 100, 1)
    assert "ended inside a message" in passed["reason"]


def test_bytes_that_are_no_sip(logged: OpenLogged) -> None:
    """The first stretch of bytes that are no SIP is told with its offset and the reason."""
    crossing = logged()
    crossing.link.client.sendall(options(INSIDE))
    receive(crossing.link.server, len(options(OUTSIDE)))
    crossing.link.client.sendall(b"\x16\x03\x01")
    receive(crossing.link.server, 3)
    crossing.link.client.sendall(options(INSIDE))
    receive(crossing.link.server, len(options(INSIDE)))
    (passed,) = crossing.events("passthrough")
    assert (passed["offset"], passed["length"]) == (len(options(INSIDE)), 3)
    assert "start line" in passed["reason"]
    assert len(crossing.events("message")) == 1


def test_why_a_connection_ended(logged: OpenLogged, tmp_path: Path) -> None:
    """`closed` says reset for a reset, the fault for a connection that was cut, shutdown at the end of the program."""
    config = tmp_path / "close.toml"
    config.write_text('[alg]\nmalformed = "close"\n')
    crossing = logged("--config", str(config))
    port = crossing.link.proxy.port
    reset(crossing.link.client)
    eventually("the reset is known", lambda: len(crossing.events("closed")) == 1)
    with closing(connect(port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        receive_all(client)
        eventually("the cut is known", lambda: len(crossing.events("closed")) == 2)
    with closing(connect(port)):
        eventually("the third connection stands", lambda: len(crossing.events("connected")) == 3)
        crossing.link.proxy.stop()
    reasons = {event["connection"]: event["reason"] for event in crossing.events("closed")}
    assert reasons[1] == "reset"
    assert "no SIP start line" in reasons[2]
    assert reasons[3] == "shutdown"


def test_why_a_connection_was_broken_off(logged: OpenLogged) -> None:
    """A connection that had to be reset at the end of the program says shutdown, too."""
    crossing = logged("--no-l4f")
    for side in (crossing.link.client, crossing.link.server):
        side.settimeout(0.3)
        with suppress(TimeoutError):
            while True:
                side.send(bytes(1 << 20))
    crossing.link.proxy.stop()
    assert [event["reason"] for event in crossing.events("closed")] == ["shutdown"]


def test_two_connections_are_told_apart(logged: OpenLogged, link: OpenLink) -> None:
    """Every event of a connection has its number."""
    crossing = logged()
    other = link(through=crossing.link.proxy)
    for each in (other, crossing.link):
        each.client.sendall(options(INSIDE))
        receive(each.server, len(options(OUTSIDE)))
    assert [event["connection"] for event in crossing.events("connected")] == [1, 2]
    assert [event["connection"] for event in crossing.events("message")] == [2, 1]


def test_a_refused_connection(start_proxy: StartProxy, upstream: Upstream, tmp_path: Path) -> None:
    """A target that cannot be reached is an event with the reason."""
    target = upstream.address
    upstream.close()
    events = tmp_path / "events.jsonl"
    proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", target, "--map", MAP, "--events", str(events))
    with closing(connect(proxy.port)) as client:
        address = "{}:{}".format(*client.getsockname())
        assert ends_by_reset(client)
    eventually("the event is written", lambda: bool(events.read_text()))
    (event,) = [json.loads(line) for line in events.read_text().splitlines()]
    assert (event["event"], event["client"], event["target"]) == ("refused", address, target)
    assert "refused" in event["reason"]


def test_every_byte_is_accounted_for(logged: OpenLogged) -> None:
    """Messages and stretches that passed add up to the streams, in order, whatever came."""
    crossing = logged()
    stream = b"\r\n\r\n" + options(INSIDE) + request(INSIDE, size=900) + b"\r\n" + options(INSIDE, 2) + b"\x00end"
    for start in range(0, len(stream), 77):
        crossing.link.client.sendall(stream[start : start + 77])
    crossing.link.client.shutdown(socket.SHUT_WR)
    out = receive_all(crossing.link.server)
    *_, closed = crossing.close()
    assert closed["outward"] == {"bytes_in": len(stream), "bytes_out": len(out)}
    spans = [(event["offset"], event["length_in"]) for event in crossing.events("message")]
    assert [stream[start : start + size].startswith((b"OPTIONS", b"INVITE")) for start, size in spans] == [True] * 3
    assert sum(event["delta"] for event in crossing.events("message")) == len(out) - len(stream)


def test_debug_text(link: OpenLink) -> None:
    """--debug-ip-nat-sip prints IOS's lines on standard error as messages pass."""
    crossing = link("--map", MAP, "--media", "rewrite", "--debug-ip-nat-sip")
    crossing.client.sendall(request(INSIDE))
    receive(crossing.server, len(request(OUTSIDE)))
    crossing.proxy.expect("Complete buffer written to proxy")
    assert f"NAT: SIP: [0] translated embedded address {INSIDE}->{OUTSIDE}" in crossing.proxy.complaints
    assert f"l4f_send returns {len(request(OUTSIDE))} bytes" in crossing.proxy.complaints
