"""What ALGs do wrong with whole messages: not looking, losing count of bytes, dropping what they do not know."""

from __future__ import annotations

from typing import Final

from harness.demo.reading import body_faults
from harness.scenarios.alg_calls import sizes
from harness.scenarios.alg_calls.declaring import AT_CALLEE, AT_CALLER, CALL, WORKS, through_alg
from harness.scenarios.alg_calls.middle import Device
from harness.scenarios.alg_calls.party import NO_ROUTE, Party, Refusal, Traits
from harness.scenarios.alg_calls.play import (
    ACK,
    ANSWER,
    BYE,
    CALLEE,
    CALLER,
    CHANGE,
    CONTACT,
    LEAKS,
    Play,
    Setting,
    invite,
)
from harness.scenarios.alg_calls.seen import AS_IT_CAME, INSIDE, LEAVES, LOST, NEVER_LEAVES, NO_ANSWER, NONE, OUTSIDE
from harness.scenarios.alg_calls.shaping import behind_options, in_two_segments, shaped
from harness.scenarios.alg_calls.sound import SILENCE
from harness.scenarios.scenario import fact, says
from harness.sip.flow import Flow
from harness.sip.message import Request

_ALL_LINES: Final = fact(LEAKS, "Via, From, Contact, o=, c=", CALLER)
"""Of a built-in caller; others name themselves elsewhere too."""
_INSIDE_CONTACT: Final = (
    'frame.interface_name == "outside" && sip.Method == "INVITE" && sip.contact.uri contains "10.0.30.2"'
)
_UNTOUCHED: Final = {
    **{ANSWER: "200 OK", CHANGE: AS_IT_CAME, CONTACT: "the caller's inside"},
    **{AT_CALLER: SILENCE, BYE: NO_ROUTE},
}
"""The INVITE leaves as it came: who answers it learns addresses that lead nowhere."""
_ANSWERED_AS: Final = "inside, Contact of the 200"
_NO_ALG: Final = {**_UNTOUCHED, _ANSWERED_AS: "the callee's outside", ACK: "never comes", AT_CALLEE: SILENCE}
_ALG: Final = {**WORKS, _ANSWERED_AS: "the callee's inside"}
_AS_IT_IS_TOLD: Final = (
    f"{CALL}; it sends ACK and BYE to the address in the Contact of the 200 (RFC 3261 12.2.1.1), on a new connection "
    "if that is not the one that it is connected to, and not on its first one"
)
"""Who sends them on the connection of the INVITE gets them through, although nobody has translated anything."""
_OTHER_PORT: Final = 5090


async def _look_at_the_answer(play: Play) -> None:
    """A call, and whom its 200 names."""
    play.open()
    await play.call_through()
    answers = play.seen.wire.responses(INSIDE, from_peer=False, status=200, method="INVITE")
    play.facts[_ANSWERED_AS] = play.seen.contact(answers[0] if answers else None)


_PIECES: Final = "inside, segments of the INVITE"
_PLACE: Final = "inside, place of the INVITE in its segment"
_NO_INVITE: Final = "no INVITE"
_SEVERAL, _ONE, _BEHIND, _FIRST = "several", "one", "behind another message", "at its beginning"


async def _split(play: Play) -> None:
    """An INVITE in two segments."""
    play.open()
    await play.call_through(shaped(in_two_segments))
    start, end, pieces = _first_invite(play)
    came = _SEVERAL if any(start < piece < end for piece in pieces) else _ONE
    play.facts[_PIECES] = came if end else _NO_INVITE


async def _joined(play: Play) -> None:
    """An INVITE in one segment with what comes before it."""
    play.open()
    await play.call_through(shaped(behind_options))
    start, end, pieces = _first_invite(play)
    play.facts[_PLACE] = (_FIRST if start in pieces else _BEHIND) if end else _NO_INVITE


def _first_invite(play: Play) -> tuple[int, int, list[int]]:
    """Where it begins and ends in the bytes of its connection, and where the pieces begin that these came in; it ends
    at 0 if there is none.
    """
    for leg in play.seen.wire.on(INSIDE):
        stream = bytes(leg.from_peer)
        start = 0 if stream.startswith(b"INVITE ") else stream.find(b"\nINVITE ") + 1
        if stream[start:].startswith(b"INVITE "):
            return start, stream.index(b"\r\n\r\n", start), leg.pieces
    return 0, 0, []


