"""What ALGs do wrong with names, addresses and ports: too much, too little, or twice."""

from __future__ import annotations

from typing import Final

from harness.scenarios.alg_calls import identity
from harness.scenarios.alg_calls.declaring import AT_CALLEE, AT_CALLER, CALL, WORKS, through_alg
from harness.scenarios.alg_calls.ground import CALLEE_INSIDE
from harness.scenarios.alg_calls.middle import Device, inward, outward
from harness.scenarios.alg_calls.party import NO_ROUTE, REFUSED, TIMERS, Party, Traits
from harness.scenarios.alg_calls.play import (
    ACK,
    ANSWER,
    BYE,
    CALLEE,
    CALLER,
    CONTACT,
    ENDING,
    LEAKS,
    Play,
    Setting,
    invite,
)
from harness.scenarios.alg_calls.seen import INSIDE, NONE, OUTSIDE
from harness.scenarios.alg_calls.sound import HEARD, SILENCE
from harness.scenarios.scenario import fact
from harness.sip.flow import Flow
from harness.sip.message import Request
from harness.sip.uri import SipUri

_BUILT_IN: Final = CALLER, CALLEE

_CALL_ID: Final = "Call-ID outside"
_REPLACED: Final = "outside, call that Replaces names"
_REPLACING: Final = "answer to INVITE with Replaces"


async def _replace(play: Play) -> None:
    """A call, and another one that takes its place (RFC 3891): the callee has to find the first by its Call-ID."""

    async def call_twice(party: Party) -> None:
        await party.call(invite(play, party))
        for first in [session.dialog for session in party.sessions.values()]:
            await play.callee.acknowledged(TIMERS.timeout)
            replaces = f"{first.call_id};to-tag={first.remote.tag};from-tag={first.local.tag}"
            await party.call(invite(play, party, ("Replaces", replaces)))

    def replacing() -> list[Request]:
        return [each for each in play.seen.asked("INVITE") if each.first("Replaces")]

    play.open()
    await play.begin(call_twice, lambda: bool(replacing()), lambda: play.seen.decided("INVITE"))
    asked, left = play.seen.asked("INVITE"), play.seen.left("INVITE")
    play.facts[ANSWER] = play.seen.answer_to(asked[0]) if asked else play.seen.answer("INVITE")
    play.facts[_CALL_ID] = play.facts[_REPLACED] = "no INVITE"
    if asked and left:
        same = asked[0].call_id == left[0].call_id
        play.facts[_CALL_ID] = "that of the inside" if same else "another"
    named = [(each.first("Replaces") or "").partition(";")[0].strip() for each in left if each.first("Replaces")]
    if named:
        there = named[-1] == left[0].call_id
        play.facts[_REPLACED] = "one that is there" if there else "none that there is"
    play.facts[_REPLACING] = play.seen.answer_to(replacing()[-1]) if replacing() else NONE
    await play.hang_up()


_IDENTITY: Final = "outside, Identity"


async def _signed(play: Play) -> None:
    """A call that is signed, and whether it still is what was signed when it has left."""
    play.open()
    await play.call_through(_sign)
    pairs = list(zip(play.seen.asked("INVITE"), play.seen.left("INVITE"), strict=False))
    play.facts[_IDENTITY] = identity.still_valid(*pairs[-1]) if pairs else NONE


async def _sign(play: Play, party: Party) -> tuple[Request, Flow | None]:
    return identity.signed(invite(play, party)), None


_CONTACT_INSIDE: Final = "inside, Contact of the INVITE"


async def _repaired(play: Play) -> None:
    """A call, and whom its INVITE names on either side."""
    play.open()
    await play.call_through()
    asked = play.seen.asked("INVITE")
    play.facts[_CONTACT_INSIDE] = play.seen.contact(asked[-1] if asked else None)


_REGISTER: Final = "answer to REGISTER"
_SOURCE: Final = "outside, source port of the REGISTER"
_CALL_BACK: Final = "answer to the call from outside"
_GONE: Final = 1.0
"""Seconds for a connection to go once one side has ended it."""


async def _call_back(play: Play) -> None:
    """A registration; then the registrar calls the address and port that it came from, on a connection of its own."""
    ground, seen = play.ground, play.seen

    async def register(party: Party) -> None:
        await party.ask(party.compose("REGISTER", ground.called))

    play.open(outward(ground, ground.caller[1] if play.fixed else 0))
    await play.begin(register, lambda: bool(seen.asked("REGISTER")), lambda: seen.decided("REGISTER"))
    play.facts[_REGISTER] = seen.answer("REGISTER")
    left = seen.left("REGISTER")
    contact = left[-1].contact if left else None
    named = SipUri.parse(contact.uri).address[1] if contact is not None else 0
    source = next((leg.ours for leg in seen.wire.on(OUTSIDE) if b"REGISTER " in leg.to_peer), ("", 0))
    play.facts[_SOURCE] = ("that of Contact" if source[1] == named else "another than Contact's") if left else NONE

    async def call(party: Party) -> None:
        await party.disconnect()
        await play.middle.quiet(_GONE)
        if seen.wire.ended_by(INSIDE):
            play.facts[_CALL_BACK] = "not placed, as the phone has ended its connection"
            return
        play.middle.open(inward(ground))
        answer = await party.call(party.compose("INVITE", source, (), party.description(), user=CALLER))
        play.facts[_CALL_BACK] = answer.text
        for session in list(party.sessions.values()):
            await party.hang_up(session)

    if left:
        await play.callee.do(call, "", lambda: True, lambda: True)


