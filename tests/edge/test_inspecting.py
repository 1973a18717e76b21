"""TLS inspection of `sipalg proxy`, as Python's `ssl` on both sides experiences it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, options
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive, receive_all
from tests.edge.terminated import Firewall, listener, running_firewall, tls_section, told
from tests.edge.tls_ends import SERVER_NAME, SOON, Answerer, Outcome, Papers, call
from tests.helpers.system import ProxyProcess, eventually, running_proxy

POINTS = (
    "client-hello",
    "server-hello",
    "server-certificate",
    "certificate-request",
    "client-certificate",
    "client-finished",
    "application-data",
)
DELAY = "delay:client-hello:0.3"
RULES = ("reset:client-hello", "terminate", "drop:client-finished", "alg-blind", DELAY)
"""Of a proxy that has a listener for each."""
VISIBLE_IN_1_3 = ("client-hello", "server-hello", "client-finished")


class Meet(Protocol):
    """One connection under these rules; what else there is goes to `Firewall.meet`."""

    def __call__(self, version: str, *rules: str, **more: Any) -> Outcome:
        """How both ends fared."""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of both ends."""
    return Papers(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def firewall(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firewall]:
    """For all tests that ask nothing special of it."""
    with running_firewall(tmp_path_factory.mktemp("inspecting"), papers) as found:
        yield found


@pytest.fixture
def meet(firewall: Firewall) -> Meet:
    """One connection at a time."""

    def one(version: str, *rules: str, **more: Any) -> Outcome:
        firewall.obey(*rules)
        return firewall.meet(firewall.papers.client(version), firewall.papers.server(version), **more)

    return one


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_pass_is_the_default(meet: Meet, firewall: Firewall, version: str) -> None:
    """Mutual TLS stands, and the events tell what was seen of it."""
    assert meet(version) == Outcome("ok", "ok")
    seen = [event["message"] for event in firewall.story if event["event"] == "tls"]
    assert seen[:2] == ["client-hello", "server-hello"]
    assert ("client-certificate" in seen) is (version == "1.2")
    (hello,) = [event for event in firewall.story if event.get("message") == "client-hello"]
    assert hello["sni"] == "callservice.ciscospark.com"
    assert firewall.deeds() == []


@pytest.mark.parametrize("point", POINTS)
def test_reset_of_both_sides(meet: Meet, firewall: Firewall, point: str) -> None:
    """Each end sees its connection reset, at whichever point."""
    assert meet("1.2", f"reset:{point}") == Outcome("reset", "reset")
    assert [deed["at"] for deed in firewall.deeds()] == [point]


@pytest.mark.parametrize("point", VISIBLE_IN_1_3)
def test_reset_of_both_sides_in_tls_1_3(meet: Meet, point: str) -> None:
    """The points that show there."""
    assert meet("1.3", f"reset:{point}") == Outcome("reset", "reset")


@pytest.mark.parametrize("point", sorted(set(POINTS) - set(VISIBLE_IN_1_3)))
def test_points_that_tls_1_3_hides(meet: Meet, firewall: Firewall, point: str) -> None:
    """Nothing is guessed: the connection passes, and an event says why."""
    assert meet("1.3", f"reset:{point}") == Outcome("ok", "ok")
    assert [deed["reason"] for deed in firewall.deeds()] == [f"{point} is encrypted in TLS 1.3"]


def test_the_inside_is_reset_and_the_outside_hears_nothing(meet: Meet, firewall: Firewall) -> None:
    """What seed 003 found of a firewall's application inspection."""
    outcome = meet("1.2", "reset:client-finished:inside", server_waits=SOON)
    assert outcome == Outcome("reset", "timeout")
    (deed,) = firewall.deeds()
    assert (deed["action"], deed["towards"], deed["elsewhere"]) == ("reset", ["inside"], "silence")


def test_a_fin_for_the_side_that_is_not_reset(meet: Meet, firewall: Firewall) -> None:
    """The other side sees an end of stream in place of silence."""
    assert meet("1.2", "reset:client-finished:inside:fin") == Outcome("reset", "eof")


def test_reset_of_the_outside(meet: Meet) -> None:
    """The other way round."""
    assert meet("1.2", "reset:client-finished:outside", client_waits=SOON) == Outcome("timeout", "reset")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("point", ["client-hello", "client-finished"])
def test_drop_leaves_both_ends_waiting(meet: Meet, firewall: Firewall, version: str, point: str) -> None:
    """Timeouts instead of errors; in TLS 1.3 the client has its handshake done by then and waits for the answer."""
    outcome = meet(version, f"drop:{point}", client_waits=SOON, server_waits=SOON)
    assert outcome == Outcome("timeout", "timeout")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_delay(meet: Meet, version: str) -> None:
    """Late, and whole."""
    start = time.monotonic()
    assert meet(version, "delay:server-hello:0.4", data=bytes(100_000)) == Outcome("ok", "ok")
    assert time.monotonic() - start >= 0.4


def test_an_end_that_comes_during_a_delay(firewall: Firewall, several: ProxyProcess, upstream: Upstream) -> None:
    """It waits behind what was said before it."""
    said = hello(firewall.papers)
    with closing(connect(several.ports[RULES.index(DELAY)])) as client, closing(upstream.accept()) as server:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(server) == said


def test_a_hello_that_ends_in_the_middle(firewall: Firewall, several: ProxyProcess, upstream: Upstream) -> None:
    """Nobody knows what to terminate: what came of it goes on as it is, and so does the end."""
    said = hello(firewall.papers)[:100]
    with closing(connect(several.ports[RULES.index("terminate")])) as client, closing(upstream.accept()) as server:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(server) == said


def hello(papers: Papers) -> bytes:
    """What a client says first."""
    said = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        papers.client("1.3").wrap_bio(ssl.MemoryBIO(), said, server_hostname=SERVER_NAME).do_handshake()
    return said.read()


def test_byte_counts(meet: Meet, firewall: Firewall) -> None:
    """A reset in the middle of a record."""
    assert meet("1.2", "reset:after:400") == Outcome("reset", "reset")
    (deed,) = firewall.deeds()
    assert deed["offset"] == 400


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_blind_fixups_show_as_bad_record_mac(meet: Meet, firewall: Firewall, version: str) -> None:
    """The receiver of what was touched says so, and so does the one whom its alert reaches, touched or not."""
    outcome = meet(version, "alg-blind", data=bytes(20_000))
    said = {outcome.client, outcome.server}
    assert "decryption failed or bad record mac" in said
    assert all(word == "reset" or "bad record mac" in word for word in said)
    assert {deed["action"] for deed in firewall.deeds()} == {"alg-blind"}


def test_the_nth_connection(papers: Papers, start_proxy: StartProxy) -> None:
    """Only that one."""
    with closing(Answerer(papers.server("1.3"))) as server:
        rule = ("--tls-inspect", "reset:client-hello,nth=2")
        proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", server.address, *rule)
        words = []
        for _ in range(3):
            server.expect()
            words.append(call(papers.client("1.3"), proxy.port))
            server.word()
    assert words == ["ok", "reset", "ok"]


def test_limits_by_name_and_direction(meet: Meet) -> None:
    """The first rule that fits decides; those that do not fit do nothing."""
    rules = ("reset:client-hello,sni=*.example.com", "reset:client-hello,direction=inward", "pass,sni=callservice.*")
    assert meet("1.3", *rules, "reset:server-hello") == Outcome("ok", "ok")


def test_direction_is_the_clients(papers: Papers, start_proxy: StartProxy) -> None:
    """Of a client outside it is inward, and what is meant for the outside reaches that client."""
    with closing(Answerer(papers.server("1.2"), SOON)) as server:
        rule = ("--tls-inspect", "reset:client-finished:outside,direction=inward")
        proxy = start_proxy("--listen", f"{LOOPBACK}:0", "--to", server.address, "--side", "outside", *rule)
        server.expect()
        assert call(papers.client("1.2"), proxy.port) == "reset"
        assert server.word() == "timeout"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Where connections in clear go."""
    with closing(Upstream()) as here:
        yield here


@pytest.fixture(scope="module")
def several(papers: Papers, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    """A listener for each of the rules."""
    config = tmp_path_factory.mktemp("several") / "sipalg.toml"
    places = "".join(listener(upstream.address, rule) for rule in RULES)
    config.write_text(tls_section(papers) + places)
    with running_proxy("--config", str(config), "--map", MAP, listeners=len(RULES)) as proxy:
        yield proxy


@pytest.mark.parametrize("rule", RULES)
def test_sip_in_clear_is_rewritten_as_ever(several: ProxyProcess, upstream: Upstream, rule: str) -> None:
    """What is no TLS goes through the ALG, held back by nobody."""
    with closing(connect(several.ports[RULES.index(rule)])) as client:
        server = upstream.accept()
        for piece in (options(INSIDE)[:1], options(INSIDE)[1:50], options(INSIDE)[50:]):
            client.sendall(piece)
        assert receive(server, len(options(OUTSIDE))) == options(OUTSIDE)
        server.sendall(options(OUTSIDE))
        server.close()
        assert receive_all(client) == options(INSIDE)


def test_rules_are_switched_live(papers: Papers, start_proxy: StartProxy, tmp_path: Path) -> None:
    """SIGHUP takes up the rules of the file for new connections; a file that makes no sense changes nothing."""
    config = tmp_path / "sipalg.toml"
    with closing(Answerer(papers.server("1.3"))) as server:

        def write(rule: str) -> None:
            config.write_text(
                f'[[listener]]\nlisten = "{LOOPBACK}:0"\nto = "{server.address}"\ntls_inspect = ["{rule}"]\n'
            )

        def attempt() -> str:
            server.expect()
            word = call(papers.client("1.3"), proxy.port)
            server.word()
            return word

        write("pass")
        proxy = start_proxy("--config", str(config))
        assert attempt() == "ok"
        write("reset:client-hello")
        proxy.reload()
        assert attempt() == "reset"
        write("reset:hello")
        proxy.reload("configuration kept")
        assert "[[listener]] 1 tls_inspect reset:hello: 'hello' is none of" in proxy.errors
        assert attempt() == "reset"


def test_peers_that_leave_a_silent_connection(start_proxy: StartProxy, upstream: Upstream, tmp_path: Path) -> None:
    """A connection that was dropped is gone when both ends have closed, and not before."""
    events = tmp_path / "events.jsonl"
    arguments = ("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--events", str(events))
    proxy = start_proxy(*arguments, "--tls-inspect", "drop:after:5")
    client = connect(proxy.port)
    server = upstream.accept()
    client.sendall(b"0123456789")
    assert receive(server, 5) == b"01234"
    server.sendall(b"nobody hears that")
    client.close()
    assert all(event["event"] != "closed" for event in told(events))
    server.close()
    eventually("closed", lambda: told(events)[-1]["event"] == "closed")
    assert told(events)[-1]["reason"] == "tls inspection: drop:after:5"
