"""The bookkeeping of media doors: which call has which, when they open and when they close. No sockets."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.direction import Direction
from alg.nat.media import Door, MediaDoors
from alg.nat.table import Endpoint

OUT, IN = Direction.OUTWARD, Direction.INWARD
CALLER = Endpoint(b"10.0.30.2", 4000)
CALLEE = Endpoint(b"192.0.2.7", 6000)
CALLER_OUTSIDE = b"64.100.0.10"
CALLEE_INSIDE = b"10.0.30.200"


@dataclass
class Doorkeeper:
    """An `Opener` that keeps a list of what it was asked to do; it refuses addresses that are not its own."""

    open_doors: list[Endpoint] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    foreign: set[bytes] = field(default_factory=set)

    def open(self, wanted: Endpoint) -> Endpoint | None:
        """The wanted port or the next even one that is free."""
        if wanted.address in self.foreign:
            return None
        port = wanted.port + wanted.port % 2
        while Endpoint(wanted.address, port) in self.open_doors:
            port += 2
        self.open_doors.append(Endpoint(wanted.address, port))
        return self.open_doors[-1]

    def opened(self, door: Door) -> None:
        """Known."""
        assert door.outer in self.open_doors
        self.log.append(f"opened {door.outer}")

    def joined(self, door: Door, partner: Door) -> None:
        """Both must stand."""
        assert door.outer in self.open_doors
        assert partner.outer in self.open_doors
        assert door.direction is not partner.direction
        self.log.append(f"joined {door.outer} {partner.outer}")

    def closed(self, door: Door, reason: str) -> None:
        """It must have stood."""
        assert door.outer in self.open_doors, f"{door.outer} is closed twice"
        self.open_doors.remove(door.outer)
        self.log.append(f"closed {door.outer}: {reason}")


class Calls:
    """Doors and the messages that move them."""

    def __init__(self, idle_timeout: float = 300.0) -> None:
        self.keeper = Doorkeeper()
        self.doors = MediaDoors(self.keeper, idle_timeout)

    def offer(
        self, call: str, port: int = CALLER.port, index: int = 0, outside: bytes = CALLER_OUTSIDE
    ) -> Endpoint | None:
        """The caller describes a media line."""
        rtp = Endpoint(CALLER.address, port)
        rtcp = Endpoint(CALLER.address, port + 1)
        return self.doors.door(OUT, call, index, rtp, rtcp, Endpoint(outside, port))

    def answer(self, call: str, port: int = CALLEE.port, index: int = 0) -> Endpoint | None:
        """The callee describes a media line."""
        rtp = Endpoint(CALLEE.address, port)
        rtcp = Endpoint(CALLEE.address, port + 1)
        return self.doors.door(IN, call, index, rtp, rtcp, Endpoint(CALLEE_INSIDE, port))

    def respond(self, call: str, status: int, method: str) -> None:
        """A response passes."""
        self.doors.observe(f"SIP/2.0 {status} X\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n\r\n".encode())

    def request(self, call: str, method: str) -> None:
        """A request passes."""
        self.doors.observe(f"{method} sip:x SIP/2.0\r\ni: {call}\r\nCSeq: 2 {method}\r\n\r\n".encode())


def test_a_call() -> None:
    """Offer and answer open a door each, the two are joined, and the 200 to BYE closes both."""
    calls = Calls()
    assert calls.offer("a") == Endpoint(CALLER_OUTSIDE, 4000)
    assert calls.answer("a") == Endpoint(CALLEE_INSIDE, 6000)
    calls.respond("a", 200, "INVITE")
    calls.request("a", "BYE")
    assert len(calls.doors) == 2
    calls.respond("a", 200, "BYE")
    assert calls.keeper.log == [
        "opened 64.100.0.10:4000",
        "opened 10.0.30.200:6000",
        "joined 10.0.30.200:6000 64.100.0.10:4000",
        "closed 64.100.0.10:4000: BYE",
        "closed 10.0.30.200:6000: BYE",
    ]
    assert len(calls.doors) == 0


@pytest.mark.parametrize("status", [300, 401, 404, 486, 487, 503, 603])
def test_an_invite_that_fails(status: int) -> None:
    """A final answer that is no success closes the doors of a call that never came about, and says which it was."""
    calls = Calls()
    calls.offer("a")
    calls.answer("a")
    calls.respond("a", status, "INVITE")
    assert calls.keeper.open_doors == []
    assert calls.keeper.log[-1].endswith(f": INVITE answered {status}")


@pytest.mark.parametrize("status", [100, 180, 183])
def test_a_provisional_answer(status: int) -> None:
    """Early media has its doors: 1xx closes nothing."""
    calls = Calls()
    calls.offer("a")
    calls.respond("a", status, "INVITE")
    assert len(calls.doors) == 1


def test_a_reinvite_that_fails() -> None:
    """A refused re-INVITE leaves the call as it is (RFC 3261 14.1)."""
    calls = Calls()
    calls.offer("a")
    calls.answer("a")
    calls.respond("a", 200, "INVITE")
    calls.respond("a", 488, "INVITE")
    assert len(calls.doors) == 2


@pytest.mark.parametrize(("status", "ends"), [(200, True), (408, True), (481, True), (401, False), (500, False)])
def test_answers_to_bye(status: int, ends: bool) -> None:
    """BYE ends the call when it is accepted, or when the far end does not know the call any more."""
    calls = Calls()
    calls.offer("a")
    calls.respond("a", status, "BYE")
    assert (len(calls.doors) == 0) is ends


@pytest.mark.parametrize("method", ["OPTIONS", "CANCEL", "UPDATE", "PRACK", "INFO", "REGISTER"])
@pytest.mark.parametrize("status", [200, 481, 500])
def test_answers_to_other_requests(method: str, status: int) -> None:
    """Nothing else ends a call."""
    calls = Calls()
    calls.offer("a")
    calls.respond("a", status, method)
    assert len(calls.doors) == 1


def test_other_calls_stay() -> None:
    """The end of one call leaves the doors of another."""
    calls = Calls()
    calls.offer("a", 4000)
    calls.offer("b", 4010)
    calls.respond("a", 200, "BYE")
    assert calls.keeper.open_doors == [Endpoint(CALLER_OUTSIDE, 4010)]


def test_a_door_that_two_calls_use() -> None:
    """Two dialogs that describe the same endpoint share its door; it closes with the last one."""
    calls = Calls()
    assert calls.offer("a") == calls.offer("b")
    calls.respond("a", 200, "BYE")
    assert len(calls.doors) == 1
    calls.respond("b", 200, "BYE")
    assert calls.keeper.open_doors == []


def test_the_same_description_again() -> None:
    """A re-INVITE with the same ports opens nothing new."""
    calls = Calls()
    first = calls.offer("a")
    assert calls.offer("a") == first
    assert len(calls.keeper.open_doors) == 1


def test_a_reinvite_that_moves_the_media() -> None:
    """A re-INVITE with another port opens a door that is joined to the same partner; BYE closes all the call had."""
    calls = Calls()
    calls.offer("a", 4000)
    calls.answer("a")
    calls.respond("a", 200, "INVITE")
    assert calls.offer("a", 4100) == Endpoint(CALLER_OUTSIDE, 4100)
    assert "joined 64.100.0.10:4100 10.0.30.200:6000" in calls.keeper.log
    calls.respond("a", 200, "BYE")
    assert calls.keeper.open_doors == []


def test_several_media_lines() -> None:
    """Each media line has its door, joined to the one of the same number."""
    calls = Calls()
    calls.offer("a", 4000, index=0)
    calls.offer("a", 4002, index=1)
    calls.answer("a", 6000, index=0)
    calls.answer("a", 6002, index=1)
    assert calls.keeper.log[-3:] == [
        "joined 10.0.30.200:6000 64.100.0.10:4000",
        "opened 10.0.30.200:6002",
        "joined 10.0.30.200:6002 64.100.0.10:4002",
    ]
    calls.respond("a", 200, "BYE")
    assert calls.keeper.open_doors == []


def test_a_port_that_is_taken() -> None:
    """What the opener got is what the message says."""
    calls = Calls()
    calls.keeper.open_doors.append(Endpoint(CALLER_OUTSIDE, 4000))
    assert calls.offer("a") == Endpoint(CALLER_OUTSIDE, 4002)


def test_no_door_can_be_opened() -> None:
    """None, and nothing is kept, when the opener cannot."""
    calls = Calls()
    calls.keeper.foreign.add(CALLER_OUTSIDE)
    assert calls.offer("a") is None
    calls.respond("a", 200, "BYE")
    assert calls.keeper.log == []
    assert len(calls.doors) == 0


def test_inactivity() -> None:
    """A door that nothing crossed for the time-out closes; media or a message naming it keeps it open."""
    calls = Calls(idle_timeout=60.0)
    calls.doors.attend(None, 100.0)
    calls.offer("a", 4000)
    calls.offer("b", 4010)
    calls.doors.attend(None, 130.0)
    calls.offer("b", 4010)
    calls.doors.expire(159.9)
    assert len(calls.doors) == 2
    calls.doors.expire(160.0)
    assert calls.keeper.open_doors == [Endpoint(CALLER_OUTSIDE, 4010)]
    calls.doors.expire(190.0)
    assert calls.keeper.open_doors == []
    assert calls.keeper.log[-1] == "closed 64.100.0.10:4010: inactivity"


def test_a_call_whose_door_expired() -> None:
    """Its BYE closes nothing a second time, and a new offer opens a new door."""
    calls = Calls(idle_timeout=60.0)
    calls.offer("a")
    calls.answer("a")
    calls.doors.expire(60.0)
    calls.respond("a", 200, "BYE")
    assert calls.offer("a") == Endpoint(CALLER_OUTSIDE, 4000)
    assert len(calls.doors) == 1


def test_another_address_stands_for_the_endpoint() -> None:
    """After a change of configuration the next message moves the door to the new address."""
    calls = Calls()
    calls.offer("a")
    assert calls.offer("a", outside=b"198.51.100.1") == Endpoint(b"198.51.100.1", 4000)
    assert calls.keeper.open_doors == [Endpoint(b"198.51.100.1", 4000)]
    calls.respond("a", 200, "BYE")
    assert calls.keeper.open_doors == []


@pytest.mark.parametrize("shared", [True, False], ids=["two users", "one user"])
def test_another_address_while_an_older_call_has_the_door(shared: bool) -> None:
    """The call that did not see the change ends without closing its door a second time."""
    calls = Calls()
    calls.offer("a")
    if shared:
        calls.offer("b")
    calls.offer("b", outside=b"198.51.100.1")
    calls.respond("a", 200, "BYE")
    calls.respond("b", 200, "BYE")
    assert calls.keeper.open_doors == []


def test_close_at_the_end() -> None:
    """At the end of the program every door is closed, and calls are forgotten."""
    calls = Calls()
    calls.offer("a")
    calls.answer("a")
    calls.offer("b", 4010)
    calls.doors.close()
    assert calls.keeper.open_doors == []
    calls.respond("a", 200, "BYE")
    assert len(calls.doors) == 0


def test_the_connection_of_a_call_is_lost() -> None:
    """With the only connection that carried it a call is over; another call's doors stay."""
    calls = Calls()
    calls.doors.attend("one", 0.0)
    calls.offer("a", 4000)
    calls.answer("a")
    calls.doors.attend("two", 0.0)
    calls.offer("b", 4010)
    calls.doors.connection_lost("one")
    assert calls.keeper.open_doors == [Endpoint(CALLER_OUTSIDE, 4010)]
    assert calls.keeper.log[-1] == "closed 10.0.30.200:6000: connection lost"
    calls.doors.connection_lost("two")
    assert calls.keeper.open_doors == []