_LENGTH: Final = "outside, Content-Length of the INVITE"


async def _counted(play: Play) -> None:
    """A call, and how the length of what left compares with what it says."""
    sizes.require_growth(play.ground, shrinking=True)
    play.open()
    await play.call_through()
    play.facts[_LENGTH] = NONE
    for stream in play.seen.wire.streams(OUTSIDE, from_peer=False):
        head, _, body = stream[stream.find(b"INVITE ") :].partition(b"\r\n\r\n")
        if b"INVITE " in stream:
            stated = int(head.lower().partition(b"content-length:")[2].split()[0])
            missing = stated - body.index(b"ACK ") if b"ACK " in body else stated - len(body)
            play.facts[_LENGTH] = "more than its body has" if missing > 0 else "that of its body"


_PART_LENGTH: Final = "outside, Content-Length of the body part"


async def _multipart(play: Play) -> None:
    """A call, and whether its body part is as long as it says."""
    play.open()
    await play.call_through(_in_parts)
    play.facts[_PART_LENGTH] = NONE
    for request in play.seen.left("INVITE"):
        if b"content-length:" in request.body.lower():
            faults = body_faults(request.to_bytes())
            play.facts[_PART_LENGTH] = "not that of the part" if faults else "that of the part"


async def _in_parts(play: Play, party: Party) -> tuple[Request, Flow | None]:
    """An INVITE whose session description is a part with a length of its own (RFC 2045, RFC 5621)."""
    sdp = party.description()
    part = b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(sdp), sdp)
    location = b"Content-Type: application/pidf+xml\r\n\r\n<presence/>\r\n"
    body = b"--part\r\n" + part + b"--part\r\n" + location + b"--part--\r\n"
    return invite(play, party).with_body(body, "multipart/mixed;boundary=part"), None


def _strict(request: Request) -> Refusal | None:
    """Reads parts by their own Content-Length."""
    return (400, "Body part is not as long as it says") if body_faults(request.to_bytes()) else None


_TO_SERVICE: Final = "answer to SERVICE"
_SERVICE_OUTSIDE: Final = "SERVICE outside"
_TO_OPTIONS: Final = "answer to OPTIONS"


async def _serve(play: Play) -> None:
    """A SERVICE as Expressways ask each other, and an OPTIONS on the same connection."""

    async def ask(party: Party) -> None:
        for method, fields in (("OPTIONS", []), ("SERVICE", [("Event", "service")])):
            await party.ask(party.compose(method, play.ground.called, fields))

    play.open()
    await play.begin(ask, lambda: bool(play.seen.asked("SERVICE")), lambda: play.seen.decided("SERVICE"))
    play.facts |= {f"answer to {method}": play.seen.answer(method) for method in ("OPTIONS", "SERVICE")}
    play.facts[_SERVICE_OUTSIDE] = play.seen.passage("SERVICE")


_LONG: Final = "x" * 1200
_LONGEST: Final = "inside, longest header line of the INVITE"
_INVITE_OUTSIDE: Final = "INVITE outside"
_LIMIT: Final = 998
_TOO_LONG: Final = f"more than {_LIMIT} characters"


async def _long_line(play: Play) -> None:
    """A call with a long header, and whether it leaves."""
    play.open()
    await play.call_through(_with_long_line)
    longest = max((len(each.written.rstrip()) for ask in play.seen.asked("INVITE") for each in ask.fields), default=0)
    play.facts[_LONGEST] = _TOO_LONG if longest > _LIMIT else f"{longest} characters"
    play.facts[_INVITE_OUTSIDE] = play.seen.passage("INVITE")


async def _with_long_line(play: Play, party: Party) -> tuple[Request, Flow | None]:
    return invite(play, party, ("User-to-User", f"{_LONG};encoding=hex")), None


