"""Expressway-C and Expressway-E with user agents at both ends: calls through, refusals, keep-alives, and any bytes."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from random import Random

import pytest
from twisted.internet.defer import Deferred

from harness.fuzz.filling import Filling
from harness.fuzz.torture_set import TOPICS
from harness.scenarios.stage import Network
from harness.sip.agent import AnswerPolicy
from harness.sip.call import Call
from harness.sip.call_states import End
from harness.sip.exchange import NoResponse
from harness.sip.message import Response
from harness.sip.uri import Address
from tests.harness.peers.expressways import TRAVERSAL_PORT, WEST, Endpoint, Pair
from tests.harness.peers.turning import Turned

BOB, ALICE = "sip:bob@example.com", "sip:alice@example.net"


@pytest.fixture
def network() -> Iterator[Network]:
    """Of the test's own."""
    with Network() as network:
        yield network


@pytest.fixture
def pair(turned: Turned, network: Network) -> Iterator[Pair]:
    """Both Expressways at work."""
    pair = Pair(turned, network).open()
    yield pair
    pair.close()


def final(pair: Pair, call: Call) -> Response:
    """The answer to a call."""
    pair.turned.result(call.established)
    return next(each for each in call.responses if not each.provisional)


def there_and_back(pair: Pair, call: Call, callee: Endpoint) -> None:
    """A call that is answered and acknowledged; a request of the callee's in the dialog; BYE of the caller's."""
    call.where = None
    assert pair.turned.result(call.established)
    (other,) = [each for each in callee.agent.calls if each.request.call_id == call.request.call_id]
    pair.turned.until("the ACK arrives", lambda: other.acknowledged)
    info = pair.turned.result(other.ask("INFO"))
    assert isinstance(info, Response)
    assert info.status == 200
    call.hang_up()
    assert pair.turned.result(call.ended).end is End.HUNG_UP
    assert pair.turned.result(other.ended).end is End.REMOTE


def test_a_call_inwards(pair: Pair) -> None:
    """From outside to a neighbor of Expressway-C, over the connection that Expressway-C has made."""
    call = pair.outside.agent.call(BOB, where=pair.into_expe)
    there_and_back(pair, call, pair.west)
    connections = pair.expe.element.transport.connections
    inside = [each for each in connections if each.remote[0] == pair.network.host(2)]
    assert [each.serves for each in inside] == [True]


def test_neighbors_are_asked(pair: Pair) -> None:
    """Each by one OPTIONS; one that is gone is told."""
    ask = pair.expc.ask_neighbors
    assert pair.turned.result(Deferred.fromCoroutine(ask()))
    assert pair.log("expc").count("Receive Response Code=200, Method=OPTIONS") >= 2
    pair.turned.result(Deferred.fromCoroutine(pair.east.element.close()))
    assert not pair.turned.result(Deferred.fromCoroutine(ask()))


def test_a_call_outwards(pair: Pair) -> None:
    """From a neighbor of Expressway-C to one of Expressway-E, which DNS knows."""
    there_and_back(pair, pair.west.agent.call(ALICE, where=pair.into_expc), pair.outside)


def test_what_a_request_looks_like(pair: Pair) -> None:
    """Zones in the Vias, two Record-Routes for each Expressway, the same number in both, and fewer hops to go."""
    call = pair.outside.agent.call(BOB, where=pair.into_expe)
    there_and_back(pair, call, pair.west)
    (invite,) = pair.west.invites()
    egress = [via.params.get("egress-zone") for via in invite.vias]
    ingress = [via.params.get("ingress-zone") for via in invite.vias]
    assert egress == ["West", "TraversalZone", None]
    assert ingress == [None, "TraversalZone", "Outside"]
    numbers = [via.params.get("proxy-call-id") for via in invite.vias[:2]]
    routes = invite.values("Record-Route")
    hosts = pair.network
    ends = [(2, 5060), (2, 5060), (3, TRAVERSAL_PORT), (3, 5060)]
    assert [re.sub(r"[0-9a-f-]{36}", "N", route) for route in routes] == [
        f"<sip:proxy-call-id=N@{hosts.host(host)}:{port};transport=tcp;lr>" for host, port in ends
    ]
    assert all(number in route for number, route in zip((numbers[0],) * 2 + (numbers[1],) * 2, routes, strict=True))
    assert invite.number("Max-Forwards") == 14
    assert invite.uri == BOB
    assert not invite.values("Route")


