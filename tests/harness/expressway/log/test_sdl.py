"""CUCM's trace of a message that it does not take."""

from __future__ import annotations

import io

from harness.expressway.log.sdl import LargeMessage, SdlTrace
from tests.harness.expressway.log.moments import NEW_YORK

MESSAGE = LargeMessage("10.36.100.140", header_length=4736, content_length=4068, limit=5000)
PROCESS = "5,100,14,707326"


def test_what_is_still_to_come() -> None:
    """Of the body, when 5000 bytes have been read."""
    assert MESSAGE.remaining == 3804


def test_a_large_message_is_ignored() -> None:
    """What was read, what it lacks, and that the connection is reset: line by line."""
    sink = io.StringIO()
    SdlTrace(sink, lambda: NEW_YORK, first=53138762, connection=707326).ignored(MESSAGE)
    assert sink.getvalue().splitlines() == [
        f"53138762.000 |11:11:19.485 |AppInfo |SIPSocketProtocol({PROCESS})::handleReadComplete "
        "send SdlReadRsp: size 5000",
        f"53138763.000 |11:11:19.485 |SdlSig |SdlReadRsp |wait |SIPTcp(5,100,71,1) |SdlTCPConnection({PROCESS}) "
        f"|{PROCESS}.4^10.36.100.140^^ |*TraceFlagOverrode",
        "53138763.001 |11:11:19.485 |AppInfo |SIPTcp - SdlRead bufferLen=5000",
        "53138763.002 |11:11:19.485 |AppInfo |//SIP/Stack/Info/0x0/httpish_msg_process_network_msg: "
        "Content Length 4068, Bytes Remaining 3804",
        "53138763.003 |11:11:19.485 |AppInfo |//SIP/Stack/Info/0x0/ccsip_process_network_message: "
        "process_network_msg: not complete",
        "53138763.004 |11:11:19.485 |AppInfo |SIPTcp - Ignoring large message from 10.36.100.140:[5060]. "
        "Only allow up to 5000 bytes. Resetting connection.",
    ]


def test_a_header_without_end() -> None:
    """Where no empty line was read, nothing is said of a body."""
    sink = io.StringIO()
    SdlTrace(sink, lambda: NEW_YORK).ignored(LargeMessage("10.36.100.140", 5000, None, limit=5000))
    assert "Content Length" not in sink.getvalue()
    assert "Only allow up to 5000 bytes. Resetting connection." in sink.getvalue()


def test_numbers_go_on() -> None:
    """The next message has other ones, and its connection another process."""
    sink = io.StringIO()
    trace = SdlTrace(sink, lambda: NEW_YORK)
    trace.ignored(MESSAGE)
    trace.ignored(MESSAGE)
    numbers = [line.partition(" ")[0] for line in sink.getvalue().splitlines()]
    assert numbers[0] == "00000001.000"
    assert numbers[-1] == "00000004.004"
    assert len(set(numbers)) == 12
    assert [sink.getvalue().count(f"SdlTCPConnection(5,100,14,{number})") for number in (1, 2, 3)] == [1, 1, 0]
