"""Scenarios of hybrid calls and of phones with somebody else's peer: SIPp as Webex and as CUCM, Kamailio as CUCM.

Strategy: the other one runs as a process, and is told what its product would say; `--peer` names it. Its own messages
are the evidence: a 200 without audio, a 200 that is too large, a 488.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.e2e.test_sip_elements import CONFIG, listens, running
from tests.edge.sockets import free_port_pair
from tests.helpers.system import require_system, sipalg_command, sipalg_environment

STRANGER = "127.0.46.3"
MOST_SECONDS = 60.0
_HEAD = """\
      [last_Via:]
      [last_Record-Route:]
      [last_From:]
      [last_To:];tag=stranger-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:stranger@[local_ip]:[local_port];transport=tcp>
"""
_SDP = """\
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=stranger 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      MEDIA
"""
_CALLED = f"""\
  <send>
    <![CDATA[
      SIP/2.0 200 OK
{_HEAD}{_SDP}    ]]>
  </send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send>
    <![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>
  </send>
"""
_REFUSING = f"""\
  <send>
    <![CDATA[
      SIP/2.0 488 Not Acceptable Media
{_HEAD}      Reason: Q.850;cause=47
      Content-Length: 0

    ]]>
  </send>
  <recv request="ACK"/>
"""
_DECLINING = f"""\
  <send>
    <![CDATA[
      SIP/2.0 200 OK
{_HEAD}{_SDP}    ]]>
  </send>
  <pause milliseconds="300"/>
  <send>
    <![CDATA[
      SIP/2.0 603 Decline
{_HEAD}      Content-Length: 0

    ]]>
  </send>
"""
SECURE = "m=audio 31000 RTP/SAVP 0\n      a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
NO_AUDIO = "m=audio 0 RTP/SAVP *"
LARGE = SECURE + "".join(f"\n      a=x-line:{number:03} {'x' * 80}" for number in range(60))
"""Some 5500 bytes of attributes."""

RUNS = [
    ("no-common-codec-early-offer", False, "webex", _CALLED.replace("MEDIA", NO_AUDIO)),
    ("no-common-codec-delayed-offer", False, "webex", _CALLED.replace("MEDIA", SECURE)),
    ("no-common-codec-inbound", False, "cucm", _REFUSING),
    ("no-common-codec-inbound", True, "cucm", _CALLED.replace("MEDIA", SECURE)),
    ("cucm-message-limit-delayed-offer", False, "webex", _DECLINING.replace("MEDIA", LARGE)),
    ("cucm-message-limit-early-offer", True, "webex", _CALLED.replace("MEDIA", LARGE)),
]


@contextmanager
def sipp(folder: Path, actions: str) -> Iterator[str]:
    """SIPp, which is called, as HOST:PORT."""
    scenario = folder / "stranger.xml"
    start = '<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="stranger">\n  <recv request="INVITE"/>\n'
    scenario.write_text(f"{start}{actions}</scenario>\n")
    port = free_port_pair(STRANGER)
    where = ("-i", STRANGER, "-ci", STRANGER, "-p", str(port), "-t", "t1", "-nostdin")
    with running(
        [require_system("sipp", "sip-tester"), "-sf", str(scenario), *where], folder, listens("TCP", STRANGER, port)
    ):
        yield f"{STRANGER}:{port}"


@contextmanager
def kamailio(folder: Path) -> Iterator[str]:
    """Kamailio as the registrar that a CUCM is, as HOST:PORT."""
    port = free_port_pair(STRANGER)
    route = 'request_route { if (method == "REGISTER") { save("location"); exit; } sl_send_reply("404", "None"); }\n'
    config = folder / "kamailio.cfg"
    config.write_text(CONFIG.replace("ADDRESS", f"{STRANGER}:{port}") + route)
    options = ("-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder), "-P", str(folder / "pid"), "-f", str(config))
    command = [require_system("kamailio", "kamailio"), *options]
    with running(command, folder, listens("TCP", STRANGER, port)):
        yield f"{STRANGER}:{port}"


def run(name: str, fixed: bool, peer: str) -> dict[str, Any]:
    """The verdict."""
    form = ["--fixed"] if fixed else []
    command = sipalg_command("scenario", "run", name, *form, "--json", "--peer", peer)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False, env=sipalg_environment()
    )
    assert done.stderr == ""
    (verdict,) = json.loads(done.stdout)
    found: dict[str, Any] = verdict
    return found


@pytest.mark.parametrize(("name", "fixed", "peer", "actions"), RUNS, ids=[f"{run[0]}-{run[1]}" for run in RUNS])
def test_sipp(tmp_path: Path, name: str, fixed: bool, peer: str, actions: str) -> None:
    """What is seen of a call is the same with a Webex or a CUCM that is not ours."""
    with sipp(tmp_path, actions) as at:
        verdict = run(name, fixed, f"{peer}={at}")
    assert (verdict["verdict"], verdict["fixed"]) == ("pass", fixed), verdict["reason"]
    assert len(verdict["evidence"]) >= 4


def test_sipp_with_the_wrong_answer(tmp_path: Path) -> None:
    """Another answer than that of the failure does not pass for it."""
    with sipp(tmp_path, _CALLED.replace("MEDIA", SECURE)) as at:
        verdict = run("no-common-codec-inbound", False, f"cucm={at}")
    assert verdict["verdict"] == "fail"
    assert "expected 488 Not Acceptable Here" in verdict["reason"]


@pytest.mark.parametrize(
    ("media", "missing"),
    [
        ("m=audio 31000 RTP/SAVP 18", "audio codecs of the offer: expected without G.729, found G.729 alone"),
        ("m=audio 31000 RTP/SAVP 0", "in the offer's audio: expected yes, found no"),
    ],
    ids=["G.729", "PCMU"],
)
def test_sipp_without_keys(tmp_path: Path, media: str, missing: str) -> None:
    """Audio that is refused for want of SRTP keys is no audio without a common codec."""
    with sipp(tmp_path, _CALLED.replace("MEDIA", media)) as at:
        verdict = run("no-common-codec-delayed-offer", False, f"webex={at}")
    assert verdict["verdict"] == "fail"
    told = [f"{each['what']}: expected {each['expected']}, found {each['found']}" for each in verdict["evidence"]]
    assert any(missing in each for each in told), told


def test_a_peer_that_resets_everything() -> None:
    """A connection that is reset before anything is said is no message that was too large."""
    with socket.create_server((STRANGER, 0)) as listener:
        resetting = Thread(target=reset_all, args=(listener,))
        resetting.start()
        verdict = run("cucm-message-limit-inbound", False, "cucm={}:{}".format(*listener.getsockname()))
        listener.shutdown(socket.SHUT_RDWR)
        resetting.join()
    assert verdict["verdict"] == "fail"
    assert verdict["reason"].startswith("OPTIONS to CUCM: expected answered, found not answered")


def reset_all(listener: socket.socket) -> None:
    """Accept connections and reset them, until nobody listens any more."""
    while True:
        try:
            guest, _ = listener.accept()
        except OSError:
            return
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        guest.close()


@pytest.mark.parametrize("fixed", [False, True])
def test_kamailio(tmp_path: Path, fixed: bool) -> None:
    """Kamailio takes the REGISTER that went on from Expressway to Expressway, or never gets it."""
    with kamailio(tmp_path) as at:
        verdict = run("nat-reflection", fixed, f"cucm={at}")
    assert verdict["verdict"] == "pass", verdict["reason"]
    answers = [each["found"] for each in verdict["evidence"] if each["what"] == "answer to REGISTER"]
    assert answers == ["200 OK" if fixed else "408 Request Timeout"]
