"""What an Expressway decides about a request: branches, refusals, and what the log says meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from msgspec import structs

from harness.expressway import patterns
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.settings import Action, Expressway, PolicyRule
from harness.peers.expressway_search import MADE_HERE, CallRouter
from harness.peers.expressway_zones import ZoneDirectory
from harness.sip.flow import Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Refuse
from harness.sip.resolve import NotFound, Resolver
from harness.sip.uri import NameAddr, SipUri
from tests.harness.expressway.configurations import AND_SO_ON, ENDLESS, TRAVERSAL, expressway_c, expressway_e
from tests.harness.peers.expressways import Records
from tests.harness.peers.test_expressway_zones import inbound, result
from tests.harness.sip.fake_flow import FakeFlow
from tests.harness.sip.network import Network
from tests.harness.sip.samples import request as sample
from tests.harness.sip.samples import response

HERE = "192.0.2.3"
ROUTE = "<sip:cucm.rtp.example.net;lr>"


class Transaction:
    """As far as a router needs one."""

    def __init__(self, request: Request, flow: FakeFlow) -> None:
        self.request = request
        self.flow = flow
        self.answers: list[int] = []

    def respond(self, response: Response) -> None:
        """Keep the status."""
        self.answers.append(response.status)


class Router:
    """One at work in memory."""

    def __init__(self, expressway: Expressway, zone: str = TRAVERSAL) -> None:
        self.network = Network()
        self.element = self.network.element(HERE, "TCP")
        transport: Any = self.element.transport
        transport.connections = []
        self.records = Records()
        self.sink = StringIO()
        log = DiagnosticLog(self.sink, "expc", lambda: datetime(2017, 9, 19, tzinfo=UTC))
        directory = ZoneDirectory(expressway, self.records, log)
        resolver = Resolver(self.records, "TCP")
        self.router = CallRouter(self.element, expressway, directory, resolver, self.is_own, log)
        self.flow = inbound("192.0.2.9")
        directory.admit(self.flow.local, self.flow.remote, zone)

    def is_own(self, uri: SipUri) -> bool:
        """Where it listens."""
        return uri.address == (HERE, 5060)

    def route(self, request: Request) -> tuple[Any, Transaction]:
        """The decision, and the transaction."""
        transaction: Any = Transaction(request, self.flow)
        return self.router.route(request, transaction), transaction

    def branches(self, request: Request) -> Sequence[Branch]:
        """Those that it decides for."""
        plan, _ = self.route(request)
        assert isinstance(plan, list)
        return plan

    def locate(self, branch: Branch) -> list[Target]:
        """Where a branch goes, by its topmost Route."""

        async def located() -> list[Target]:
            return await self.router.locate(NameAddr.parse(branch.request.values("Route")[0]).sip)

        return result(located())

    def log(self) -> list[str]:
        """What was said of searches and policy."""
        return re.findall(r'Detail="(Search rule[^"]*|Considering[^"]*|CPL: .*)"\n', self.sink.getvalue())


def invite(uri: str = "sip:bob@rtp.example.net", **fields: str) -> Request:
    """From Webex."""
    return sample("INVITE", **fields).with_uri(uri)


def test_a_preloaded_route_is_searched_for() -> None:
    """The rule that matches it is a branch; the Request-URI and the Route stay as they are."""
    router = Router(expressway_c())
    (branch,) = router.branches(invite(Route=ROUTE))
    assert branch.request.uri == "sip:bob@rtp.example.net"
    assert branch.request.values("Route")[1:] == [ROUTE]
    assert not any(line.startswith("Considering search rule 'Hybrid") for line in router.log())
    assert router.locate(branch) == [Target("TCP", "192.168.1.21", 5065, "192.168.1.21")]
    assert router.log()[-1] == (
        "Considering search rule 'Hybrid Call Service Inbound Routing' towards target 'CUCM11' at priority '2' with "
        "alias 'cucm.rtp.example.net;lr'"
    )
    assert "search rule 'as is local' towards target 'LocalZone' at priority '1'" in router.log()[-2]


def test_what_leaves() -> None:
    """Without the Route that named the rule, marked with zones."""
    router = Router(expressway_c())
    (branch,) = router.branches(invite(Route=ROUTE))
    assert branch.finish is not None
    leaves = FakeFlow(True, "TCP", (HERE, 41000), ("192.168.1.21", 5065))
    finished = branch.finish(branch.request.push("Via", f"SIP/2.0/TCP {HERE}:5060;branch=z9hG4bKn;rport"), leaves)
    assert finished.values("Route") == [ROUTE]
    assert [via.params.get("egress-zone") for via in finished.vias] == ["CUCM11", None]
    assert finished.vias[1].params.get("ingress-zone") == "HybridCallServiceTraversal"
    assert len(finished.values("Record-Route")) == 2
    assert finished.number("Max-Forwards") == 15


def test_a_preloaded_route_is_rejected() -> None:
    """404, and no rule is looked at."""
    router = Router(expressway_c(preloaded="Off"))
    plan, transaction = router.route(invite(Route=ROUTE))
    assert plan == Refuse(404, "Not Found")
    assert router.log() == []
    answer = router.router.on_response(refused(transaction, 404), router.flow)
    assert answer.first("Warning") == f'399 {HERE}:5060 "Policy Response"'
    said = router.sink.getvalue()
    assert 'Event="Search Completed" Reason="Not Found"' in said
    assert 'Event="Call Rejected"' in said


def refused(transaction: Any, status: int) -> Response:
    """As the proxy makes it."""
    answer = response(transaction.request, status)
    return answer.put("Warning", f'399 {MADE_HERE} "{answer.reason}"')


def test_policy_comes_first() -> None:
    """403; network.cpl says which rule, network.search nothing."""
    router = Router(expressway_e(source=".*", destination=r".*@dmzlab\.call\.ciscospark\.com.*"))
    plan, _ = router.route(invite("sip:bob-test@dmzlab.call.ciscospark.com"))
    assert plan == Refuse(403, "Forbidden")
    assert router.log()[-1] == "CPL: <reject/> "
    assert not any("search rule" in line.lower() for line in router.log())


def test_rules_in_their_order() -> None:
    """Each is considered when its turn has come, and DNS asked only then; what is not found is told so."""
    router = Router(expressway_e(priority=101))
    (branch,) = router.branches(invite("sip:bob-test@dmzlab.call.ciscospark.com"))
    assert not any(line.startswith("Considering") for line in router.log())
    with pytest.raises(NotFound):
        router.locate(branch)
    assert router.log()[-1].startswith("Considering search rule 'to DNS' towards target 'DNS' at priority '100'")
    assert "Could not resolve hostname" in router.sink.getvalue()


def test_nothing_matches() -> None:
    """404."""
    router = Router(expressway_c(), zone="CUCM11")
    plan, _ = router.route(invite("sip:carol@example.org"))
    assert plan == Refuse(404)


def test_an_address_that_is_no_sip_uri() -> None:
    """416."""
    plan, _ = Router(expressway_c()).route(invite("tel:+15551234"))
    assert plan == Refuse(416)


def test_options_for_us() -> None:
    """Answered here."""
    plan, transaction = Router(expressway_c()).route(sample("OPTIONS").with_uri(f"sip:{HERE}"))
    assert plan is None
    assert transaction.answers == [200]


def test_other_requests_go_where_their_route_says() -> None:
    """A SERVICE with the apparent address of somebody behind a NAT (seed 002)."""
    (branch,) = Router(expressway_c()).branches(sample("SERVICE", Route="<sip:64.100.0.10:4401;transport=tls;lr>"))
    assert branch.request.values("Route") == ["<sip:64.100.0.10:4401;transport=tls;lr>"]
    assert (branch.where, branch.finish) == (None, None)


def test_connections_are_used_again() -> None:
    """Whoever has sent something is reached by what it called itself, until its connection is gone."""
    router = Router(expressway_c())
    uri = SipUri.parse("sip:192.0.2.1:5060;transport=tcp")

    async def located() -> list[Target]:
        return await router.router.locate(uri)

    assert result(located()) == [Target("TCP", "192.0.2.1", 5060)]
    router.router.came(sample(), router.flow)
    assert result(located()) == [Target("TCP", *router.flow.remote)]
    router.router.forget(router.flow)
    assert result(located()) == [Target("TCP", "192.0.2.1", 5060)]


def test_answers_of_others_stay_as_they_are() -> None:
    """Only what was made here gets our names."""
    answer = response(sample(), 404, Warning='399 192.0.2.50 "Not Found"')
    assert Router(expressway_c()).router.on_response(answer, inbound("192.0.2.9")) == answer


def test_what_an_answer_made_here_says() -> None:
    """Policy Response for what was searched in vain, else its own words."""
    router = Router(expressway_c())
    transaction: Any = Transaction(sample("SERVICE"), router.flow)
    answer = router.router.on_response(refused(transaction, 408), router.flow)
    assert answer.first("Warning") == f'399 {HERE}:5060 "Request Timeout"'


def test_a_pattern_that_nobody_can_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request goes on as if the rule did not match, and the log says why."""
    monkeypatch.setattr(patterns, "LIMIT", 0.01)
    endless = PolicyRule(destination=ENDLESS, action=Action.REJECT)
    router = Router(structs.replace(expressway_c(), policy_rules=(endless,)), zone="CUCM11")
    plan, _ = router.route(invite(f"sip:{AND_SO_ON}"))
    assert plan == Refuse(404)
    assert f'Level="ERROR":  Detail="call policy rule 1: {ENDLESS!r} compared with' in router.sink.getvalue()
