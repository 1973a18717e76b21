"""`sipalg rewrite`: a byte stream in, a byte stream out, and a status that says whether it ended between messages."""

from __future__ import annotations

import io
import select
import subprocess
from pathlib import Path

import pytest
from hypothesis import given

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.ios_debug import IosDebug
from harness.cli import main
from harness.commands.rewrite import rewrite_stream
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options, request, response
from tests.helpers.strategies import streams
from tests.helpers.system import PATIENCE, run_sipalg, sipalg_command, sipalg_environment

CISCO_INVITE = (
    b"INVITE sip:1002@sip.example.com:8000 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 192.168.122.3:8000;branch=z9hG4bK-3531-1-0\r\n"
    b"From: sipp <sip:sipp@192.168.122.3:8000>;tag=3531SIPpTag001\r\n"
    b"To: 1002 <sip:1002@sip.example.com:8000>\r\n"
    b"Call-ID: 1-3531@phone.example.com\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:sipp@192.168.122.3:8000>\r\n"
    b"Subject: NAT on TCP\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 133\r\n"
    b"\r\n"
    b"v=0\r\n"
    b"o=user1 53655765 2353687637 IN IP4 pbx.sip.example.com\r\n"
    b"s=-\r\n"
    b"c=IN IP4 192.168.122.3\r\n"
    b"t=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0\r\n"
    b"a=sendrecv\r\n"
)
"""509 bytes as in the IOS document: 376 of header with three addresses, 133 of body with one (FACTS.md section 1)."""

CISCO_DEBUG = """\
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


def rewrite(data: bytes, *arguments: str, status: int = 0) -> tuple[bytes, list[str]]:
    """Run the command; its output and the lines on standard error."""
    done = run_sipalg("rewrite", *arguments, stdin=data)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout, done.stderr.decode().splitlines()


def test_outward_is_the_default() -> None:
    """A stream of messages and keep-alives comes out rewritten, and nothing is said."""
    stream = b"\r\n\r\n" + request(INSIDE) + options(INSIDE) + b"\r\n" + request(INSIDE, size=300_000)
    due = b"\r\n\r\n" + request(OUTSIDE) + options(OUTSIDE) + b"\r\n" + request(OUTSIDE, size=300_000)
    assert rewrite(stream, "--map", MAP) == (due, [])


def test_inward() -> None:
    """--direction in maps outside addresses to inside ones."""
    assert rewrite(response(OUTSIDE), "--map", MAP, "--direction", "in") == (response(INSIDE), [])


def test_without_l4f() -> None:
    """--no-l4f lets everything pass, and that is no error even in the middle of a message."""
    assert rewrite(request(INSIDE)[:-5], "--map", MAP, "--no-l4f") == (request(INSIDE)[:-5], [])


def test_empty_input() -> None:
    """Nothing in, nothing out."""
    assert rewrite(b"", "--map", MAP) == (b"", [])


@pytest.mark.parametrize("cut", [1, 40, 300, len(request(INSIDE)) - 1])
def test_input_that_ends_inside_a_message(cut: int) -> None:
    """Status 3, the whole messages rewritten, the rest passed on unchanged, and one line that says so."""
    stream = options(INSIDE) + request(INSIDE)[:cut]
    out, (line,) = rewrite(stream, "--map", MAP, status=3)
    assert out == options(OUTSIDE) + request(INSIDE)[:cut]
    assert f"passed {cut} bytes at offset {len(options(INSIDE))} untouched" in line
    assert "ended inside a message" in line


def test_input_that_ends_inside_an_over_long_message() -> None:
    """A message too large to be held can be cut short as well as any other."""
    stream = request(INSIDE).replace(b"Content-Length:   ", b"Content-Length: 99999")
    assert rewrite(stream, "--map", MAP, status=3)[0] == stream


def test_bytes_that_are_no_sip() -> None:
    """They pass with all that follows; standard error says from where on and why; the status is 0."""
    stream = options(INSIDE) + b"GET / HTTP/1.1\r\n\r\n" + options(INSIDE)
    out, (line,) = rewrite(stream, "--map", MAP)
    assert out == options(OUTSIDE) + stream[len(options(INSIDE)) :]
    assert f"at offset {len(options(INSIDE))} untouched" in line
    assert "no SIP start line" in line


def test_ios_debug_text() -> None:
    """The lines for an INVITE of 509 bytes are those that Cisco's document prints."""
    assert (len(CISCO_INVITE), CISCO_INVITE.index(b"\r\n\r\n") + 4) == (509, 376)
    out, lines = rewrite(CISCO_INVITE, "--map", "192.168.122.3=10.1.1.100", "--debug-ip-nat-sip")
    due = CISCO_INVITE.replace(b"192.168.122.3", b"10.1.1.100").replace(b"Length: 133", b"Length: 130")
    assert (len(out), out) == (497, due)
    assert lines == CISCO_DEBUG.splitlines()


