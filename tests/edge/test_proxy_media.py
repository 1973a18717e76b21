"""Media of a call through `sipalg proxy`: doors open with the descriptions, relay, and close with the dialog."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.edge.conftest import OpenLink
from tests.edge.messages import INSIDE, MAP, OUTSIDE, request
from tests.edge.sockets import LOOPBACK, Link, Upstream, connect, free_port_pair, receive, receive_all, udp_socket
from tests.helpers.system import ProxyProcess, eventually, running_proxy

CALLER, CALLEE = "127.0.0.2", "127.0.0.3"
CALLER_OUTSIDE, CALLEE_INSIDE = "127.0.0.102", "127.0.0.103"
MAPS = ("--map", f"{CALLER}={CALLER_OUTSIDE}", "--map", f"{CALLEE_INSIDE}={CALLEE}")


def message(
    call_id: str, start: str, host: str, *media: str, cseq: str = "1 INVITE", receiver: str | None = None
) -> bytes:
    """A message of a call whose sender has this address (for media: `receiver`), describing these media lines."""
    lines = [f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {receiver or host}", "t=0 0", *media]
    body = "v=0\r\n" + "".join(f"{line}\r\n" for line in lines) if media else ""
    content = "Content-Type: application/sdp\r\n" if media else ""
    header = f"{start}\r\nContact: <sip:x@{host}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n{content}"
    return f"{header}Content-Length: {len(body)}\r\n\r\n{body}".encode()


INVITE = "INVITE sip:bob@example.com SIP/2.0"
OK = "SIP/2.0 200 OK"


def audio(port: int) -> str:
    """A media line."""
    return f"m=audio {port} RTP/AVP 0"


class Call:
    """A call through the proxy: the caller's and the callee's signalling and media sockets."""

    numbers = count(1)

    def __init__(self, link: Link, events: Path, stack: ExitStack) -> None:
        self.link = link
        self.call_id = f"call-{next(self.numbers)}"
        self._events = events
        self._earlier = len(events.read_text())
        self._stack = stack

    def message(self, *arguments: str, **more: str) -> bytes:
        """A message of this call."""
        return message(self.call_id, *arguments, **more)

    def media(self, address: str) -> tuple[socket.socket, socket.socket]:
        """RTP and RTCP sockets of a party."""
        port = free_port_pair(address)
        first, second = (self._stack.enter_context(closing(udp_socket(address, port + step))) for step in (0, 1))
        return first, second

    def out(self, sent: bytes) -> bytes:
        """Send from the caller to the callee; what arrives."""
        self.link.client.sendall(sent)
        return _one_message(self.link.server)

    def back(self, sent: bytes) -> bytes:
        """Send from the callee to the caller; what arrives."""
        self.link.server.sendall(sent)
        return _one_message(self.link.client)

    def doors(self, action: str) -> list[dict[str, Any]]:
        """The door events of this kind so far."""
        found = [json.loads(line) for line in self._events.read_text()[self._earlier :].splitlines()]
        return [event for event in found if event["event"] == "door" and event["action"] == action]

    def bye(self) -> None:
        """The caller hangs up."""
        self.out(self.message("BYE sip:bob@example.com SIP/2.0", CALLER, cseq="9 BYE"))
        self.back(self.message(OK, CALLEE, cseq="9 BYE"))


def _one_message(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        assert piece, "the connection ended"
        data += piece
    header, _, body = data.partition(b"\r\n\r\n")
    length = int(header.rpartition(b"Content-Length:")[2].partition(b"\r\n")[0])
    return data + receive(connection, length - len(body))


@pytest.fixture(scope="module")
def relaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProxyProcess, Upstream, Path]]:
    """One proxy with doors for all calls of this file; its upstream and its events."""
    events = tmp_path_factory.mktemp("media") / "events.jsonl"
    with closing(Upstream()) as target:
        arguments = ("--listen", f"{LOOPBACK}:0", "--to", target.address, *MAPS, "--events", str(events))
        with running_proxy(*arguments) as proxy:
            yield proxy, target, events


@pytest.fixture
def call(relaying: tuple[ProxyProcess, Upstream, Path]) -> Iterator[Call]:
    """A call between CALLER inside and CALLEE outside, of which each has an address on the other side."""
    proxy, target, events = relaying
    with ExitStack() as stack:
        client = stack.enter_context(closing(connect(proxy.port)))
        made = Call(Link(proxy, client, target.accept()), events, stack)
        yield made
    target.close_accepted()
    eventually("its doors are closed", lambda: len(made.doors("opened")) == len(made.doors("closed")))


@pytest.fixture(scope="module", autouse=True)
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The events of a proxy with a short time-out, of which a door is left alone while the other tests run."""
    folder = tmp_path_factory.mktemp("forgotten")
    config, events = folder / "sipalg.toml", folder / "events.jsonl"
    config.write_text("[media]\nidle_timeout = 0.5\n")
    with closing(Upstream()) as target:
        arguments = ("--listen", f"{LOOPBACK}:0", "--to", target.address, *MAPS, "--events", str(events))
        with running_proxy(*arguments, "--config", str(config)) as proxy, closing(connect(proxy.port)) as client:
            server = target.accept()
            client.sendall(message("forgotten", INVITE, CALLER, audio(free_port_pair(CALLER))))
            _one_message(server)
            yield events


