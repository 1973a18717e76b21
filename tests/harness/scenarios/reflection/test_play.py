"""A phone that registers, on a stage: what that comes to, as facts, and what is left of them with somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from harness.ca import Pki, load_recipes, make, read, write
from harness.peers import traversal_tls
from harness.peers.phone import Phone, PhoneSettings
from harness.peers.traversal_client import Core, CoreSettings
from harness.peers.traversal_server import Edge, EdgeSettings
from harness.peers.traversal_tls import edge_server, phone_client, zone_client, zone_server
from harness.scenarios.nat_reflection import SCENARIOS
from harness.scenarios.reflection.ground import Setting, Way
from harness.scenarios.reflection.play import perform
from harness.scenarios.scenario import Observation, Scenario
from harness.scenarios.stage import Network, Stage
from harness.scenarios.verdict import Outcome, judge
from harness.sip.flow import Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import SLOW, close
from tests.harness.peers.turning import Turned
from tests.harness.scenarios.playing import observed

GOOD = {
    "Route of the SERVICE": "Expressway-C's own",
    "answer to SERVICE": "200 OK",
    "its Warning": "none",
    "connections to its Route": "none",
    "REGISTER at Expressway-C": "comes",
    "answer to REGISTER": "200 OK",
    "call of the phone": "stands",
}
BAD = {
    "Route of the SERVICE": "an address of the firewall",
    "answer to SERVICE": "408 Request Timeout",
    "its Warning": '399 Expressway-C:5061 "Request Timeout"',
    "connections to its Route": "4, all refused",
    "REGISTER at Expressway-C": "never comes",
    "answer to REGISTER": "408 Request Timeout",
    "call of the phone": "never comes",
}
NO_SIGN_OF = {False: "call of the phone", True: "its Warning"}
"""What a form is not told by."""
OTHERS = "127.0.48.7"
"""Where somebody else is."""
BY_KIND = {"TLS": SCENARIOS[0], "TCP": SCENARIOS[2]}


def play(turned: Turned, folder: Path, setting: Setting) -> Observation:
    """What is seen of it."""
    return observed(turned, folder, lambda stage: perform({False: setting}, stage, False))


@pytest.mark.parametrize("kind", ["TLS", "TCP"])
@pytest.mark.parametrize("way", Way)
def test_ways(turned: Turned, tmp_path: Path, kind: str, way: Way) -> None:
    """Source translation alone does the harm."""
    assert play(turned, tmp_path, Setting(way, kind)).facts == (BAD if way is Way.TRANSLATED else GOOD)


@pytest.mark.parametrize(("kind", "facts"), [("TCP", GOOD), ("TLS", BAD)])
def test_alg(turned: Turned, tmp_path: Path, kind: str, facts: dict[str, str]) -> None:
    """An ALG repairs what it can see."""
    assert play(turned, tmp_path, Setting(Way.TRANSLATED, kind, alg=True)).facts == facts


def test_what_is_kept(turned: Turned, tmp_path: Path) -> None:
    """Both logs, in which the SERVICE is there as the document shows it, the capture and the addresses."""
    seen = play(turned, tmp_path, Setting())
    log = seen.logs["Expressway-C"]
    assert log.count('Detail="TCP Connection Failed"') == 4
    assert ";transport=tls;apparent;ds;lr>\n Route: <sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>" in log
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {"addresses.json", "capture.pcapng", "expressway-c.log", "expressway-e.log"}


def test_the_port_is_another_one_too(turned: Turned, tmp_path: Path) -> None:
    """As in the guide, where 27901 became 4401: Expressway-E sees neither address nor port of the Expressway-C."""
    logs = play(turned, tmp_path, Setting()).logs
    ours = re.findall(r'Src-port="(\d+)" Dst-ip="[\d.]+" Dst-port="7003" Detail="TCP Connecting"', logs["Expressway-C"])
    routed = re.findall(r"^ Route: <sip:[\d.]+:(\d+);transport=tls;apparent", logs["Expressway-C"], re.MULTILINE)
    assert len(ours) == len(routed) == 1
    assert ours != routed


Obey = Callable[[str], None]


class Strangers:
    """One part each, played by a peer that runs apart."""

    def __init__(self, turned: Turned, kind: str, pki: Pki) -> None:
        self._turned = turned
        self._kind = kind
        self._pki = pki
        self.closing: list[Phone | Core | Edge] = []
        self.at = (OTHERS, 5061)

    def phone(self) -> Obey:
        """Registers, and calls if it may."""
        phone = Phone(self._turned.reactor, PhoneSettings(), OTHERS, SLOW, phone_client(self._pki, _now()))
        self.closing.append(phone)

        def obey(order: str) -> None:
            place = re.match(
                r"phone: register sip:5011@cucm02.example.local at ([\d.]+):(\d+) over (T..), with ", order
            )
            if place is not None:
                self._where = [Target(place[3], place[1], int(place[2]))]
                phone.register(self._where)
            else:
                assert order.startswith("phone: call sip:5010@cucm02.example.local ")
                call = phone.call("sip:5010@cucm02.example.local", self._where)
                call.established.addCallback(lambda stands: call.hang_up())

        return obey

    def core(self) -> Obey:
        """Connects."""

        def obey(order: str) -> None:
            place = re.match(r"expressway-c: connect .* to ([\d.]+):(\d+) over (T..); CUCM is at ([\d.]+):(\d+)", order)
            assert place is not None, order
            zone, cucm = Target(place[3], place[1], int(place[2])), Target("TCP", place[4], int(place[5]))
            settings = CoreSettings(OTHERS, zone, cucm, {"phone.user": "phone-secret"})
            core = Core(self._turned.reactor, settings, _now, SLOW, zone_client(self._pki, _now()))
            self.closing.append(core)
            core.connect()

        return obey

    def edge(self) -> Obey:
        """Listens, on its own."""
        self.at = OTHERS, free_port_pair(OTHERS)
        settings = EdgeSettings(OTHERS, OTHERS, zone_port=self.at[1], kind=self._kind)
        edge = Edge(self._turned.reactor, settings, _now, SLOW)
        self.closing.append(edge)
        edge.listen(zone_server(self._pki, _now()), edge_server(self._pki, _now()))

        def obey(order: str) -> None:
            pytest.fail(f"is asked for nothing: {order}")

        return obey


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those that everybody knows."""
    folder = tmp_path_factory.mktemp("certificates")
    write(make(load_recipes(), datetime.now(UTC), traversal_tls.RECIPES), folder)
    return folder


