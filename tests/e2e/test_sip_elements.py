"""Our SIP elements among others: SIPp calls and is called, Kamailio stands between, registers and asks for a password.

Strategy: user agents and proxy run in a reactor of the test's own, the others are processes. That no call fails, by
the count of both sides, proves transactions, dialogs and routes; what went where is told by taps.
"""

from __future__ import annotations

import csv
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, gatherResults

from harness.sip.agent import Agent, AgentSettings
from harness.sip.call import Call
from harness.sip.call_states import End, Ended
from harness.sip.capabilities import audio_phone
from harness.sip.digest import Challenge, Credentials, proves
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, Tap, Target
from harness.sip.message import Request, Response, parse
from harness.sip.proxying import Branch, Proxy, ProxySettings
from harness.sip.resolve import locate_literal
from harness.sip.server import ServerTransaction
from harness.sip.timers import Timers
from tests.edge.sockets import free_port_pair
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE, eventually, require_system

SIPP, PROXY, OURS, OTHERS, KAMAILIO = "127.0.42.2", "127.0.42.10", "127.0.42.3", "127.0.42.4", "127.0.42.5"
HERE = Path(__file__).parent
WHO = Credentials("phone", "secret")
PATIENT = Timers(5.0, 10.0, 5.0)
"""Nothing gets lost on this machine, so nothing has to be sent twice, however slow it is."""
BOTH = pytest.mark.parametrize("kind", ["UDP", "TCP"])


class Heard(Tap):
    """Who talked to an element, and whatever it could not understand."""

    def __init__(self) -> None:
        self.requests: set[tuple[str, str, str]] = set()
        """Of each request that came: who says it sent it, the method, the call. One that comes again is the same."""
        self.mishaps: list[str] = []

    def received(self, flow: Flow, data: bytes) -> None:
        """As Tap has it."""
        message = parse(data)
        if isinstance(message, Request):
            self.requests.add((message.via.host, message.method, message.call_id))

    def malformed(self, flow: Flow, data: bytes, error: Exception) -> None:
        """As Tap has it."""
        self.mishaps.append(str(error))


@pytest.fixture(scope="module")
def only_reactor() -> Turned:
    """One for all tests of this file."""
    return Turned()


@pytest.fixture
def turned(only_reactor: Turned) -> Iterator[Turned]:
    """A reactor; nothing is left in it when the test is over."""
    with only_reactor.watched():
        yield only_reactor


class Stage:
    """Elements that are closed when the test is over."""

    def __init__(self, turned: Turned, folder: Path) -> None:
        self.turned = turned
        self.folder = folder
        self.elements: list[Element] = []
        self.heard = Heard()

    def element(self, host: str, *kinds: str) -> Element:
        """That listens on a port of each kind."""
        element = Element(self.turned.reactor, ElementSettings(PATIENT))
        for kind in kinds:
            element.transport.listen(kind, (host, 0))
        element.transport.taps.append(self.heard)
        self.elements.append(element)
        return element

    def agent(self, kind: str, name: str = "bob", credentials: Credentials | None = None) -> Agent:
        """A user agent that answers what comes."""
        element = self.element(OURS, kind)
        able = audio_phone(OURS)
        element.core = agent = Agent(element, AgentSettings(f"sip:{name}@example.com", able, credentials=credentials))
        return agent

    def sipp(self, name: str, kind: str, target: tuple[str, int], calls: int, *scenario: str) -> None:
        """SIPp does something so many times; fails unless every time goes well."""
        limits = ("-m", str(calls), "-r", "100", "-timeout", "20s", "-timeout_error")
        where = (f"{target[0]}:{target[1]}", "-i", SIPP, "-ci", SIPP, *transport(kind))
        done = self.turned.meanwhile(
            lambda: subprocess.run(
                self.command(name, *where, *limits, *scenario),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=self.folder,
                timeout=40,
                check=False,
            )
        )
        assert done.returncode == 0, (done.stdout.decode(errors="replace")[-3000:], self.heard.mishaps)
        assert self.figure(name, "SuccessfulCall(C)") == calls

    def command(self, name: str, *arguments: str) -> list[str]:
        """A command line of SIPp's, which sends nothing twice either."""
        files = ("-stf", f"{name}.csv", "-error_file", f"{name}.err")
        basics = ("-nostdin", "-nr", "-trace_stat", "-trace_err", "-fd", "60")
        return [require_system("sipp", "sip-tester"), *arguments, *basics, *files]

    def figure(self, name: str, column: str) -> int:
        """A figure of SIPp's."""
        with (self.folder / f"{name}.csv").open() as file:
            *_, row = csv.DictReader(file, delimiter=";")
        return int(row[column])

    @contextmanager
    def callee(self, kind: str) -> Iterator[Target]:
        """SIPp's own callee, for as long as the block runs; it must not have seen anything unexpected."""
        port = free_port_pair(OTHERS)
        command = self.command(
            "uas", "-sn", "uas", "-i", OTHERS, "-ci", OTHERS, "-p", str(port), "-aa", *transport(kind)
        )
        with running(command, self.folder, listens(kind, OTHERS, port)):
            yield Target(kind, OTHERS, port)
        assert self.figure("uas", "FailedUnexpectedMessage(C)") == 0

    @contextmanager
    def kamailio(self, route: str) -> Iterator[int]:
        """Kamailio on UDP and TCP at one port, with this routing logic."""
        port = free_port_pair(KAMAILIO)
        text = CONFIG.replace("ADDRESS", f"{KAMAILIO}:{port}") + textwrap.dedent(route)
        (self.folder / "kamailio.cfg").write_text(text)
        options = ("-DD", "-E", "-m", "32", "-M", "4", "-Y", str(self.folder), "-P", str(self.folder / "pid"))
        command = [require_system("kamailio", "kamailio"), *options, "-f", str(self.folder / "kamailio.cfg")]
        ready = [listens(kind, KAMAILIO, port) for kind in ("UDP", "TCP")]
        with running(command, self.folder, lambda: all(each() for each in ready)):
            yield port

    def ended(self, calls: list[Call]) -> list[End]:
        """How they ended."""
        all_of_them: Deferred[list[Ended]] = gatherResults([call.ended for call in calls])
        return [each.end for each in self.turned.result(all_of_them)]

    def close(self) -> None:
        """Everything of ours."""
        for element in self.elements:
            self.turned.result(Deferred.fromCoroutine(element.close()))


CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:ADDRESS
listen=tcp:ADDRESS
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("rr", "enable_double_rr", 1)
"""


def transport(kind: str) -> tuple[str, str]:
    """SIPp's option."""
    return "-t", "u1" if kind == "UDP" else "t1"


def listens(kind: str, host: str, port: int) -> Callable[[], bool]:
    """Whether somebody does, by what the kernel says."""
    place = "{:02X}{:02X}{:02X}{:02X}:{:04X}".format(*map(int, reversed(host.split("."))), port)
    state = "07" if kind == "UDP" else "0A"
    table = Path(f"/proc/net/{kind.lower()}")
    return lambda: f"{place} 00000000:0000 {state}" in table.read_text()


@contextmanager
def running(command: list[str], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """A process that is ended behind the block."""
    out = folder / "out"
    with (
        out.open("wb") as file,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd=folder
        ) as process,
    ):
        try:
            eventually(f"{command[0]} listens", lambda: ready() or process.poll() is not None, 2 * PATIENCE)
            assert process.poll() is None, out.read_text(errors="replace")[-3000:]
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def stage(turned: Turned, tmp_path: Path) -> Iterator[Stage]:
    """With nobody on it."""
    stage = Stage(turned, tmp_path)
    yield stage
    stage.close()
    assert stage.heard.mishaps == []


@BOTH
def test_sipp_calls_us(stage: Stage, kind: str) -> None:
    """SIPp's own caller: fifty calls, each answered and hung up."""
    bob = stage.agent(kind)
    taken: list[Call] = []
    answer = bob.on_call
    bob.on_call = lambda call: (taken.append(call), answer(call))[-1]
    stage.sipp("uac", kind, bob.element.transport.addresses[0][1], 50, "-sn", "uac")
    assert stage.ended(taken) == [End.REMOTE] * 50
    assert all(call.acknowledged for call in taken)
    assert bob.calls == []


@BOTH
@pytest.mark.parametrize("early", [True, False], ids=["early", "delayed"])
def test_we_call_sipp(stage: Stage, kind: str, early: bool) -> None:
    """SIPp's own callee: twenty calls with an offer or without, a request within each, all hung up by us."""
    alice = stage.agent(kind, "alice")
    with stage.callee(kind) as target:
        calls = [alice.call(f"sip:bob@{OTHERS}:{target.port}", where=[target], early=early) for _ in range(20)]
        for call in calls:
            call.established.addCallback(lambda stood, call=call: call.ask("INFO", (), b""))
            call.where = [target]
        infos = stage.turned.result(gatherResults([call.established for call in calls]))
        assert [each.status for each in infos] == [200] * 20
        for call in calls:
            call.hang_up()
        assert stage.ended(calls) == [End.HUNG_UP] * 20
    assert stage.figure("uas", "IncomingCall(C)") == 20
    assert {call.remote.media[0].codecs[0] for call in calls if call.remote} == {"PCMU/8000"}


@pytest.mark.parametrize(("inside", "outside"), [("UDP", "UDP"), ("TCP", "TCP"), ("UDP", "TCP"), ("TCP", "UDP")])
def test_calls_through_our_proxy(stage: Stage, inside: str, outside: str) -> None:
    """SIPp calls SIPp through our proxy, which stays on the way: ACK and BYE come by its Record-Routes, two of them
    where the transports differ.
    """
    element = stage.element(PROXY, *dict.fromkeys((inside, outside)))
    with stage.callee(outside) as target:
        uri = f"sip:bob@{OTHERS}:{target.port};transport={outside.lower()}"
        settings = ProxySettings(locate_literal(), lambda request, transaction: [Branch(request.with_uri(uri))])
        element.core = proxy = Proxy(element, settings)
        address = element.transport.listening(inside)
        assert address is not None
        stage.sipp("calling", inside, address, 50, "-sf", str(HERE / "calling.xml"))
    assert stage.figure("uas", "IncomingCall(C)") == 50
    came = [method for host, method, _ in stage.heard.requests if host == SIPP]
    assert {method: came.count(method) for method in set(came)} == {"INVITE": 50, "ACK": 50, "BYE": 50}
    assert proxy.pending == 0