def test_parameters_get_lost_where_a_zone_does_not_keep_them(pair: Pair) -> None:
    """The zone of the neighbor outside has the mode off, the others have it on."""
    contact = f"<sip:bob@{pair.network.host(WEST)}:5060;transport=tcp>"
    fields = [("Contact", f"{contact};call-type=squared")]
    there_and_back(pair, pair.west.agent.call(ALICE, where=pair.into_expc, fields=fields), pair.outside)
    assert f"Contact: {contact};call-type=squared" in pair.log("expe")
    assert pair.outside.invites()[0].values("Contact") == [contact]


def test_a_transform_changes_who_is_called(pair: Pair) -> None:
    """The Request-URI that leaves is the alias that the search was made for."""
    there_and_back(pair, pair.outside.agent.call("sip:robert@example.com", where=pair.into_expe), pair.west)
    assert pair.west.invites()[0].uri == BOB


def test_the_search_goes_on(pair: Pair) -> None:
    """The first zone does not have the alias, the next rule's has it."""
    pair.west.agent.on_call = pair.west.agent.policy(AnswerPolicy(status=404))
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.east)
    assert len(pair.west.invites()) == 1
    log = pair.log("expc")
    refused = log.index("Receive Response Code=404")
    assert log.index("search rule 'west' towards") < refused < log.index("search rule 'east' towards")


def test_the_search_stops(turned: Turned, network: Network) -> None:
    """On a rule that says so, found or not; the answer is the zone's own."""
    pair = Pair(turned, network, progress="Stop").open()
    pair.west.agent.on_call = pair.west.agent.policy(AnswerPolicy(status=404))
    assert final(pair, pair.outside.agent.call(BOB, where=pair.into_expe)).status == 404
    assert not pair.east.invites()
    assert "search rule 'east'" not in pair.log("expc")
    pair.close()


def test_a_busy_callee_is_no_reason_to_go_on(pair: Pair) -> None:
    """Whoever is busy was found."""
    pair.west.agent.on_call = pair.west.agent.policy(AnswerPolicy(status=486))
    assert final(pair, pair.outside.agent.call(BOB, where=pair.into_expe)).status == 486
    assert not pair.east.invites()


def test_nobody_has_it(pair: Pair) -> None:
    """404 with a Warning of our own address, and the events of a call that is rejected."""
    answer = final(pair, pair.outside.agent.call("sip:carol@example.org", where=pair.into_expe))
    assert (answer.status, answer.reason) == (404, "Not Found")
    assert answer.first("Warning") == f'399 {pair.network.host(3)}:5060 "Policy Response"'
    assert answer.first("Server") == "TANDBERG/4135 (X8.10.2)"
    events = re.findall(r'Event="([^"]*)"', pair.log("expe"))
    assert events == ["Call Attempted", "Search Attempted", "Search Completed", "Call Rejected"]
    assert 'Response-code="404"' in pair.log("expe")


def test_a_caller_who_gives_up(pair: Pair) -> None:
    """CANCEL goes all the way."""
    pair.west.agent.on_call = lambda call: call.ring()
    call = pair.outside.agent.call(BOB, where=pair.into_expe)
    pair.turned.until("it rings", lambda: any(each.status == 180 for each in call.responses))
    ringing = pair.west.agent.calls[0]
    call.hang_up()
    assert pair.turned.result(call.ended).end is End.CANCELLED
    assert pair.turned.result(ringing.ended).end is End.CANCELLED


def test_a_route_that_leads_nowhere(pair: Pair) -> None:
    """A SERVICE whose Route is the outside of a NAT: nobody is there, and it is answered with 408 (seed 002)."""
    route = ("Route", f"<sip:{pair.network.host(99)}:4401;transport=tcp;apparent;ds;lr>")
    asked = pair.outside.agent.ask("SERVICE", "sip:serviceserver@example.com", [route], where=pair.into_expc)
    answer = pair.turned.result(asked)
    assert isinstance(answer, Response)
    assert answer.status == 408
    assert answer.first("Warning") == f'399 {pair.network.host(2)}:5060 "Request Timeout"'
    assert 'Dst-port="4401" Detail="TCP Connection Failed"' in pair.log("expc")


def test_keep_alives(turned: Turned, network: Network) -> None:
    """OPTIONS again and again; when the connection is lost, the next one makes a new one, and calls come through."""
    pair = Pair(turned, network, keep_alive=0.05).open()
    asked = "Receive Request Method=OPTIONS"
    turned.until("three OPTIONS", lambda: pair.log("expe").count(asked) >= 3)
    (connection,) = pair.expe.element.transport.connections
    connection.abort()
    before = pair.log("expe").count(asked)
    turned.until("two more", lambda: pair.log("expe").count(asked) >= before + 2)
    (again,) = pair.expe.element.transport.connections
    assert again is not connection
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.west)
    pair.close()