def test_ios_debug_text_without_a_translation() -> None:
    """Without a mapping for its address the message keeps its lengths, and no translation is claimed."""
    out, lines = rewrite(CISCO_INVITE, "--map", MAP, "--debug-ip-nat-sip")
    assert out == CISCO_INVITE
    assert not [line for line in lines if "ranslated" in line]
    assert "NAT: SIP: old_sdp_len:133 new_sdp_len:133" in lines
    assert "l4f_send returns 509 bytes" in lines


def test_pool() -> None:
    """A pool gives its address to every inside host, keeps a port while it is free, and moves the second host's."""
    first = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.30.2:5070\r\n\r\n"
    out, lines = rewrite(first + first.replace(b"30.2", b"30.3") + first, "--pool", OUTSIDE)
    same = first.replace(b"10.0.30.2", OUTSIDE.encode())
    assert out == same + same.replace(b":5070", b":5072") + same
    assert lines == []


def test_pool_of_other_networks() -> None:
    """--inside says which addresses the pool takes."""
    out, _ = rewrite(options("198.51.100.9") + options(INSIDE), "--pool", OUTSIDE, "--inside", "198.51.100.0/24")
    assert out == options(OUTSIDE) + options(INSIDE)


def test_map_with_ports() -> None:
    """A port that a map changes is written also where none stood; another port's address stays."""
    out, _ = rewrite(
        options(INSIDE) + options(f"{INSIDE}:5062"), "--map", f"{INSIDE}:5060={OUTSIDE}:5080", "--direction", "out"
    )
    assert out == options(f"{OUTSIDE}:5080") + options(f"{INSIDE}:5062")


def test_profile_of_ones_own(tmp_path: Path) -> None:
    """--profile takes a file: only what it names is rewritten."""
    profile = tmp_path / "via-only.toml"
    profile.write_text('name = "via-only"\ntitle = "Via alone"\nheaders = ["Via"]\nsdp = []\n')
    out, _ = rewrite(response(INSIDE), "--map", MAP, "--profile", str(profile))
    assert out == response(INSIDE).replace(f"TCP {INSIDE}".encode(), f"TCP {OUTSIDE}".encode())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--map", "10.0.30.2"), "10.0.30.2"),
        (("--map", MAP, "--map", MAP), MAP),
        (("--direction", "up"), "up"),
        (("--pool", "nowhere"), "nowhere"),
        (("--profile", "perfect"), "perfect"),
        (("--sip-port", "5060"), "--sip-port"),
        (("file.sip",), "file.sip"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_flags(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str) -> None:
    """Status 2, one line that names what is wrong."""
    assert main(["rewrite", *arguments]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    (line,) = errors.splitlines()
    assert named in line


def test_messages_come_out_as_they_come_in() -> None:
    """It is a filter: a message leaves before the input has ended."""
    command = sipalg_command("rewrite", "--map", MAP)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=sipalg_environment(), bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(options(INSIDE))
            assert select.select([process.stdout], [], [], PATIENCE)[0], "nothing came"
            assert process.stdout.read(len(options(OUTSIDE))) == options(OUTSIDE)
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_reader_that_leaves() -> None:
    """When the reader of its output has gone it ends with status 3, without a traceback."""
    command = sipalg_command("rewrite", "--map", MAP)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=sipalg_environment(),
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(options(INSIDE))
        assert process.stdout.read(len(options(OUTSIDE))) == options(OUTSIDE)
        process.stdout.close()
        process.stdin.write(options(INSIDE))
        process.stdin.close()
        assert process.wait(10) == 3
        assert process.stderr.read() == b""


def run_core(data: bytes, *, debug: list[str] | None) -> tuple[int, bytes]:
    """`rewrite_stream` in memory, with or without somebody listening."""
    alg = Alg(AlgConfig(nat=NatConfig((AddressMap.parse(MAP),))))
    target = io.BytesIO()
    sinks = [] if debug is None else [IosDebug(debug.append)]
    return rewrite_stream(alg, Direction.OUTWARD, io.BytesIO(data), target, sinks), target.getvalue()


@given(streams())
def test_listening_changes_nothing(data: bytes) -> None:
    """Whatever comes, the debug text is printed without trouble, and the bytes are the same with and without it."""
    lines: list[str] = []
    assert run_core(data, debug=lines) == run_core(data, debug=None)
    assert all(line.isprintable() for line in lines)
