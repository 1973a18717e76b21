"""Judges the two calls by what the endpoints counted and by what the ALG recorded."""

from __future__ import annotations

from dataclasses import dataclass

from alg.direction import Direction
from alg.sip.message import header_fields
from harness.demo.endpoint import Tally
from harness.demo.media import KINDS, PACKETS
from harness.demo.reading import title
from harness.demo.stage import Call, Watcher
from harness.demo.topology import CALLEE_INSIDE, CALLER

_EXPECTED = {f"{kind} RTP": PACKETS for kind in KINDS} | {f"{kind} RTCP": 1 for kind in KINDS}
_STEPS_WITH_ALG = ("INVITE", "200 INVITE", "ACK", "BYE", "200 BYE")
_MEDIA_LINES = len(KINDS) + 1


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that did not happen in a call, and why."""

    what: str
    why: str
    source: str = ""
    """Message and line that is to blame, if one is."""


def named_tallies(call: Call) -> tuple[tuple[str, Tally], ...]:
    """Both endpoints with their names."""
    return ("caller", call.caller), ("callee", call.callee)


def consequences(call: Call) -> list[Consequence]:
    """What did not happen in a call: first the signalling, then the media."""
    signalling: list[Consequence] = []
    media: list[Consequence] = []
    for name, tally in named_tallies(call):
        for learnt in tally.misaddressed:
            host, port = learnt.hop
            signalling.append(
                Consequence(f"{name} gets a request for another", f"it is not {host}:{port}", learnt.source)
            )
    for name, tally in named_tallies(call):
        for unsent, count in tally.unsent.items():
            if unsent.what in _EXPECTED:
                what = f"{name} cannot send {count} {unsent.what} packet{'s' if count > 1 else ''}"
                media.append(Consequence(what, unsent.reason, unsent.source))
            else:
                signalling.append(Consequence(f"{name} cannot send {unsent.what}", unsent.reason, unsent.source))
        if tally.packets_heard.total() == 0:
            media.append(Consequence(f"{name} hears nothing", "0 RTP and 0 RTCP packets arrived"))
    for name, tally in named_tallies(call):
        for message, patience in tally.missed.items():
            signalling.append(Consequence(f"{name} gets no {message}", f"waited {patience:g} s"))
    return signalling + media


def faults_with_alg(call: Call, watcher: Watcher) -> list[str]:
    """What went wrong with the call that should have worked; empty if it did."""
    faults = [f"{entry.what}: {entry.why} ({entry.source or 'no line to blame'})" for entry in consequences(call)]
    seen = {title(message) for _, tally in named_tallies(call) for message in tally.received}
    faults += [f"{what} never arrived" for what in _STEPS_WITH_ALG if what not in seen]
    for name, tally in named_tallies(call):
        faults += [f"{name}: {complaint}" for complaint in tally.complaints]
        faults += [
            f"{name} heard {tally.packets_heard[what]} of {count} {what} packets"
            for what, count in _EXPECTED.items()
            if tally.packets_heard[what] != count
        ]
    faults += watcher.mishaps
    faults += [
        f"{title(message)} shows {leak} to the outside: {line}"
        for message in call.callee.received
        for leak, line in _leaks(message)
    ]
    faults += _wire_faults(call, watcher)
    doors = {action: watcher.doors[action] for action in ("opened", "closed")}
    if set(doors.values()) != {2 * _MEDIA_LINES}:
        faults.append(f"{doors['opened']} doors opened and {doors['closed']} closed, instead of {2 * _MEDIA_LINES}")
    return faults


def _leaks(message: bytes) -> list[tuple[str, str]]:
    """Inside addresses in a message that left, with their lines; Call-ID may hold one."""
    call_ids = [(entry.start, entry.stop) for entry in header_fields(message) if entry.name.lower() == b"call-id"]
    found = []
    for address in (CALLER, CALLEE_INSIDE):
        at = message.find(address.encode())
        while at >= 0:
            if not any(start <= at < stop for start, stop in call_ids):
                start, stop = message.rfind(b"\n", 0, at) + 1, message.find(b"\r", at)
                found.append((address, message[start:stop].decode()))
            at = message.find(address.encode(), at + 1)
    return found


def _wire_faults(call: Call, watcher: Watcher) -> list[str]:
    """Messages that came out of a socket other than the ALG recorded them."""
    faults = []
    for direction, sender, receiver in (
        (Direction.OUTWARD, call.caller, call.callee),
        (Direction.INWARD, call.callee, call.caller),
    ):
        records = [record for record in watcher.messages if record.direction is direction]
        for side, on_wire, recorded in (
            ("sent", sender.sent, [record.before for record in records]),
            ("received", receiver.received, [record.after for record in records]),
        ):
            if sorted(on_wire) != sorted(recorded):
                faults.append(f"{direction.label} messages {side} are not those that the ALG recorded")
    return faults


def surprises_without_l4f(call: Call) -> list[str]:
    """What did not fail although nothing was rewritten; empty if all failed as it must."""
    caller, callee = call.caller, call.callee
    answered = any(title(message) == "200 INVITE" for message in caller.received)
    checks = (
        (answered, "the INVITE was not answered"),
        (caller.sent == callee.received, "outward messages did not arrive as they were sent"),
        (callee.sent == caller.received, "inward messages did not arrive as they were sent"),
        ("ACK" in callee.missed, "the ACK arrived"),
        ("BYE" in caller.missed, "the BYE arrived"),
        (not caller.packets_heard.total(), "the caller heard the callee"),
        (not callee.packets_heard.total(), "the callee heard the caller"),
        (bool(caller.unsent) and bool(callee.unsent), "every address could be reached"),
    )
    return [surprise for expected, surprise in checks if not expected]