def door_of(described: bytes, address: str, line: int = 0) -> int:
    """The port that a description with this address gives for its media line of this number."""
    assert f"c=IN IP4 {address}\r\n".encode() in described
    return int(described.split(b"\r\nm=audio ")[line + 1].partition(b" ")[0])


def test_media_both_ways(call: Call) -> None:
    """Both parties send where the other's description points, and hear each other from where they send to."""
    (caller, caller_control), (callee, callee_control) = call.media(CALLER), call.media(CALLEE)
    port = caller.getsockname()[1]
    offered = call.out(call.message(INVITE, CALLER, audio(port)))
    assert door_of(offered, CALLER_OUTSIDE) == port
    answered = call.back(call.message(OK, CALLEE, audio(callee.getsockname()[1])))
    for here, there, step in ((caller, callee, 0), (caller_control, callee_control, 1)):
        to_callee = (CALLEE_INSIDE, door_of(answered, CALLEE_INSIDE) + step)
        to_caller = (CALLER_OUTSIDE, port + step)
        here.sendto(b"hello", to_callee)
        assert there.recvfrom(99) == (b"hello", to_caller)
        there.sendto(b"good day", to_caller)
        assert here.recvfrom(99) == (b"good day", to_callee)
    call.bye()
    eventually("both doors are closed", lambda: len(call.doors("closed")) == 2)
    assert {event["reason"] for event in call.doors("closed")} == {"BYE"}
    for event in call.doors("closed"):
        assert event["rtp"]["in"] == event["rtcp"]["in"] == 1
        assert event["rtp"]["undeliverable"] == event["rtcp"]["undeliverable"] == 0


def test_ports_of_doors_are_free_after_the_call(call: Call) -> None:
    """What the doors occupied can be had by others, and a late packet reaches nobody."""
    (caller, _) = call.media(CALLER)
    port = caller.getsockname()[1]
    call.out(call.message(INVITE, CALLER, audio(port)))
    with pytest.raises(OSError, match="in use"):
        udp_socket(CALLER_OUTSIDE, port)
    call.back(call.message(OK, CALLEE))
    call.bye()
    eventually("the door is closed", lambda: len(call.doors("closed")) == 1)
    for step in (0, 1):
        eventually("the port is free", lambda step=step: _free(CALLER_OUTSIDE, port + step))


def _free(address: str, port: int) -> bool:
    try:
        udp_socket(address, port).close()
    except OSError:
        return False
    return True


def test_a_taken_port_is_written_as_another(call: Call) -> None:
    """When the wanted port is taken, the description says which it is instead, RTCP and candidates along with it."""
    (caller, _) = call.media(CALLER)
    port = caller.getsockname()[1]
    with closing(udp_socket(CALLER_OUTSIDE, port)), closing(udp_socket(CALLEE)) as callee:
        rtcp = f"a=rtcp:{port + 1} IN IP4 {CALLER}"
        candidates = [f"a=candidate:1 {part} UDP 1 {CALLER} {port + part - 1} typ host" for part in (1, 2)]
        offered = call.out(call.message(INVITE, CALLER, audio(port), rtcp, *candidates)).decode()
        door = door_of(offered.encode(), CALLER_OUTSIDE)
        assert door != port
        assert door % 2 == 0
        assert f"a=rtcp:{door + 1} IN IP4 {CALLER_OUTSIDE}\r\n" in offered
        assert f"UDP 1 {CALLER_OUTSIDE} {door} typ host\r\n" in offered
        assert f"UDP 1 {CALLER_OUTSIDE} {door + 1} typ host\r\n" in offered
        callee.sendto(b"media", (CALLER_OUTSIDE, door))
        assert caller.recv(99) == b"media"


