"""Somebody else's programs in hybrid calls: SIPp as CUCM and as Webex, called and calling, Kamailio as an Expressway.

Strategy: `sipalg scenario run` is told by `--peer` who they are, and tells by its orders when they are to call. The
verdicts are ours, the count of calls that went well is SIPp's own. Where TLS is wanted, haproxy has it for SIPp.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.scenarios.stage import Network
from tests.e2e.hybrid_expressway import hybrid_expressway
from tests.e2e.kamailio import free_port
from tests.e2e.ordering import reasons, run_scenarios
from tests.e2e.test_sip_elements import listens, running
from tests.edge.sockets import free_port_pair
from tests.helpers.lab import require_root
from tests.helpers.system import PATIENCE, require_system, run_sipalg

ADDRESS = "127.0.78.3"
CALLEE = Path(__file__).parent / "neighbor.xml"
CODEC, LIMIT = "no-common-codec-early-offer", "cucm-message-limit-inbound"
CALLER = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="caller: keeps the route set and the remote target, and hangs up">
  <send>
    <![CDATA[
      INVITE sip:{called} SIP/2.0
      Via: SIP/2.0/{kind} [local_ip]:[local_port];branch=[branch]
      {route}
      From: <sip:{caller}>;tag=caller-[call_number]
      To: <sip:{called}>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:caller@[local_ip]:[local_port];transport={kind}>;call-type=squared
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=caller 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      {audio}
      a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    ]]>
  </send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="{status}" rrs="true"/>
  <send>
    <![CDATA[
      ACK {target} SIP/2.0
      Via: SIP/2.0/{kind} [local_ip]:[local_port];branch=[branch]
      {routes}
      From: <sip:{caller}>;tag=caller-[call_number]
      To: <sip:{called}>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

    ]]>
  </send>
"""
BYE = """\
  <send>
    <![CDATA[
      BYE [next_url] SIP/2.0
      Via: SIP/2.0/{kind} [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:{caller}>;tag=caller-[call_number]
      To: <sip:{called}>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 2 BYE
      {reason}
      Max-Forwards: 70
      Content-Length: 0

    ]]>
  </send>
  <recv response="200"/>
"""
HAPROXY = """\
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen sip
    bind {here}
    server expressway {there} ssl crt {folder}/both.pem ca-file {folder}/expressway-e-root.crt verify required
"""


def scenario(caller: str, called: str, kind: str, status: int = 200, route: str = "", audio: int = 0) -> str:
    """What SIPp does as a caller, until the call is refused or hung up; `audio` is its only payload type."""
    stands = status == 200
    values = {
        "caller": caller,
        "called": called,
        "kind": kind,
        "status": status,
        "route": route or "Subject: a call",
        "audio": f"m=audio 30000 RTP/SAVP {audio}",
        "target": "[next_url]" if stands else f"sip:{called}",
        "routes": "[routes]" if stands else "Subject: refused",
        "reason": "Reason: Q.850;cause=47" if audio == 18 else "Subject: done",
    }
    return (CALLER + (BYE if stands else "")).format(**values) + "</scenario>\n"


@contextmanager
def answering(folder: Path) -> Iterator[str]:
    """SIPp's callee, for as long as the block runs, as HOST:PORT."""
    port = free_port_pair(ADDRESS)
    command = [require_system("sipp", "sip-tester"), "-sf", str(CALLEE), "-t", "t1", "-i", ADDRESS, "-p", str(port)]
    command += ["-ci", ADDRESS, "-nostdin", "-trace_stat", "-stf", "callee.csv", "-fd", "60"]
    with running(command, folder, listens("TCP", ADDRESS, port)):
        yield f"{ADDRESS}:{port}"


def call(folder: Path, target: str, text: str) -> int:
    """SIPp's caller; its exit status."""
    (folder / "caller.xml").write_text(text)
    command = [require_system("sipp", "sip-tester"), target, "-sf", "caller.xml", "-t", "t1", "-i", ADDRESS]
    command += ["-ci", ADDRESS, "-p", str(free_port_pair(ADDRESS)), "-m", "1", "-nostdin"]
    command += ["-timeout", "15s", "-timeout_error"]
    quiet = subprocess.DEVNULL
    return subprocess.run(command, stdin=quiet, stdout=quiet, cwd=folder, timeout=2 * PATIENCE, check=False).returncode


def figures(folder: Path) -> dict[str, int]:
    """What SIPp counted."""
    with (folder / "callee.csv").open() as file:
        *_, row = csv.DictReader(file, delimiter=";")
    names = ("IncomingCall(C)", "SuccessfulCall(C)", "FailedUnexpectedMessage(C)")
    return {name: int(row[name]) for name in names}


def answers(verdicts: list[dict[str, Any]]) -> list[str]:
    """To the INVITE, as the caller got them."""
    return [each["found"] for one in verdicts for each in one["evidence"] if each["what"] == "answer to INVITE"]