ROUTED = """
    request_route {
        if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
        if (has_totag()) {
            if (loose_route()) { t_relay(); exit; }
            if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
            sl_send_reply("404", "Not here");
            exit;
        }
        if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
        record_route();
        $ru = "sip:bob@BOB";
        t_relay();
        exit;
    }
"""


@pytest.mark.parametrize(("caller", "callee"), [("UDP", "UDP"), ("TCP", "TCP"), ("UDP", "TCP")])
def test_call_through_kamailio(stage: Stage, caller: str, callee: str) -> None:
    """Everything of our calls goes through it, once it has put itself on the way: hold, BYE of either side, CANCEL."""
    bob, alice = stage.agent(callee), stage.agent(caller, "alice")
    _, (host, port) = bob.element.transport.addresses[0]
    route = ROUTED.replace("BOB", f"{host}:{port};transport={callee.lower()}")
    with stage.kamailio(route) as place:
        where = [Target(caller, KAMAILIO, place)]
        for hangs_up in (alice, bob):
            call = alice.call("sip:bob@example.com", where=where)
            assert stage.turned.result(call.established)
            call.where = None
            assert call.local is not None
            held = stage.turned.result(call.reinvite(call.local.held()))
            assert isinstance(held, Response)
            assert (held.status, call.remote and call.remote.media[0].direction) == (200, "recvonly")
            other = bob.calls[0]
            (call if hangs_up is alice else other).hang_up()
            assert {*stage.ended([call, other])} == {End.HUNG_UP, End.REMOTE}
        bob.on_call = lambda call: call.ring()
        call = alice.call("sip:bob@example.com", where=where)
        stage.turned.until("it rings", lambda: any(response.status == 180 for response in call.responses))
        ringing = bob.calls[0]
        call.hang_up()
        assert stage.ended([call, ringing]) == [End.CANCELLED, End.CANCELLED]
    assert {host for host, _, _ in stage.heard.requests} == {KAMAILIO}
    assert alice.calls == bob.calls == []


REGISTRAR = """
    modparam("auth", "algorithm", "ALGORITHM")
    request_route {
        if (!is_method("REGISTER")) { sl_send_reply("405", "Only REGISTER"); exit; }
        if (!pv_www_authenticate("example.com", "secret", "0")) {
            www_challenge("example.com", "1");
            exit;
        }
        save("location");
        exit;
    }
"""


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_we_register_at_kamailio(stage: Stage, algorithm: str) -> None:
    """It asks for a password, and takes our answer; a wrong one it does not."""
    phone = stage.agent("UDP", "phone", WHO)
    stranger = stage.agent("UDP", "phone", Credentials("phone", "guessed"))
    with stage.kamailio(REGISTRAR.replace("ALGORITHM", "" if algorithm == "MD5" else algorithm)) as place:
        where = [Target("UDP", KAMAILIO, place)]
        registration = phone.register("sip:example.com", 60, where)
        granted = stage.turned.result(registration.first)
        assert isinstance(granted, Response)
        assert (granted.status, registration.granted) == (200, 60)
        gone = stage.turned.result(registration.stop())
        assert isinstance(gone, Response)
        assert (gone.status, gone.contact) == (200, None)
        refused = stranger.register("sip:example.com", 60, where)
        outcome = stage.turned.result(refused.first)
        refused.abandon()
        assert isinstance(outcome, Response)
        assert outcome.status == 401


def test_sipp_registers_with_us(stage: Stage) -> None:
    """We ask for a password, and take SIPp's answer."""
    registrar = stage.agent("UDP")
    challenge = Challenge("example.com", "a nonce")
    proven: list[bool] = []

    def register(request: Request, transaction: ServerTransaction) -> None:
        proof = request.first("Authorization")
        if proof is None:
            fields = [("WWW-Authenticate", str(challenge))]
            transaction.respond(Response.to_request(request, 401, "", fields, "tag"))
            return
        proven.append(proves(proof, challenge, WHO, "REGISTER"))
        assert not proves(proof, challenge, Credentials("phone", "guessed"), "REGISTER")
        transaction.respond(Response.to_request(request, 200 if proven[-1] else 403, tag="tag"))

    registrar.handlers["REGISTER"] = register
    address = registrar.element.transport.addresses[0][1]
    stage.sipp("registering", "UDP", address, 3, "-sf", str(HERE / "registering.xml"))
    assert proven == [True] * 3