@pytest.mark.parametrize("status", [404, 486, 487, 603])
def test_a_call_that_fails(call: Call, status: int) -> None:
    """A final answer that is no success closes the doors of the offer."""
    call.out(call.message(INVITE, CALLER, audio(40000)))
    assert len(call.doors("opened")) == 1
    call.back(call.message(f"SIP/2.0 {status} Sorry", CALLEE))
    eventually("the door is closed", lambda: len(call.doors("closed")) == 1)
    assert str(status) in call.doors("closed")[0]["reason"]


def test_a_reinvite_moves_the_media(call: Call) -> None:
    """Media follows a re-INVITE to another port; what comes late to the old port does no harm; BYE closes all doors."""
    (caller, _), (moved, _), (callee, _) = call.media(CALLER), call.media(CALLER), call.media(CALLEE)
    first = door_of(call.out(call.message(INVITE, CALLER, audio(caller.getsockname()[1]))), CALLER_OUTSIDE)
    call.back(call.message(OK, CALLEE, audio(callee.getsockname()[1])))
    again = call.message(INVITE, CALLER, audio(moved.getsockname()[1]), cseq="2 INVITE")
    second = door_of(call.out(again), CALLER_OUTSIDE)
    answered = call.back(call.message(OK, CALLEE, audio(callee.getsockname()[1]), cseq="2 INVITE"))
    callee.sendto(b"media", (CALLER_OUTSIDE, second))
    assert moved.recvfrom(99) == (b"media", (CALLEE_INSIDE, door_of(answered, CALLEE_INSIDE)))
    call.bye()
    callee.sendto(b"late", (CALLER_OUTSIDE, first))
    callee.sendto(b"late", (CALLER_OUTSIDE, second))
    eventually("all doors are closed", lambda: len(call.doors("closed")) == 3, 2.0)


def test_media_on_hold(call: Call) -> None:
    """A re-INVITE with c=0.0.0.0 keeps its address, and the call goes on as before."""
    (caller, _), (callee, _) = call.media(CALLER), call.media(CALLEE)
    media = audio(caller.getsockname()[1])
    port = door_of(call.out(call.message(INVITE, CALLER, media)), CALLER_OUTSIDE)
    call.back(call.message(OK, CALLEE, audio(callee.getsockname()[1])))
    held = call.out(call.message(INVITE, CALLER, media, cseq="2 INVITE", receiver="0.0.0.0"))
    assert f"o=- 1 1 IN IP4 {CALLER_OUTSIDE}\r\ns=-\r\nc=IN IP4 0.0.0.0\r\n".encode() in held
    callee.sendto(b"media", (CALLER_OUTSIDE, port))
    assert caller.recv(99) == b"media"


def test_refused_media(call: Call) -> None:
    """Port 0 (RFC 3264 6) opens nothing and stays 0."""
    offered = call.out(call.message(INVITE, CALLER, audio(40000), "m=video 0 RTP/AVP 31"))
    assert b"m=video 0 RTP/AVP 31" in offered
    answered = call.back(call.message(OK, CALLEE, audio(0), "m=video 0 RTP/AVP 31"))
    assert door_of(answered, CALLEE_INSIDE) == 0
    assert len(call.doors("opened")) == 1


def test_several_media_lines(call: Call) -> None:
    """Each media line of an offer has its own door."""
    (first, _), (second, _) = call.media(CALLER), call.media(CALLER)
    ports = [sock.getsockname()[1] for sock in (first, second)]
    offered = call.out(call.message(INVITE, CALLER, *(audio(port) for port in ports)))
    with closing(udp_socket(CALLEE)) as callee:
        for line, sock in enumerate((first, second)):
            callee.sendto(b"to %d" % line, (CALLER_OUTSIDE, door_of(offered, CALLER_OUTSIDE, line)))
            assert sock.recv(99) == b"to %d" % line


def test_media_that_is_not_udp(call: Call) -> None:
    """TCP media has its address mapped and no door."""
    offered = call.out(call.message(INVITE, CALLER, "m=message 2855 TCP/MSRP *"))
    assert f"c=IN IP4 {CALLER_OUTSIDE}\r\n".encode() in offered
    assert b"m=message 2855 TCP/MSRP *" in offered
    assert call.doors("opened") == []