def test_a_call_that_two_connections_carry() -> None:
    """A call that went on over another connection outlives the first."""
    calls = Calls()
    calls.doors.attend("one", 0.0)
    calls.offer("a")
    calls.doors.attend("two", 0.0)
    calls.answer("a")
    calls.doors.connection_lost("one")
    assert len(calls.doors) == 2
    calls.doors.connection_lost("two")
    assert calls.keeper.open_doors == []


def test_a_connection_that_carried_nothing() -> None:
    """Its end ends nothing, also when its call ended before."""
    calls = Calls()
    calls.doors.attend("one", 0.0)
    calls.offer("a")
    calls.respond("a", 200, "BYE")
    calls.doors.attend("two", 0.0)
    calls.offer("b")
    calls.doors.connection_lost("one")
    calls.doors.connection_lost("three")
    assert len(calls.doors) == 1


def test_messages_that_mean_nothing() -> None:
    """Messages without Call-ID or CSeq, and those of other calls, change nothing."""
    calls = Calls()
    calls.offer("a")
    calls.doors.observe(b"SIP/2.0 200 OK\r\n\r\n")
    calls.doors.observe(b"SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n")
    calls.doors.observe(b"SIP/2.0 99999999999999999999 OK\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\r\n")
    calls.doors.observe(b"")
    calls.respond("other", 200, "BYE")
    assert len(calls.doors) == 1