_CONTROL: Final = "OPTIONS of 4990 bytes outside"
_SIZE_INSIDE, _SIZE_OUTSIDE, _RESET = "size of the INVITE inside", "size of the INVITE outside", "reset by the callee"
_FITS, _FITS_NOT = "inside, INVITE against the limit of 5000 bytes", "outside, INVITE against the limit of 5000 bytes"
_GROWS: Final = {
    **{_SIZE_INSIDE: "4990 bytes", _SIZE_OUTSIDE: "5002 bytes"},
    **{_FITS: "is within it", _FITS_NOT: "exceeds it"},
}
_CUCM_8: Final = 5000
_CUCM_NOW: Final = 18000


async def _nearly_too_large(play: Play) -> None:
    """An INVITE that is just within the limit before the ALG, and exceeds it behind; and first an OPTIONS that is
    within it on both sides: who resets at that does not do so for the size.
    """
    sizes.require_growth(play.ground)
    play.open()
    await play.call_through(sizes.just_within(_CUCM_8))
    play.facts[_CONTROL] = sizes.control(play, _CUCM_8)
    asked, left = play.seen.asked("INVITE"), play.seen.left("INVITE")
    for size, question, sent in ((_SIZE_INSIDE, _FITS, asked), (_SIZE_OUTSIDE, _FITS_NOT, left)):
        length = len(sent[-1].to_bytes()) if sent else 0
        play.facts[size] = f"{length} bytes"
        play.facts[question] = "exceeds it" if length > _CUCM_8 else "is within it" if length else _NO_INVITE
    play.facts[_RESET] = "yes" if play.seen.wire.reset_by(OUTSIDE) else "no" if left else _NO_INVITE