_FIREWALL: Final = "192.0.2.1"
_ACK_URI: Final = "outside, host of the ACK's Request-URI"
_REPEATED: Final = "200 of the callee"
_ENDED: Final = "BYE"


async def _unacknowledged(play: Play) -> None:
    """A call that nobody hangs up, until the callee does as it got no ACK; else the caller does."""
    play.open()
    await play.call()
    if not play.seen.answered:
        return
    acknowledged = await play.callee.acknowledged(TIMERS.timeout / 2)
    play.facts[ACK] = "arrives" if acknowledged else "never comes"
    left = play.seen.left("ACK")
    right = play.seen.acknowledged
    play.facts[_ACK_URI] = "the callee" if right else "the firewall" if left and _FIREWALL in left[0].uri else NONE
    if not acknowledged:
        await play.seen_within(play.callee.gives_up, lambda: play.seen.ended)
    if play.seen.wire.requests(OUTSIDE, True, "BYE"):
        play.facts[_ENDED] = "from the callee, which got no ACK"
    else:
        await play.caller.hang_up()
        play.facts[_ENDED] = f"from the caller: {play.seen.ending}"
    again = len(play.seen.wire.responses(OUTSIDE, True, 200, "INVITE")) > 2
    play.facts[_REPEATED] = "repeated" if again else "sent once"


_DOUBLE: Final = "double-nat-fix"