@pytest.mark.parametrize(
    ("peer", "failing", "cured", "got_through", "asked"),
    [
        ("cucm", ("two-notifications",), ("sip-destination-not-resolved", LIMIT), 1, 3),
        ("webex", ("search-rule-order",), ("dns-override-off",), 0, 0),
    ],
    ids=["cucm", "webex"],
)
def test_sipp_is_called(
    tmp_path: Path, peer: str, failing: tuple[str, ...], cured: tuple[str, ...], got_through: int, asked: int
) -> None:
    """Failures are recognised with SIPp at the end, and every cure brings it a call that it counts as good.

    Of the failures, only the second notification is a call that gets through. SIPp counts the OPTIONS as calls too,
    by which CUCM is asked in each run.
    """
    with answering(tmp_path) as at:
        assert reasons(run_scenarios(*failing, "--peer", f"{peer}={at}")) == []
        verdicts = run_scenarios(*cured, "--fixed", "--peer", f"{peer}={at}")
    assert reasons(verdicts) == []
    counted = figures(tmp_path)
    assert counted["IncomingCall(C)"] == counted["SuccessfulCall(C)"] == len(cured) + got_through + asked
    assert counted["FailedUnexpectedMessage(C)"] == 0
    assert answers(verdicts) == ["200 OK"] * len(cured)


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
def test_sipp_calls_as_cucm(tmp_path: Path, fixed: bool) -> None:
    """With G.729 alone, and it hangs up for want of audio; and with G.711."""
    calls: list[int] = []

    def obey(order: str) -> None:
        place = re.search(r"call sip:alice@sub\.call\.ciscospark\.com at ([\d.]+:\d+) over TCP", order)
        assert place is not None, order
        caller = scenario("5010@example.com", "alice@sub.call.ciscospark.com", "TCP", audio=0 if fixed else 18)
        calls.append(call(tmp_path, place[1], caller))

    form = ("--fixed",) if fixed else ()
    verdicts = run_scenarios(CODEC, *form, "--peer", f"cucm={ADDRESS}:5060", "--wait", "20", obey=obey)
    assert (reasons(verdicts), calls) == ([], [0])
    assert len(verdicts[0]["evidence"]) >= 6


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sipalg certs make` writes, and Webex's certificate and key in one file, as haproxy has it."""
    folder = tmp_path_factory.mktemp("peers") / "pki"
    done = run_sipalg("certs", "make", str(folder))
    assert done.returncode == 0, done.stderr
    both = (folder / "webex-chain.pem").read_bytes() + (folder / "webex.key").read_bytes()
    (folder / "both.pem").write_bytes(both)
    return folder


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
def test_sipp_calls_as_webex(tmp_path: Path, pki: Path, fixed: bool) -> None:
    """Over mutual TLS, with a preloaded Route: rejected, and with the cure answered."""
    calls: list[int] = []

    def obey(order: str) -> None:
        place = re.search(
            r"call sip:bob@example\.com, with `Route: (<[^>]*>)`, over TLS .* has ([\d.]+:\d+), and hang up", order
        )
        assert place is not None, order
        here = f"{ADDRESS}:{free_port(ADDRESS)}"
        config = tmp_path / "haproxy.cfg"
        config.write_text(HAPROXY.format(here=here, there=place[2], folder=pki))
        status = 200 if fixed else 404
        caller = scenario("alice@sub.call.ciscospark.com", "bob@example.com", "TLS", status, f"Route: {place[1]}")
        host, port = here.split(":")
        command = [require_system("haproxy", "haproxy"), "-f", str(config)]
        with running(command, tmp_path, listens("TCP", host, int(port))):
            calls.append(call(tmp_path, here, caller))

    form = ("--fixed",) if fixed else ()
    peer = ("--peer", f"webex={ADDRESS}:5062", "--certs", str(pki), "--wait", "20")
    verdicts = run_scenarios("preloaded-route-rejected", *form, *peer, obey=obey)
    assert (reasons(verdicts), calls) == ([], [0])
    assert len(verdicts[0]["evidence"]) >= 10


def test_nobody_calls(pki: Path) -> None:
    """That nothing arrives is no evidence of anything where nobody has tried."""
    peer = ("--peer", f"webex={ADDRESS}:5062", "--certs", str(pki), "--wait", "0.3")
    verdicts = run_scenarios("I1", "I2", "I3", "I4", *peer)
    assert [(each["verdict"], each["reason"].partition(" (")[0]) for each in verdicts] == [
        ("fail", "DNS is asked for the SIP destination: expected yes, found no"),
        ("fail", "SYN to port 5062: expected repeated and never answered, found none"),
        ("fail", "SYN to port 5062: expected answered with RST, found none"),
        ("fail", "answer to INVITE: expected 404 Not Found, found nothing"),
    ]


@pytest.mark.parametrize("name", ["I2", "I3"])
def test_a_caller_whom_nobody_lets_in(pki: Path, name: str) -> None:
    """The SYNs of openssl in place of Webex are seen where they end."""
    require_root()

    def obey(order: str) -> None:
        place = re.search(r" has ([\d.]+:\d+), and hang up", order)
        assert place is not None, order
        command = [require_system("openssl", "openssl"), "s_client", "-connect", place[1]]
        quiet = subprocess.DEVNULL
        knocking.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))

    knocking: list[subprocess.Popen[bytes]] = []
    verdicts = run_scenarios(name, "--peer", f"webex={ADDRESS}:5062", "--certs", str(pki), "--wait", "1.5", obey=obey)
    for process in knocking:
        process.kill()
        process.wait(PATIENCE)
    assert reasons(verdicts) == []


@pytest.mark.parametrize(
    ("kind", "form"), [("tcp", ()), ("tls", ("--fixed",))], ids=["failure over TCP", "cure over TLS"]
)
@pytest.mark.parametrize("name", ["expressway-c", "expressway-e"])
def test_kamailio_between_us(tmp_path: Path, pki: Path, name: str, kind: str, form: tuple[str, ...]) -> None:
    """A call either way; what it shows is seen by those who are left."""
    certificates = ("--certs", str(pki)) if kind == "tls" else ()
    with (
        Network() as network,
        hybrid_expressway(tmp_path / "kamailio", network.host(40), name, kind, pki) as expressway,
    ):
        peer = ("--peer", f"{name}={expressway.host}:{expressway.port}", "--wait", "20", *certificates)
        verdicts = run_scenarios(CODEC, LIMIT, *form, *peer, obey=expressway.obey)
    assert reasons(verdicts) == []
    assert all(len(each["evidence"]) >= 5 for each in verdicts)