names = st.sampled_from(["a", "b", "c"])
ports = st.integers(2000, 2003).map(lambda number: 2 * number)
steps = st.one_of(
    st.tuples(st.just("offer"), names, ports, st.integers(0, 1), st.sampled_from([CALLER_OUTSIDE, b"198.51.100.1"])),
    st.tuples(st.just("answer"), names, ports, st.integers(0, 1)),
    st.tuples(st.just("respond"), names, st.sampled_from([180, 200, 404, 481]), st.sampled_from(["INVITE", "BYE"])),
    st.tuples(st.just("expire"), st.integers(1, 120)),
    st.tuples(st.sampled_from(["attend", "connection_lost"]), st.sampled_from(["one", "two"])),
)


@given(st.lists(steps, max_size=30))
def test_any_history(history: list[tuple[str, object]]) -> None:
    """Whatever calls do, no door is closed twice, and none is left when every call has ended."""
    calls = Calls(idle_timeout=100.0)
    now = 0.0
    for step, *arguments in history:
        if step == "expire":
            now += float(str(arguments[0]))
            calls.doors.expire(now)
        elif step == "attend":
            calls.doors.attend(arguments[0], now)
        elif step == "connection_lost":
            calls.doors.connection_lost(arguments[0])
        else:
            getattr(calls, step)(*arguments)
        assert len(calls.doors) == len(calls.keeper.open_doors)
    for name in ("a", "b", "c"):
        calls.respond(name, 200, "BYE")
    assert calls.keeper.open_doors == []