SCENARIOS: Final = (
    through_alg(
        "call-id-rewritten",
        "the address in the Call-ID is translated, so that the call has another name on each side",
        source="Juniper and FortiGate documentation",
        happens="A plain call survives, as the Call-ID is translated back in the other direction. Where a message "
        "speaks of a call in another header, it does not: the Replaces of an attended transfer names a call that the "
        "callee has never heard of.",
        look="Transfers and pick-ups fail with 481 while calls work. Logs of both sides cannot be joined by Call-ID. "
        "Outside, the Call-ID ends in the outside address and Replaces in the inside one.",
        wireshark='sip.Status-Code == 481 && sip.CSeq.method == "INVITE"',
        cure="Turn the hiding of Call-IDs off (`disable-call-id-hiding`), or have endpoints make Call-IDs without "
        "a host.",
        broken=Setting(Device(faults=("call-id-rewritten",))),
        fixed=Setting(),
        act=_replace,
        caller="call {callee}, with a Call-ID that ends in its own address, and then once more with a Replaces that "
        "names the first call",
        callee="answer both calls with 200 at once, know Replaces (RFC 3891), and answer BYE",
        failure={ANSWER: "200 OK", _CALL_ID: "another", _REPLACED: "none that there is"},
        success={
            ANSWER: "200 OK",
            _CALL_ID: "that of the inside",
            _REPLACED: "one that is there",
            _REPLACING: "200 OK",
        },
        told_by={_REPLACING: _BUILT_IN},
        more=(fact(_REPLACING, "481 Call/Transaction Does Not Exist", *_BUILT_IN),),
    ),
    through_alg(
        "identity-signature-broken",
        "what the Identity header signs is translated, and the signature is not valid any more",
        source="RFC 4474 and RFC 8224; the SERVICE of Expressways carries Identity",
        happens="The caller signs From, To, Call-ID, CSeq, Date, Contact and body (here with ECDSA, over the digest "
        "string of RFC 4474). The ALG does its work, and does it right: Contact and SDP are others than were signed.",
        look="438 Invalid Identity Header to a request whose signature verifies on the inside.",
        wireshark="sip.Status-Code == 438",
        cure="No ALG in the way of signed requests: the endpoints put in their outside addresses themselves (static "
        "NAT mode), or speak TLS. Or sign behind the ALG.",
        broken=Setting(callee=Traits(judge=identity.verify)),
        fixed=Setting(Device(l4f=False), Traits(static_nat=True), Traits(static_nat=True, judge=identity.verify)),
        act=_signed,
        caller=f"{CALL}; with an Identity (RFC 4474); with --fixed it calls itself {{caller}} wherever it names "
        "itself, as in static NAT mode",
        callee="answer the call with 200 at once, and answer its BYE; with --fixed it calls itself host "
        f"{CALLEE_INSIDE} wherever it names itself",
        failure={_IDENTITY: "not valid any more", LEAKS: "none"},
        success={ANSWER: "200 OK", _IDENTITY: "valid", LEAKS: "none", ACK: "arrives", ENDING: "200 OK"},
        told_by={ACK: (CALLEE,), ENDING: (CALLEE,)},
        more=(fact(ANSWER, "438 Invalid Identity Header", *_BUILT_IN),),
    ),
    through_alg(
        "double-nat-fix",
        "an endpoint in static NAT mode puts in its outside address, and the ALG turns that back into the inside one",
        source="Expressway deployment guides: static NAT and ALGs do not go together",
        happens="Both the endpoint and the ALG repair the addresses. The second repair undoes the first: outside, the "
        "inside address is offered for answers, media and requests.",
        look="Inside, the messages have outside addresses; outside, they have inside ones. Audio one way, BYE lost.",
        wireshark='frame.interface_name == "outside" && sip.Method == "INVITE" && sip.contact.uri contains "10.0.30.2"',
        cure="One of the two: turn the ALG off, or static NAT mode.",
        broken=Setting(Device(faults=(_DOUBLE,)), Traits(static_nat=True)),
        fixed=Setting(Device(faults=(_DOUBLE,))),
        act=_repaired,
        caller=f"{CALL}; without --fixed it calls itself {{caller}} wherever it names itself, as in static NAT mode",
        failure={
            **{ANSWER: "200 OK", _CONTACT_INSIDE: "the caller's outside", CONTACT: "the caller's inside"},
            **{ACK: "arrives", AT_CALLER: SILENCE, AT_CALLEE: HEARD, BYE: NO_ROUTE},
        },
        success={**WORKS, _CONTACT_INSIDE: "the caller's inside", CONTACT: "the caller's outside"},
        more=(fact(LEAKS, "Via, From, Contact, o=, c=", CALLER),),
    ),
    through_alg(
        "source-port-translated",
        "the NAT changes the source port, and who calls back to where a request came from reaches nobody",
        source="Port translation of pf and of carriers; hosted PBXs that answer to the source",
        happens="A REGISTER leaves from another port than the one in its Contact. The registrar trusts what it sees "
        "more than what it is told, as hosted PBXs and an Expressway's `apparent` routes do. Once the connection is "
        "gone (here the registrar resets it before it calls), nobody listens on that port.",
        look="Registration works and calls go out; calls in fail as soon as the connection has been idle for a while. "
        "Outside, a SYN to the former source port is answered by RST. Compare source port and Contact of the REGISTER.",
        wireshark='frame.interface_name == "outside" && sip.Method == "REGISTER" && tcp.srcport != 5060',
        cure="A static port for SIP (one-to-one NAT, `static-port`), or flows that are kept open (RFC 5626).",
        broken=Setting(),
        fixed=Setting(),
        act=_call_back,
        caller="register at {callee}, with {own} in its Contact, stay connected until the registrar resets the "
        "connection, and answer the call that comes to {own} then with 200, with audio (PCMA), and its BYE",
        callee="be the registrar, and answer REGISTER with 200",
        failure={_REGISTER: "200 OK", _SOURCE: "another than Contact's", _CALL_BACK: REFUSED},
        told_by={_CALL_BACK: (CALLEE,)},
        success={_REGISTER: "200 OK", _SOURCE: "that of Contact", _CALL_BACK: "200 OK"},
    ),
    through_alg(
        "ack-misrouted",
        "the Request-URI of the ACK becomes the firewall's own address, and the callee never gets it",
        source="Cisco document 214282 (ASA, port 5062)",
        happens=f"The call is answered. The ACK that leaves names the firewall's own address (here {_FIREWALL}), so "
        "whoever routes it sends it elsewhere. The callee repeats its 200 and hangs up after 64 T1 (RFC 3261 "
        "13.3.1.4): 32 s, here 3.2 s.",
        look="Calls that drop after half a minute. Outside, the 200 is repeated at growing intervals, and the ACKs "
        "name an address that is neither side's.",
        wireshark='frame.interface_name == "outside" && sip.Method == "ACK" && sip.r-uri.host == "192.0.2.1"',
        cure="Turn SIP inspection off on the firewall.",
        broken=Setting(Device(faults=(f"ack-misrouted:to={_FIREWALL}+5062",))),
        fixed=Setting(),
        act=_unacknowledged,
        failure={
            **{ANSWER: "200 OK", ACK: "never comes", _ACK_URI: "the firewall"},
            **{_REPEATED: "repeated"},
        },
        success={ANSWER: "200 OK", ACK: "arrives", _ACK_URI: "the callee", _ENDED: "from the caller: 200 OK"},
        told_by={_REPEATED: (CALLEE,)},
        more=(fact(_ENDED, "from the callee, which got no ACK", *_BUILT_IN),),
    ),
)
"""By what goes wrong with them."""
