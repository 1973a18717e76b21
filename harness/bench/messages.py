"""The messages that the benchmarks send; all names and addresses are examples."""

from __future__ import annotations

INSIDE = "10.0.30.2"
OUTSIDE = "64.100.0.10"

_SDP = "\r\n".join(
    [
        "v=0",
        f"o=tandberg 7 1 IN IP4 {INSIDE}",
        "s=-",
        f"c=IN IP4 {INSIDE}",
        "b=AS:384",
        "t=0 0",
        "m=audio 36000 RTP/SAVP 96 97 9 8 0 101",
        "a=rtpmap:96 MP4A-LATM/90000",
        "a=fmtp:96 profile-level-id=24;object=23;bitrate=64000",
        "a=rtpmap:97 MP4A-LATM/90000",
        "a=fmtp:97 profile-level-id=24;object=23;bitrate=56000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^48",
        "a=sendrecv",
        "m=video 36002 RTP/SAVP 97 98",
        "b=TIAS:384000",
        "a=rtpmap:97 H264/90000",
        "a=fmtp:97 profile-level-id=42800d;max-mbps=40500;max-fs=1344;max-smbps=40500",
        "a=rtpmap:98 H263-1998/90000",
        "a=sendrecv",
        "",
    ]
)


def invite(number: int) -> bytes:
    """An INVITE of 1.7 kB with eight places to rewrite, its tags and branches made of `number`."""
    head = [
        "INVITE sip:bob@example.com SIP/2.0",
        f"Via: SIP/2.0/TCP {INSIDE}:5060;branch=z9hG4bK{number:016x};rport",
        f"Via: SIP/2.0/TLS {INSIDE}:5061;branch=z9hG4bK{number:08x};received={INSIDE};ingress-zone=DefaultZone",
        f"Call-ID: {number:032x}@{INSIDE}",
        "CSeq: 100 INVITE",
        f"Contact: <sip:alice@{INSIDE}:5060;transport=tcp>",
        f'From: "Alice" <sip:alice@{INSIDE}>;tag={number:x}',
        "To: <sip:bob@example.com>",
        "Max-Forwards: 70",
        f"Record-Route: <sip:{INSIDE}:5060;transport=tcp;lr>",
        "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,INFO,OPTIONS,REFER,NOTIFY",
        "User-Agent: TANDBERG/4132 (X8.7.2)",
        "Supported: replaces,100rel,timer,gruu,path,outbound",
        "Session-Expires: 1800",
        "X-TAATag: 00000000-1111-2222-3333-444444444444",
        "Content-Type: application/sdp",
        f"Content-Length: {len(_SDP)}",
        "",
        _SDP,
    ]
    return "\r\n".join(head).encode()


def options(number: int) -> bytes:
    """A small OPTIONS whose sender is mapped."""
    head = [
        "OPTIONS sip:bob@example.com SIP/2.0",
        f"Via: SIP/2.0/TCP {INSIDE};branch=z9hG4bK{number:x}",
        f"From: <sip:alice@{INSIDE}>;tag={number:x}",
        "To: <sip:bob@example.com>",
        f"Call-ID: {number:x}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(head).encode()


def sized_invite(number: int, length: int, port: int = 5060, media_port: int = 36000) -> bytes:
    """An INVITE of so many bytes that names `INSIDE`, with the port it is sent from, only where any ALG rewrites it."""
    body = [
        "v=0",
        f"o=alice 7 1 IN IP4 {INSIDE}",
        "s=-",
        f"c=IN IP4 {INSIDE}",
        "t=0 0",
        f"m=audio {media_port} RTP/AVP 0",
    ]
    head = [
        "INVITE sip:bob@example.com SIP/2.0",
        f"Via: SIP/2.0/TCP {INSIDE}:{port};branch=z9hG4bK{number:016x}",
        f"From: <sip:alice@{INSIDE}:{port}>;tag={number:08x}",
        "To: <sip:bob@example.com>",
        f"Call-ID: {number:016x}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:alice@{INSIDE}:{port};transport=tcp>",
        "Content-Type: application/sdp",
        "Content-Length: {body_length:4d}",
        "",
        "",
    ]
    header, session, end = "\r\n".join(head), "\r\n".join([*body, ""]), last_line(number).decode()
    note = "a=note:{}\r\n"
    fixed = len(header.format(body_length=0)) + len(session) + len(note.format("")) + len(end)
    assert length >= fixed, f"an INVITE of {length} bytes has no room for its header"
    session += note.format("x" * (length - fixed)) + end
    return (header.format(body_length=len(session)) + session).encode()


def last_line(number: int) -> bytes:
    """What a `sized_invite` ends with, and no other one."""
    return f"a=label:{number:08d}\r\n".encode()
