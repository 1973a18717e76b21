"""The text of `debug ip nat sip`, line by line as the IOS document prints it."""

from __future__ import annotations

from hypothesis import given

from alg.ios_debug import IosDebug
from alg.trace import Record, StreamRecord
from tests.helpers.feed import DIRECTIONS, OUT, alg_for, send
from tests.helpers.strategies import MapList, directions, map_lists, near_sip
from tests.helpers.vector import MEDIA, STATIC, in_offer, in_request

PAIR = (("192.168.122.3", "10.1.1.100"),)
"""Three bytes shorter."""

BODY = (
    b"v=0\r\n"
    b"o=phone 2890844526 28908445261 IN IP4 host.example.net\r\n"
    b"s=-\r\n"
    b"c=IN IP4 192.168.122.3\r\n"
    b"t=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0\r\n"
    b"a=sendrecv\r\n"
)
HEADER = (
    b"INVITE sip:service@10.20.20.20:8000 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 192.168.122.3:8000;branch=z9hG4bK-a1-0\r\n"
    b"From: phone <sip:phone@192.168.122.3:8000>;tag=a1\r\n"
    b"To: <sip:service@10.20.20.20:8000>\r\n"
    b"Call-ID: a1-192.168.122.3@host.example.net\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:phone@192.168.122.3:8000>\r\n"
    b"Max-Forwards: 70\r\n"
    b"Subject: %s\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 133\r\n"
    b"\r\n"
)
INVITE = HEADER % (b"x" * (376 - len(HEADER) + len(b"%s"))) + BODY
"""As the document's message: Via, From and Contact are the phone's, To and the Request-URI another's."""

DOCUMENTED = """\
NAT-L4F:setting ALG_NEEDED flag in subblock for SIP message
NAT-ALG: lookup=0 l7_bytes_recd=509 appl_type=7
NAT-ALG: Complete SIP Message header of size: 376
NAT-ALG: Message body length: 133
NAT-ALG: Total SIP message length: 509
NAT-ALG: after state machine:
NAT-ALG: l7_bytes_recd=509
NAT-ALG: remaining_hdr_sz=0
NAT-ALG: remaining_payl_sz=0
NAT-ALG: tcp_alg_state=0
NAT-ALG: complete_msg_len=509
NAT-SIP-TCP: Number of SIP messages received: 1
NAT: SIP: [0] processing INVITE message
NAT: SIP: [0] register:0 door_created:0
NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100
NAT: SIP: [0] register:0 door_created:0
NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100
NAT: SIP: [0] register:0 door_created:0
NAT: SIP: [0] register:0 door_created:0
NAT: SIP: Contact header found
NAT: SIP: Trying to find expires parameter
NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100
NAT: SIP: [0] register:0 door_created:0
NAT: SIP: [0] message body found
NAT: SIP: Media Lines present:1
NAT: SIP: Translated global m=(192.168.122.3, 6000) -> (10.1.1.100, 6000)
NAT: SIP: old_sdp_len:133 new_sdp_len:130
l4f_send returns 497 bytes
Complete buffer written to proxy
"""


def printed(message: bytes, pairs: tuple[tuple[str, str], ...] = PAIR, direction: str = "out") -> list[str]:
    """The lines for a stream."""
    lines: list[str] = []
    send(alg_for(pairs).connection(sink=IosDebug(lines.append)), DIRECTIONS[direction], [message])
    return lines


def test_example_is_the_documents() -> None:
    """The example has the sizes of the document's message."""
    assert (len(INVITE), len(INVITE) - len(BODY), len(BODY)) == (509, 376, 133)


def test_documented_invite() -> None:
    """Someone who knows the IOS document finds its lines, all of them and in its order."""
    assert printed(INVITE) == DOCUMENTED.splitlines()