def test_no_expressway_e(turned: Turned, network: Network) -> None:
    """The zone is not active, a call outwards gets 408, and when the other one has started the zone becomes active."""
    pair = Pair(turned, network, keep_alive=0.05)
    pair.expc.listen()
    assert not turned.result(Deferred.fromCoroutine(pair.expc.start()))
    assert final(pair, pair.west.agent.call(ALICE, where=pair.into_expc)).status == 408
    pair.expe.listen()
    turned.result(Deferred.fromCoroutine(pair.expe.start()))
    turned.until("it is active", lambda: "Sending Response Code=200, Method=OPTIONS" in pair.log("expe"))
    there_and_back(pair, pair.west.agent.call(ALICE, where=pair.into_expc), pair.outside)
    pair.close()


def besieged(pair: Pair, name: str, address: Address, pieces: list[bytes], reset: bool = False) -> None:
    """While a stranger sends pieces, each on a connection of its own, until all of these are gone."""
    closed = re.compile(r'Src-ip="127\.0\.0\.1" .* Detail="TCP Connection Closed"')
    pair.turned.meanwhile(sending(address, pieces, reset))
    pair.turned.until("strangers are gone", lambda: len(closed.findall(pair.log(name))) == len(pieces))


def sending(address: Address, pieces: list[bytes], reset: bool = False) -> Callable[[], None]:
    """Each piece on a connection of its own, which is closed behind it, or reset."""

    def send() -> None:
        for piece in pieces:
            with socket.create_connection(address, timeout=5) as connection:
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                try:
                    connection.sendall(piece)
                except OSError:
                    continue

    return send


@pytest.mark.parametrize("port", [5060, TRAVERSAL_PORT])
def test_messages_that_test_a_parser(pair: Pair, port: int) -> None:
    """RFC 4475's, at a port for everybody and at that of the traversal zone: a call comes through afterwards."""
    here = pair.network.host(3), port
    messages = [
        case.probe(Filling(here, (pair.network.host(90), 5060), f"{number:016x}"), f"{number:015x}e").data
        for number, case in enumerate(case for cases in TOPICS.values() for case in cases)
    ]
    besieged(pair, "expe", here, messages)
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.west)


def test_garbage(pair: Pair) -> None:
    """Bytes by chance, always the same."""
    chance = Random(5062)
    pieces = [chance.randbytes(chance.randrange(1, 3000)) for _ in range(40)]
    for name, host in (("expc", 2), ("expe", 3)):
        besieged(pair, name, (pair.network.host(host), 5060), pieces)
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.west)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_connection_that_ends_anywhere(pair: Pair, reset: bool) -> None:
    """In the middle of an INVITE, or behind it before it is answered."""
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.west)
    whole = pair.outside.messages.requests("INVITE", sent=True)[0].to_bytes()
    pieces = [
        whole[:stop].replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d" % stop)
        for stop in (*range(1, len(whole), 97), len(whole))
    ]
    answer = pair.west.agent.on_call
    pair.west.agent.on_call = pair.west.agent.policy(AnswerPolicy(status=486))
    besieged(pair, "expe", (pair.network.host(3), 5060), pieces, reset)
    pair.west.agent.on_call = answer
    there_and_back(pair, pair.outside.agent.call(BOB, where=pair.into_expe), pair.west)


def test_a_zone_that_goes_away_in_a_call(pair: Pair) -> None:
    """The traversal connection is cut while it rings: the caller hears a final answer, and nothing is left pending."""
    pair.west.agent.on_call = lambda call: call.ring()
    call = pair.outside.agent.call(BOB, where=pair.into_expe)
    pair.turned.until("it rings", lambda: any(each.status == 180 for each in call.responses))
    for connection in pair.expc.element.transport.connections:
        connection.abort()
    assert final(pair, call).status == 408
    outcome = pair.turned.result(pair.outside.agent.ask("OPTIONS", f"sip:{pair.network.host(3)}", where=pair.into_expe))
    assert not isinstance(outcome, NoResponse)


def test_closing_in_a_call(pair: Pair) -> None:
    """An Expressway that ends while it rings leaves nothing behind, neither socket nor timer."""
    pair.west.agent.on_call = lambda call: call.ring()
    call = pair.outside.agent.call(BOB, where=pair.into_expe)
    pair.turned.until("it rings", lambda: any(each.status == 180 for each in call.responses))
    for peer in (pair.expe, pair.expc):
        pair.turned.result(Deferred.fromCoroutine(peer.close()))
    assert not any(not each.provisional for each in call.responses)