@contextmanager
def with_stranger(turned: Turned, folder: Path, part: str, kind: str, certificates: Path) -> Iterator[Stage]:
    """A stage on which somebody else has a part."""
    strangers = Strangers(turned, kind, read(load_recipes(), certificates, traversal_tls.RECIPES))
    obey = {"phone": strangers.phone, "expressway-c": strangers.core, "expressway-e": strangers.edge}[part]()
    with Network() as network:
        yield Stage(turned.reactor, network, folder, {part: strangers.at}, 10.0, obey, certificates)
    close(turned, *strangers.closing)


ATTEMPTS, ROUTE = "connections to its Route", "Route of the SERVICE"


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("kind", BY_KIND)
@pytest.mark.parametrize("part", ["phone", "expressway-c", "expressway-e"])
def test_somebody_else(turned: Turned, tmp_path: Path, certificates: Path, part: str, kind: str, fixed: bool) -> None:
    """What others have seen is evidence enough of one form, and speaks against the other.

    Where an Expressway-C has tried to connect to nobody has seen, nor what an ALG has made of a Route on its way there.
    """
    scenario = BY_KIND[kind]
    with with_stranger(turned, tmp_path, part, kind, certificates) as stage:
        seen = turned.result(Deferred.fromCoroutine(_observe(scenario, stage, fixed)))
    verdict = judge(scenario, fixed, seen)
    assert verdict.verdict is Outcome.PASS, verdict.reason
    asked = {each.what for each in verdict.evidence if not each.what.startswith("log of")}
    unseen = {ATTEMPTS, *([ROUTE] if fixed and kind == "TCP" else [])} if part == "expressway-c" else set()
    assert asked == GOOD.keys() - unseen - {NO_SIGN_OF[fixed]}
    assert judge(scenario, not fixed, seen).verdict is Outcome.FAIL


async def _observe(scenario: Scenario, stage: Stage, fixed: bool) -> Observation:
    return await scenario.observe(stage, fixed)


@pytest.mark.parametrize("part", ["phone", "expressway-c"])
def test_nobody_comes(turned: Turned, tmp_path: Path, part: str) -> None:
    """Which is not the failure that is looked for."""
    with Network() as network:
        stage = Stage(turned.reactor, network, tmp_path, {part: (OTHERS, 9)}, wait=0.1)
        seen = turned.result(Deferred.fromCoroutine(_observe(BY_KIND["TCP"], stage, False)))
    assert judge(BY_KIND["TCP"], False, seen).verdict is Outcome.FAIL
