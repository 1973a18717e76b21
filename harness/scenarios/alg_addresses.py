"""What ALGs do wrong with names, addresses and ports: too much, too little, or twice."""

from __future__ import annotations

from typing import Final

from harness.scenarios.calls import identity
from harness.scenarios.calls.declaring import AT_CALLEE, AT_CALLER, HEARD, SILENCE, through_alg
from harness.scenarios.calls.middle import Device, inward, outward
from harness.scenarios.calls.party import NO_ROUTE, REFUSED, TIMERS, Traits
from harness.scenarios.calls.play import ACK, ANSWER, BYE, LEAKS, OUTSIDE, Play, Setting

_CALL_ID: Final = "Call-ID outside"
_REPLACING: Final = "answer to INVITE with Replaces"


async def _replace(play: Play) -> None:
    """A call, and another one that takes its place (RFC 3891): the callee has to find the first by its Call-ID."""
    play.open()
    invite = play.invite()
    play.facts[ANSWER] = (await play.caller.call(invite)).text
    first = next(iter(play.caller.sessions.values())).dialog
    await play.built_in.wait("ACK", TIMERS.timeout)
    sent = play.middle.wire.requests(OUTSIDE, from_peer=False, method="INVITE")[0]
    play.facts[_CALL_ID] = "that of the inside" if sent.call_id == invite.call_id else "another"
    replaces = f"{first.call_id};to-tag={first.remote.tag};from-tag={first.local.tag}"
    play.facts[_REPLACING] = (await play.caller.call(play.invite([("Replaces", replaces)]))).text
    for session in list(play.caller.sessions.values()):
        await play.caller.hang_up(session)


async def _signed(play: Play) -> None:
    play.open()
    await play.call_through(identity.signed(play.invite()))


_REGISTER: Final = "answer to REGISTER"
_SOURCE: Final = "outside, source port of the REGISTER"
_CALL_BACK: Final = "answer to the call from outside"


async def _call_back(play: Play) -> None:
    """A registration; then the registrar calls the address and port that it came from, on a connection of its own."""
    ground, callee = play.ground, play.built_in
    play.open(outward(ground, ground.port if play.fixed else 0))
    play.facts[_REGISTER] = (await play.caller.ask(play.caller.compose("REGISTER", play.called))).text
    source = callee.callers[0]
    play.facts[_SOURCE] = "that of Contact" if source[1] == ground.port else "another than Contact's"
    await callee.disconnect()
    await play.middle.quiet()
    play.middle.open(inward(ground))
    answer = await callee.call(callee.compose("INVITE", source, (), callee.description()))
    play.facts[_CALL_BACK] = answer.text
    for session in list(callee.sessions.values()):
        await callee.hang_up(session)


_FIREWALL: Final = "192.0.2.1"
_ACK_URI: Final = "outside, host of the ACK's Request-URI"
_REPEATED: Final = "200 of the callee"
_ENDED: Final = "BYE"


async def _unacknowledged(play: Play) -> None:
    """A call that nobody hangs up, until the callee does as it got no ACK; else the caller does."""
    play.open()
    play.facts[ANSWER] = (await play.caller.call(play.invite())).text
    acknowledged = await play.built_in.wait("ACK", TIMERS.timeout / 2)
    play.facts[ACK] = "arrives" if acknowledged is not None else "never comes"
    sent = play.middle.wire.requests(OUTSIDE, from_peer=False, method="ACK")
    right = sent and sent[0].uri.partition("@")[2].startswith(f"{play.ground.callee[0]}:")
    play.facts[_ACK_URI] = "the callee" if right else "the firewall" if sent and _FIREWALL in sent[0].uri else "none"
    if acknowledged is None:
        ended = await play.caller.wait("BYE", 2 * TIMERS.timeout)
        play.facts[_ENDED] = "from the callee, which got no ACK" if ended is not None else "none"
    else:
        session = next(iter(play.caller.sessions.values()))
        play.facts[_ENDED] = f"from the caller: {(await play.caller.hang_up(session)).text}"
    play.facts[_REPEATED] = "repeated" if play.built_in.notes["200 again"] > 1 else "sent once"


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
        failure={ANSWER: "200 OK", _CALL_ID: "another", _REPLACING: "481 Call/Transaction Does Not Exist"},
        success={ANSWER: "200 OK", _CALL_ID: "that of the inside", _REPLACING: "200 OK"},
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
        failure={ANSWER: "438 Invalid Identity Header", LEAKS: "none"},
        success={ANSWER: "200 OK", LEAKS: "none", ACK: "arrives", BYE: "200 OK"},
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
        failure={
            **{ANSWER: "200 OK", LEAKS: "Via, From, Contact, o=, c=", ACK: "arrives"},
            **{AT_CALLER: SILENCE, AT_CALLEE: HEARD, BYE: NO_ROUTE},
        },
    ),
    through_alg(
        "source-port-translated",
        "the NAT changes the source port, and who calls back to where a request came from reaches nobody",
        source="Port translation of pf and of carriers; hosted PBXs that answer to the source",
        happens="A REGISTER leaves from another port than the one in its Contact. The registrar trusts what it sees "
        "more than what it is told, as hosted PBXs and an Expressway's `apparent` routes do. Once the connection has "
        "been closed, nobody listens on that port.",
        look="Registration works and calls go out; calls in fail as soon as the connection has been idle for a while. "
        "Outside, a SYN to the former source port is answered by RST. Compare source port and Contact of the REGISTER.",
        wireshark='frame.interface_name == "outside" && sip.Method == "REGISTER" && tcp.srcport != 5060',
        cure="A static port for SIP (one-to-one NAT, `static-port`), or flows that are kept open (RFC 5626).",
        broken=Setting(),
        fixed=Setting(),
        act=_call_back,
        failure={_REGISTER: "200 OK", _SOURCE: "another than Contact's", _CALL_BACK: REFUSED},
        success={_REGISTER: "200 OK", _SOURCE: "that of Contact", _CALL_BACK: "200 OK"},
    ),
    through_alg(
        "ack-misrouted",
        "the Request-URI of the ACK becomes the firewall's own address, and the callee never gets it",
        source="Cisco document 214282 (ASA, port 5062)",
        happens="The call is answered. The ACK that leaves names the firewall, so whoever routes it sends it "
        "elsewhere. The callee repeats its 200 and hangs up after 64 T1 (RFC 3261 13.3.1.4): 32 s, here 3.2 s.",
        look="Calls that drop after half a minute. Outside, the 200 is repeated at growing intervals, and the ACKs "
        "name an address that is neither side's.",
        wireshark='frame.interface_name == "outside" && sip.Method == "ACK" && sip.r-uri.host == "192.0.2.1"',
        cure="Turn SIP inspection off on the firewall.",
        broken=Setting(Device(faults=(f"ack-misrouted:to={_FIREWALL}+5062",))),
        fixed=Setting(),
        act=_unacknowledged,
        failure={
            **{ANSWER: "200 OK", ACK: "never comes", _ACK_URI: "the firewall"},
            **{_REPEATED: "repeated", _ENDED: "from the callee, which got no ACK"},
        },
        success={ANSWER: "200 OK", ACK: "arrives", _ACK_URI: "the callee", _ENDED: "from the caller: 200 OK"},
    ),
)
"""By what goes wrong with them."""