def test_documented_arithmetic() -> None:
    """Four addresses three bytes shorter: 509 bytes came, 497 leave, 130 of them SDP."""
    out = send(alg_for(PAIR).connection(), OUT, [INVITE])
    assert len(out) == 509 - 4 * 3
    assert out == INVITE.replace(b"<sip:phone@192.168.122.3", b"<sip:phone@10.1.1.100").replace(
        b"TCP 192.168.122.3", b"TCP 10.1.1.100"
    ).replace(b"c=IN IP4 192.168.122.3", b"c=IN IP4 10.1.1.100").replace(b"Length: 133", b"Length: 130")


def test_every_message_has_its_block() -> None:
    """Two messages in one segment are two blocks."""
    assert printed(INVITE + INVITE) == DOCUMENTED.splitlines() * 2


def test_message_without_a_mapped_address() -> None:
    """Where nothing is mapped no translation is printed, and the sizes stay."""
    lines = printed(INVITE, STATIC)
    assert not [line for line in lines if "ranslated" in line]
    assert lines[-3:] == [
        "NAT: SIP: old_sdp_len:133 new_sdp_len:133",
        "l4f_send returns 509 bytes",
        "Complete buffer written to proxy",
    ]


def test_response_is_named_by_its_status() -> None:
    """A response is told from a request; it has no Request-URI to look into."""
    lines = printed(b"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/TCP 192.168.122.3\r\nl: 0\r\n\r\n")
    assert lines[12:] == [
        "NAT: SIP: [0] processing 180 message",
        "NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100",
        "NAT: SIP: [0] register:0 door_created:0",
        "l4f_send returns 58 bytes",
        "Complete buffer written to proxy",
    ]


def test_register_is_marked() -> None:
    """A REGISTER is told apart by `register:1`, its Contact by the search for `expires`."""
    lines = printed(b"REGISTER sip:192.168.122.3 SIP/2.0\r\nm: <sip:a@192.168.122.3>\r\n\r\n")
    assert lines[13:-2] == [
        "NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100",
        "NAT: SIP: [0] register:1 door_created:0",
        "NAT: SIP: Contact header found",
        "NAT: SIP: Trying to find expires parameter",
        "NAT: SIP: [0] translated embedded address 192.168.122.3->10.1.1.100",
        "NAT: SIP: [0] register:1 door_created:0",
    ]


def test_other_headers_are_listed_when_translated() -> None:
    """A Route is mentioned if it is translated, and left out if not."""
    assert len(printed(in_request(b"Route: <sip:192.168.122.3>"))) == len(printed(in_request(b"Route: <sip:a>"))) + 2


def test_media_line_with_an_address_of_its_own() -> None:
    """A connection line under its media line is not the global one; a mapped port is printed."""
    body = b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 5004 RTP/AVP 0\r\nc=IN IP4 10.0.30.2\r\nm=video 5006 RTP/AVP 31\r\n"
    lines = printed(in_offer(body), MEDIA)
    assert [line for line in lines if "edia" in line or "m=" in line] == [
        "NAT: SIP: Media Lines present:2",
        "NAT: SIP: Translated m=(10.0.30.2, 5004) -> (64.100.0.10, 6004)",
    ]


def test_other_records_print_nothing() -> None:
    """Holds and bypasses are not in the document, so they are not in the text."""
    lines: list[str] = []
    IosDebug(lines.append)(StreamRecord(OUT, Record("hold", (0, 9), b"", b"", "9 bytes wait")))
    assert lines == []


@given(near_sip(), map_lists(), directions())
def test_any_message_can_be_printed(stream: bytes, maps: MapList, direction: str) -> None:
    """Damaged messages do not break the log, and the sizes printed add up."""
    sizes = [line.split(" ")[2] for line in printed(stream, tuple(maps), direction) if line.startswith("l4f_send")]
    quiet: list[int] = []
    send(
        alg_for(maps).connection(sink=lambda record: quiet.append(len(getattr(record, "after", b"")))),
        DIRECTIONS[direction],
        [stream],
    )
    assert [int(size) for size in sizes] == [size for size in quiet if size]
