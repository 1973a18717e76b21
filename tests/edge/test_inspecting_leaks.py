"""What inspected connections leave behind in a proxy: nothing, and what OpenSSL holds for them goes with them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.defer import Deferred

from alg.config import AlgConfig
from alg.connection import Alg, AlgConnection
from alg.edge.crossing import Crossing, Leg
from alg.edge.entrance import Listener
from alg.edge.inspecting import InspectedCrossing, ListenerInspection
from alg.edge.proxy import AlgProxy
from alg.edge.terminating import TerminatedCrossing, Terminator
from alg.tls.bridge import Bridge, Inspector
from alg.tls.inspection import Inspection
from alg.tls.issuer import Issuer
from alg.tls.policy import BridgePolicy, Identity
from alg.tls.rules import Rule
from tests.edge.messages import INSIDE, options
from tests.edge.sockets import LOOPBACK
from tests.edge.terminated import FIREWALL
from tests.edge.tls_ends import Answerer, Papers, call
from tests.harness.peers.turning import Turned
from tests.helpers.system import PATIENCE

OF_OPENSSL = (SSL.Connection, SSL.Context, Bridge, TerminatedCrossing, Inspection, InspectedCrossing)
"""Large where Python's garbage collector does not see it: kept for this long, a connection costs tens of kilobytes."""
OF_CONNECTIONS = (*OF_OPENSSL, Crossing, Leg, AlgConnection)
WARMING, MORE = 2, 6


def alive(kinds: tuple[type, ...]) -> Counter[str]:
    """How many objects there are of each kind."""
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in kinds)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends."""
    return Papers(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def only_reactor() -> Turned:
    """Of all tests here."""
    return Turned()


@pytest.fixture
def turned(only_reactor: Turned) -> Iterator[Turned]:
    """In which nothing may be left, and no exception may escape."""
    with only_reactor.watched():
        yield only_reactor


def terminator(papers: Papers) -> Terminator:
    """With the firewall's CA."""
    files = [Path(papers.path(name)).read_bytes() for name in (FIREWALL, "firewall-root.key")]
    inspector = Inspector(Issuer(Identity.parse(files[0], files[1], "ca")), BridgePolicy())
    return Terminator(inspector, lambda: datetime.now(UTC), lambda line: None)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "rule", ["pass", "terminate", "reset:client-hello", "reset:client-finished", "delay:server-hello:0.01"]
)
def test_nothing_is_left(turned: Turned, papers: Papers, rule: str, version: str) -> None:
    """Behind the last connection there is as much as behind the first ones."""
    trust = FIREWALL if rule == "terminate" else "roots.pem"
    client, server = papers.client(version, trust), papers.server(version, trust)
    proxy = AlgProxy(turned.reactor, Alg(AlgConfig()))
    with closing(Answerer(server)) as far:
        target = LOOPBACK, int(far.address.partition(":")[2])
        inspection = ListenerInspection((Rule.parse(rule),), terminator(papers))
        _, port = proxy.listen(Listener((LOOPBACK, 0), target), inspection)

        def meet() -> str:
            far.expect()
            said = call(client, port, data=options(INSIDE))
            far.word()
            return said

        words = {turned.meanwhile(meet) for _ in range(WARMING)}
        turned.until("the first ones are over", lambda: not len(proxy))
        gc.collect()
        before, gc_was_on = alive(OF_CONNECTIONS), gc.isenabled()
        gc.disable()
        try:
            words |= {turned.meanwhile(meet) for _ in range(MORE)}
            turned.until("all are over", lambda: not len(proxy))
            at_once = alive(OF_OPENSSL)
        finally:
            if gc_was_on:
                gc.enable()
        gc.collect()
        assert alive(OF_CONNECTIONS) == before
        assert at_once == Counter({kind: count for kind, count in before.items() if kind in names(OF_OPENSSL)})
        turned.result(Deferred.fromCoroutine(stopped(proxy)))
    assert words == {"reset" if rule.startswith("reset") else "ok"}


def test_silence_ends(turned: Turned, papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that waits for ever is given up some time after its client has gone, with a FIN."""
    monkeypatch.setattr("alg.edge.crossing._SILENCE", 0.2)
    proxy = AlgProxy(turned.reactor, Alg(AlgConfig()))
    with closing(Answerer(papers.server("1.2"), PATIENCE)) as far:
        target = LOOPBACK, int(far.address.partition(":")[2])
        rule = Rule.parse("reset:client-finished:inside")
        _, port = proxy.listen(Listener((LOOPBACK, 0), target), ListenerInspection((rule,)))
        far.expect()
        assert turned.meanwhile(lambda: call(papers.client("1.2"), port)) == "reset"
        turned.until("the server is given up", lambda: not len(proxy))
        assert far.word() == "eof"
        turned.result(Deferred.fromCoroutine(stopped(proxy)))


def names(kinds: tuple[type, ...]) -> set[str]:
    """What they are called."""
    return {kind.__name__ for kind in kinds}


async def stopped(proxy: AlgProxy) -> None:
    """It listens no more."""
    await proxy.stop()