def test_an_rtcp_port_that_cannot_be(call: Call) -> None:
    """A description with a=rtcp:99999 ends no connection, and RTCP for it does no harm."""
    (caller, _) = call.media(CALLER)
    offered = call.out(call.message(INVITE, CALLER, audio(caller.getsockname()[1]), "a=rtcp:99999"))
    port = door_of(offered, CALLER_OUTSIDE)
    with closing(udp_socket(CALLEE)) as callee:
        callee.sendto(b"report", (CALLER_OUTSIDE, port + 1))
        callee.sendto(b"media", (CALLER_OUTSIDE, port))
        assert caller.recv(99) == b"media"


def test_the_end_of_the_program_closes_doors(link: OpenLink, tmp_path: Path) -> None:
    """SIGTERM closes doors that are open, and says so."""
    events = tmp_path / "events.jsonl"
    crossing = link(*MAPS, "--events", str(events))
    with ExitStack() as stack:
        call = Call(crossing, events, stack)
        (caller, _) = call.media(CALLER)
        port = caller.getsockname()[1]
        call.out(call.message(INVITE, CALLER, audio(port)))
        crossing.proxy.signal(signal.SIGTERM)
        assert crossing.proxy.wait() == 0
    (closed,) = call.doors("closed")
    assert (closed["reason"], closed["door"]) == ("shutdown", f"{CALLER_OUTSIDE}:{port}")
    assert _free(CALLER_OUTSIDE, port)


def test_events_of_a_door(call: Call) -> None:
    """`opened` says for which endpoint the door is, on which side, and where it listens."""
    port = free_port_pair(CALLER_OUTSIDE)
    call.out(call.message(INVITE, CALLER, audio(port)))
    (opened,) = call.doors("opened")
    assert opened.pop("time") > 0
    assert opened == {
        "event": "door",
        "action": "opened",
        "direction": "outward",
        "endpoint": f"{CALLER}:{port}",
        "door": f"{CALLER_OUTSIDE}:{port}",
    }


def test_an_address_of_another_machine(link: OpenLink, tmp_path: Path) -> None:
    """Doors cannot be opened on it: addresses are mapped, ports stay, one line says so, and no connection suffers."""
    events = tmp_path / "events.jsonl"
    crossing = link("--map", MAP, "--events", str(events))
    for call_id in ("c1", "c2"):
        crossing.client.sendall(request(INSIDE, call=call_id))
        assert receive(crossing.server, len(request(OUTSIDE))) == request(OUTSIDE, call=call_id)
    crossing.proxy.expect("no media door")
    (line,) = crossing.proxy.complaints
    assert f"{OUTSIDE}:49170" in line
    doors = [event for event in map(json.loads, events.read_text().splitlines()) if event["event"] == "door"]
    assert [(door["action"], "reason" in door) for door in doors] == [("refused", True)]


@pytest.mark.parametrize("mode", ["rewrite", "off"])
def test_no_doors_wanted(link: OpenLink, mode: str) -> None:
    """With --media rewrite or off nothing listens, and ports stay as they are."""
    crossing = link(*MAPS, "--media", mode)
    port = free_port_pair(CALLER_OUTSIDE)
    crossing.client.sendall(message("c1", INVITE, CALLER, audio(port)))
    offered = _one_message(crossing.server)
    address = CALLER_OUTSIDE if mode == "rewrite" else CALLER
    assert door_of(offered, address) == port
    assert _free(CALLER_OUTSIDE, port)


def test_end_of_the_connection(call: Call) -> None:
    """The doors of a call close with the connection that carried it; a late packet does no harm."""
    (caller, _) = call.media(CALLER)
    port = door_of(call.out(call.message(INVITE, CALLER, audio(caller.getsockname()[1]))), CALLER_OUTSIDE)
    call.back(call.message(OK, CALLEE, audio(free_port_pair(CALLEE))))
    call.link.client.close()
    assert receive_all(call.link.server) == b""
    assert call.doors("closed") == []
    call.link.server.close()
    eventually("both doors are closed", lambda: len(call.doors("closed")) == 2)
    assert {event["reason"] for event in call.doors("closed")} == {"connection lost"}
    with closing(udp_socket(CALLEE)) as callee:
        callee.sendto(b"late", (CALLER_OUTSIDE, port))


def test_inactivity(forgotten: Path) -> None:
    """`[media] idle_timeout` closes a door that nothing crosses."""
    eventually("the door is closed", lambda: '"inactivity"' in forgotten.read_text())
