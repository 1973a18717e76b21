"""What ALGs do wrong with whole messages: not looking, losing count of bytes, dropping what they do not know."""

from __future__ import annotations

from typing import Final

from harness.demo.reading import body_faults
from harness.scenarios.calls.declaring import AT_CALLEE, AT_CALLER, SILENCE, WORKS, through_alg
from harness.scenarios.calls.middle import Device
from harness.scenarios.calls.party import LOST, NO_ANSWER, NO_ROUTE, Refusal, Traits
from harness.scenarios.calls.play import ACK, ANSWER, BYE, LEAKS, OUTSIDE, Play, Setting
from harness.scenarios.calls.shaping import behind_options, in_two_segments, shaped
from harness.scenarios.scenario import says
from harness.sip.message import Request

_ALL_LINES: Final = "Via, From, Contact, o=, c="
_INSIDE_CONTACT: Final = (
    'frame.interface_name == "outside" && sip.Method == "INVITE" && sip.contact.uri contains "10.0.30.2"'
)
_UNTOUCHED: Final = {ANSWER: "200 OK", LEAKS: _ALL_LINES, AT_CALLER: SILENCE, BYE: NO_ROUTE}
"""The INVITE leaves as it came: who answers it learns addresses that lead nowhere."""
_NO_ALG: Final = {**_UNTOUCHED, ACK: "never comes", AT_CALLEE: SILENCE}
_OTHER_PORT: Final = 5090


async def _split(play: Play) -> None:
    play.open()
    await play.call_through(flow=await shaped(play, in_two_segments(play)))


async def _joined(play: Play) -> None:
    play.open()
    await play.call_through(flow=await shaped(play, behind_options(play)))


_LENGTH: Final = "outside, Content-Length of the INVITE"


async def _counted(play: Play) -> None:
    """A call, and how the length of what left compares with what it says."""
    play.open()
    await play.call_through()
    stream = next(data for data in play.middle.wire.streams(OUTSIDE, from_peer=False) if data)
    head, _, body = stream.partition(b"\r\n\r\n")
    stated = int(head.lower().partition(b"content-length:")[2].split()[0])
    missing = stated - body.index(b"ACK ") if b"ACK " in body else stated - len(body)
    play.facts[_LENGTH] = f"{missing} more than its body has" if missing else "that of its body"


async def _multipart(play: Play) -> None:
    """An INVITE whose session description is a part with a length of its own (RFC 2045, RFC 5621)."""
    play.open()
    sdp = play.caller.description()
    part = b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(sdp), sdp)
    location = b"Content-Type: application/pidf+xml\r\n\r\n<presence/>\r\n"
    body = b"--part\r\n" + part + b"--part\r\n" + location + b"--part--\r\n"
    await play.call_through(play.invite().with_body(body, "multipart/mixed;boundary=part"))


def _strict(request: Request) -> Refusal | None:
    """Reads parts by their own Content-Length."""
    return (400, "Body part is not as long as it says") if body_faults(request.to_bytes()) else None


_TO_SERVICE: Final = "answer to SERVICE"
_SERVICE_OUTSIDE: Final = "SERVICE outside"
_TO_OPTIONS: Final = "answer to OPTIONS"


async def _serve(play: Play) -> None:
    """A SERVICE as Expressways ask each other, and an OPTIONS on the same connection."""
    play.open()
    for method, fields in (("OPTIONS", []), ("SERVICE", [("Event", "service")])):
        request = play.caller.compose(method, play.called, fields)
        play.facts[f"answer to {method}"] = (await play.caller.ask(request)).text
    play.note_passage("SERVICE")


_LONG: Final = "x" * 1200
_INVITE_OUTSIDE: Final = "INVITE outside"


async def _long_line(play: Play) -> None:
    play.open()
    await play.call_through(play.invite([("User-to-User", f"{_LONG};encoding=hex")]))
    play.note_passage("INVITE")


_SIZE_INSIDE, _SIZE_OUTSIDE, _RESET = "size of the INVITE inside", "size of the INVITE outside", "reset by the callee"
_JUST_FITS: Final = 4990
_CUCM_8: Final = 5000
_CUCM_NOW: Final = 18000


async def _nearly_too_large(play: Play) -> None:
    """An INVITE of 4990 bytes."""
    play.open()
    flow = await play.caller.flow_to(play.called)
    asserted = f"<sip:caller@{play.caller.own[0]}>"
    bare = play.invite([("P-Asserted-Identity", asserted), ("X-Padding", "")])
    size = len(play.caller.element.with_via(bare, flow).with_length().to_bytes())
    await play.call_through(bare.put("X-Padding", "x" * (_JUST_FITS - size)))
    for what, side, from_peer in ((_SIZE_INSIDE, OUTSIDE.opposite, True), (_SIZE_OUTSIDE, OUTSIDE, False)):
        sent = play.middle.wire.requests(side, from_peer, "INVITE")
        play.facts[what] = f"{len(sent[0].to_bytes())} bytes" if sent else "no INVITE"
    play.facts[_RESET] = "yes" if play.middle.wire.reset_by(OUTSIDE) else "no"


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
        failure=_NO_ALG,
        real_callee=True,
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
        failure=_NO_ALG,
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
        failure={**_UNTOUCHED, ACK: "arrives"},
        real_callee=True,
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
        failure={**_UNTOUCHED, ACK: "arrives"},
        real_callee=True,
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
        failure={ANSWER: NO_ANSWER, _LENGTH: "4 more than its body has"},
        success={**WORKS, _LENGTH: "that of its body"},
        real_callee=True,
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
        failure={ANSWER: "400 Body part is not as long as it says", LEAKS: "none"},
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
        failure={_TO_OPTIONS: "200 OK", _TO_SERVICE: NO_ANSWER, _SERVICE_OUTSIDE: "never leaves"},
        success={_TO_OPTIONS: "200 OK", _TO_SERVICE: "200 OK", _SERVICE_OUTSIDE: "leaves"},
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
        failure={ANSWER: NO_ANSWER, _INVITE_OUTSIDE: "never leaves"},
        success={**WORKS, _INVITE_OUTSIDE: "leaves"},
        real_callee=True,
    ),
    through_alg(
        "growth-over-cucm-limit",
        "an INVITE grows by translation past what CUCM reads, and CUCM resets the connection",
        source="Cisco, Troubleshoot Webex Hybrid Call Service Connect, with an ALG",
        happens=f"The INVITE has {_JUST_FITS} bytes, less than the {_CUCM_8} of `SIP Max Incoming Message Size`. Six "
        "addresses become longer by two characters each, and it has 5002. CUCM answers nothing and resets.",
        look="RST from CUCM behind a large INVITE, no SIP answer, and a line in the SDL trace. The same call passes "
        "where there is no ALG.",
        wireshark='frame.interface_name == "outside" && tcp.flags.reset == 1',
        cure=f"Raise SIP Max Incoming Message Size to {_CUCM_NOW}.",
        broken=Setting(callee=Traits(max_message=_CUCM_8)),
        fixed=Setting(callee=Traits(max_message=_CUCM_NOW)),
        act=_nearly_too_large,
        failure={
            **{_SIZE_INSIDE: "4990 bytes", _SIZE_OUTSIDE: "5002 bytes"},
            **{ANSWER: LOST, _RESET: "yes"},
        },
        success={**WORKS, _SIZE_INSIDE: "4990 bytes", _SIZE_OUTSIDE: "5002 bytes", _RESET: "no"},
        more=(says("callee SDL trace", f"Only allow up to {_CUCM_8} bytes. Resetting connection."),),
    ),
)
"""By what goes wrong with them."""