SCENARIOS: Final = (
    through_alg(
        "l4f-off",
        "layer 4 forwarding is off: only layers 3 and 4 are translated, SIP over TCP is not looked at",
        source="Cisco IOS, NAT TCP SIP ALG Support: L4F must be on",
        happens="The INVITE leaves with its inside addresses. It is answered on its own connection, so that the phone "
        "rings; but nothing that has to be sent anew finds its way: neither ACK, nor media, nor BYE.",
        look="The call is answered and stays silent; the callee repeats its 200 and hangs up after 32 s. Outside, "
        "Contact, Via and SDP have the inside address.",
        wireshark=_INSIDE_CONTACT,
        cure="Turn L4F on, or give the endpoints what they need to do without an ALG (static NAT mode, ICE).",
        broken=Setting(Device(l4f=False)),
        fixed=Setting(),
        act=_look_at_the_answer,
        caller=_AS_IT_IS_TOLD,
        failure=_NO_ALG,
        success=_ALG,
        more=(_ALL_LINES,),
    ),
    through_alg(
        "nonstandard-port",
        "SIP on a port that is not among the ALG's is not looked at",
        source="Cisco IOS, NAT TCP SIP ALG Support: ip nat service sip tcp port 8000",
        happens=f"The endpoints speak SIP on port {_OTHER_PORT}; the ALG knows 5060 alone. What crosses is plain TCP.",
        look="As with L4F off, and only for those who use the other port.",
        wireshark=_INSIDE_CONTACT,
        cure="Add the port to the ALG (`ip nat service sip tcp port`; here `--sip-port`).",
        broken=Setting(port=_OTHER_PORT),
        fixed=Setting(Device(sip_ports=frozenset({5060, _OTHER_PORT})), port=_OTHER_PORT),
        act=_look_at_the_answer,
        caller=_AS_IT_IS_TOLD,
        failure=_NO_ALG,
        success=_ALG,
        more=(_ALL_LINES,),
    ),
    through_alg(
        "split-message",
        "a message that came in two segments leaves as it came",
        source="Linux nf_conntrack_sip, measured",
        happens="The INVITE is longer than a segment. Of it nothing is rewritten, while the short messages around it "
        "are: the ACK arrives, media flows one way, and the callee's BYE has nowhere to go.",
        look="Long INVITEs (video, many headers) fail and short ones work. Outside, the INVITE has inside addresses "
        "and the ACK of the same call has none.",
        wireshark=_INSIDE_CONTACT,
        cure="An ALG that puts the stream together before it reads it; until then none at all for SIP over TCP.",
        broken=Setting(Device(faults=("split-message",))),
        fixed=Setting(),
        act=_split,
        caller=f"{CALL}; with an INVITE in two TCP segments, the second of which is sent a moment after the first",
        failure={**_UNTOUCHED, _PIECES: _SEVERAL, ACK: "arrives"},
        success={**WORKS, _PIECES: _SEVERAL},
        more=(_ALL_LINES,),
    ),
    through_alg(
        "many-in-one-segment",
        "of several messages in one segment only the first is rewritten",
        source="deduced; sngrep issue 466 is the same mistake in an analyser",
        happens="An OPTIONS and an INVITE are sent at once and share a segment. The OPTIONS is rewritten, the INVITE "
        "leaves as it came.",
        look="Calls fail now and then, under load more often. In the capture the INVITE that failed begins within a "
        "segment.",
        wireshark=_INSIDE_CONTACT,
        cure="An ALG that reads on behind the first message.",
        broken=Setting(Device(faults=("many-in-one-segment:direction=outward",))),
        fixed=Setting(),
        act=_joined,
        caller=f"{CALL}; with an INVITE in one TCP segment behind an OPTIONS",
        callee="answer OPTIONS, and the call with 200 at once, with audio (PCMA) and RTP, and its BYE",
        failure={**_UNTOUCHED, _PLACE: _BEHIND, ACK: "arrives"},
        success={**WORKS, _PLACE: _BEHIND},
        more=(_ALL_LINES,),
    ),
    through_alg(
        "stale-content-length",
        "the body changes its length, Content-Length does not",
        source="drachtio-siprec-recording-server issue 49, SIPp issue 363",
        happens="The outside address is shorter than the inside one. Content-Length promises more bytes than the body "
        "has left, and the callee waits for them. Where bodies "
        "grow, what is too much is taken for the next message.",
        look="The INVITE arrives and is not answered, not even by a 100; the callee's log does not know it. Compare "
        "Content-Length with the bytes behind the empty line. Wireshark waits as well: it shows the header as TCP "
        "that belongs to an unfinished PDU.",
        wireshark='frame.interface_name == "outside" && tcp.len > 0 && tcp contains "INVITE sip:" && !sip',
        cure="An ALG that corrects Content-Length when it is through with the body.",
        broken=Setting(Device(faults=("stale-content-length:method=INVITE",)), shrinking=True),
        fixed=Setting(shrinking=True),
        act=_counted,
        caller=f"{CALL}; from an address that is longer than that of {{caller}}, which is what it is outside",
        failure={ANSWER: NO_ANSWER, _LENGTH: "more than its body has"},
        success={**WORKS, _LENGTH: "that of its body"},
    ),
    through_alg(
        "multipart-content-length",
        "a body part changes its length, its own Content-Length does not",
        source="deduced from ALGs that know one body per message",
        happens="The session description is one part of a multipart body, as Expressways send it, and says how long it "
        "is. The message's Content-Length is right, the part's is not; who reads parts by it finds no boundary.",
        look="400 to INVITEs with several parts, while those with SDP alone work. Compare the part's Content-Length "
        "on both sides: it is the same, and the addresses are not.",
        wireshark='frame.interface_name == "outside" && sip.Status-Code == 400',
        cure="An ALG that knows multipart bodies; or no Content-Length in parts, which nobody needs there.",
        broken=Setting(Device(faults=("multipart-content-length",)), callee=Traits(judge=_strict)),
        fixed=Setting(callee=Traits(judge=_strict)),
        act=_multipart,
        caller=f"{CALL}; with a multipart body whose part of SDP has a Content-Length of its own",
        callee="answer the call with 200 at once, whose INVITE has a multipart body, and answer its BYE",
        failure={_PART_LENGTH: "not that of the part", LEAKS: NONE},
        success={**WORKS, _PART_LENGTH: "that of the part"},
        more=(fact(ANSWER, "400 Body part is not as long as it says", CALLEE),),
    ),
    through_alg(
        "unknown-method-dropped",
        "a request whose method the ALG does not know is dropped",
        source="Juniper default, FortiGate block-unknown; the SERVICE of Expressways",
        happens="Expressways ask each other with SERVICE before they let a phone register. The device knows the "
        "methods of RFC 3261 alone. The sender repeats nothing over TCP, waits, and says 408 to whoever asked it.",
        look="OPTIONS are answered, so that zones look active; SERVICE (PUBLISH, INFO) is seen inside and not outside.",
        wireshark='frame.interface_name == "inside" && sip.Method == "SERVICE"',
        cure="Allow unknown methods (`block-unknown disable`, `unknown-message permit-nat-applied`).",
        broken=Setting(Device(faults=("unknown-method-dropped",))),
        fixed=Setting(),
        act=_serve,
        caller="send {callee} OPTIONS and, once that is answered, SERVICE",
        callee="answer OPTIONS with 200, and SERVICE with anything",
        failure={_TO_OPTIONS: "200 OK", _TO_SERVICE: NO_ANSWER, _SERVICE_OUTSIDE: NEVER_LEAVES},
        success={_TO_OPTIONS: "200 OK", _TO_SERVICE: "200 OK", _SERVICE_OUTSIDE: LEAVES},
    ),
    through_alg(
        "long-line-dropped",
        "a message with a long header line is dropped",
        source="FortiGate block-long-lines, max-line-length 998",
        happens="A header of 1200 characters, as Identity, User-to-User or Record-Route can be, costs the whole "
        "INVITE.",
        look="The INVITE is seen inside and not outside, and nobody answers it.",
        wireshark=r'frame.interface_name == "inside" && sip.Method == "INVITE" && sip.msg_hdr matches "[^\\r\\n]{999}"',
        cure="Raise the limit, or turn the check off (`block-long-lines disable`).",
        broken=Setting(Device(faults=("long-line-dropped",))),
        fixed=Setting(),
        act=_long_line,
        caller=f"{CALL}; with a header line of more than 998 characters in the INVITE",
        failure={ANSWER: NO_ANSWER, _LONGEST: _TOO_LONG, _INVITE_OUTSIDE: NEVER_LEAVES},
        success={**WORKS, _LONGEST: _TOO_LONG, _INVITE_OUTSIDE: LEAVES},
    ),
    through_alg(
        "growth-over-cucm-limit",
        "an INVITE grows by translation past what CUCM reads, and CUCM resets the connection",
        source="Cisco, Troubleshoot Webex Hybrid Call Service Connect, with an ALG",
        happens=f"The INVITE has 4990 bytes, less than the {_CUCM_8} of `SIP Max Incoming Message Size`. Six "
        "addresses become longer by two characters each, and it has 5002. CUCM answers nothing and resets, "
        "although it has answered an OPTIONS that had 4990 when it left.",
        look="RST from CUCM behind a large INVITE, no SIP answer, and a line in the SDL trace. The same call passes "
        "where there is no ALG.",
        wireshark='frame.interface_name == "outside" && tcp.flags.reset == 1',
        cure=f"Raise SIP Max Incoming Message Size to {_CUCM_NOW}.",
        broken=Setting(callee=Traits(max_message=_CUCM_8)),
        fixed=Setting(callee=Traits(max_message=_CUCM_NOW)),
        act=_nearly_too_large,
        caller=f"{CALL}; with an INVITE of 4990 to 4999 bytes, in which its own address is six times beside Call-ID; "
        "from an address that is shorter than that of {caller}, which is what it is outside",
        callee="be a CUCM whose SIP Max Incoming Message Size is 5000 (with --fixed 18000), have a SIP trunk "
        "to {caller}, answer OPTIONS, answer the call for sip:callee@HOST with 200, with audio (PCMA) and RTP, and "
        "answer its BYE",
        failure={_CONTROL: sizes.ANSWERED, **_GROWS, ANSWER: LOST, _RESET: "yes"},
        success={**WORKS, _CONTROL: sizes.ANSWERED, **_GROWS, _RESET: "no"},
        told_by={_CONTROL: (CALLER,), **dict.fromkeys((_SIZE_INSIDE, _SIZE_OUTSIDE), (CALLER, CALLEE))},
        more=(says("callee SDL trace", f"Only allow up to {_CUCM_8} bytes. Resetting connection."),),
    ),
)
"""By what goes wrong with them."""
