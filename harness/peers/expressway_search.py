"""How an Expressway decides where a request goes: zone, preloaded Route, transforms, policy, search rules.

Strategy: `harness.expressway.search` makes the plan; here it is walked. Each rule that is to be considered becomes a
branch, whose topmost Route is one of our own that names the rule: the proxy comes to it when the branches before have
failed, and only then the zone is asked, DNS is looked up and the log says so. The Route never leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from twisted.internet.defer import Deferred

from alg.errors import SipSyntaxError
from harness.expressway.log import calls, network
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.routes import Way, decide_route
from harness.expressway.search import Candidate, Plan, Rejection, plan, without_scheme
from harness.expressway.search import Request as Search
from harness.expressway.settings import AuthenticationMode, Expressway, LocalZone, Zone
from harness.peers import expressway_changes as changes
from harness.peers.expressway_zones import ZoneDirectory
from harness.sip import proxying
from harness.sip.element import Element
from harness.sip.flow import Flow, Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Refuse
from harness.sip.resolve import NotFound, Resolver
from harness.sip.server import ServerTransaction
from harness.sip.uri import Address, SipUri

MADE_HERE = "here"
"""Stands in a Warning for our own address until it is known which one that is."""
_RULE = "x-search"
_POLICY = "Policy Response"
_PRODUCT = "TANDBERG/4135 (X8.10.2)"
_NOT_FOUND_ELSEWHERE = frozenset((404, 408, 480, 484, 503))
"""Answers of a zone behind which the search goes on, if the rule says so."""


@dataclass(slots=True)
class _Searching:
    """One request whose search has begun."""

    call: calls.Call
    flow: Flow
    """That it came by."""
    plan: Plan
    found: bool = False


@dataclass(slots=True)
class _Step:
    """A rule whose turn may come."""

    searching: _Searching
    candidate: Candidate
    zone: Zone


@dataclass(slots=True)
class _Known:
    """What is remembered between the messages of a call."""

    searches: dict[str, _Searching] = field(default_factory=dict)
    """By Call-ID, until there is a final response."""
    steps: dict[str, _Step] = field(default_factory=dict)
    """By what our own Routes say."""
    flows: dict[Address, Flow] = field(default_factory=dict)
    """Connections by what those who made them call themselves in Via."""


class CallRouter:
    """The routing of one Expressway; makes the settings of its proxy."""

    def __init__(
        self,
        element: Element,
        expressway: Expressway,
        directory: ZoneDirectory,
        resolver: Resolver,
        is_own: Callable[[SipUri], bool],
        log: DiagnosticLog,
    ) -> None:
        """`is_own` tells which URIs are those of this Expressway."""
        self._element = element
        self._expressway = expressway
        self._directory = directory
        self._resolver = resolver
        self._is_own = is_own
        self._log = log
        self._numbers = count(1)
        self._known = _Known()

    def settings(self) -> proxying.ProxySettings:
        """Of the proxy."""
        return proxying.ProxySettings(
            self.locate,
            self.route,
            is_own=self._is_own,
            continue_on=lambda response: response.status in _NOT_FOUND_ELSEWHERE,
            status_of=lambda trouble: 404 if isinstance(trouble, NotFound) else 408,
            warning=MADE_HERE,
        )

    def came(self, request: Request, flow: Flow) -> None:
        """A request came: whoever sent it is reached by its connection from now on."""
        if flow.reliable:
            self._known.flows[request.via.sent_by] = flow

    def forget(self, flow: Flow) -> None:
        """A connection is gone."""
        for address in [address for address, known in self._known.flows.items() if known is flow]:
            del self._known.flows[address]

    def route(self, request: Request, transaction: ServerTransaction) -> proxying.Plan:
        """What becomes of a request outside of dialogs."""
        flow = transaction.flow
        zone = self._directory.zone_of(flow)
        routes = request.values("Route")
        try:
            uri = SipUri.parse(request.uri)
        except SipSyntaxError:
            return Refuse(416)
        if request.method == "OPTIONS" and not routes and self._is_own(uri):
            transaction.respond(Response.to_request(request, 200, tag=self._element.tokens.tag()))
            return None
        decision = decide_route(request.method, False, routes, self._element.is_own, zone)
        request = changes.marked_as_come(request, zone)
        if decision.way is Way.FORWARD:
            return [Branch(request)]
        route = decision.uri if decision.way in (Way.SEARCH, Way.REJECT) else None
        return self._search(request, flow, zone, _alias(uri), route)

    def locate(self, uri: SipUri) -> Deferred[list[Target]]:
        """`Locate`: a rule of ours, a connection that stands, an address, or what DNS says."""
        step = self._known.steps.pop(uri.params.get(_RULE) or "", None)
        if step is not None:
            return Deferred.fromCoroutine(self._take(step))
        return self._elsewhere(uri)

    def on_response(self, response: Response, flow: Flow) -> Response:
        """Before a response goes back: one that was made here gets our names, and a line in the event log."""
        searching = self._known.searches.get(response.call_id)
        if not response.provisional and response.cseq.method == "INVITE":
            self._known.searches.pop(response.call_id, None)
        if f"399 {MADE_HERE} " not in (response.first("Warning") or ""):
            return response
        text = _POLICY if response.status in (403, 404) else response.reason
        host, port = self._element.address_on(flow)
        if searching is not None:
            rejection = Rejection(response.status, response.reason, text)
            if not searching.found:
                self._log.write(calls.search_completed(searching.call, rejection))
            self._log.write(calls.call_rejected(searching.call, rejection))
        return response.put("Server", _PRODUCT).put("Warning", f'399 {host}:{port} "{text}"')

    def _search(self, request: Request, flow: Flow, zone: Zone, alias: str, route: str | None) -> proxying.Plan:
        sender = request.sender
        source = _alias(sender.sip) if sender.uri.lower().startswith("sip") else sender.uri
        trusted = not isinstance(zone, LocalZone) and zone.authentication is AuthenticationMode.TREAT_AS_AUTHENTICATED
        wanted = Search(alias, zone.name, trusted, source, route=None if route is None else without_scheme(route))
        found = plan(self._expressway, wanted)
        serial, tag = (str(UUID(hex=self._element.tokens.nonce())) for _ in range(2))
        call = calls.Call(flow.remote, source, alias, serial, tag, flow.kind, trusted, request.method)
        searching = _Searching(call, flow, found)
        if request.method == "INVITE":
            self._known.searches[request.call_id] = searching
        self._log.write(calls.call_attempted(call), calls.search_attempted(call), *network.search_undecided(found))
        self._log.write(*network.policy_lines(found, flow.remote))
        if found.rejection is not None:
            return Refuse(found.rejection.status, found.rejection.reason)
        self._log.write(*network.search_filtered(found))
        # Whoever is registered here is not played: the Local Zone says at once that it has nobody.
        candidates = [candidate for group in found.attempts() for candidate in group]
        while candidates and isinstance(self._target(candidates[0]), LocalZone):
            self._log.write(network.search_considering(found, candidates.pop(0)))
        branches = [self._branch(request, zone, searching, candidate) for candidate in candidates]
        return branches or Refuse(404)

    def _target(self, candidate: Candidate) -> Zone:
        zone = self._expressway.zone(candidate.rule.target)
        assert zone is not None, "search rules were checked when they were loaded"
        return zone

    def _branch(self, request: Request, source: Zone, searching: _Searching, candidate: Candidate) -> Branch:
        """Its topmost Route is ours, and names the rule."""
        zone = self._target(candidate)
        number = str(next(self._numbers))
        self._known.steps[number] = _Step(searching, candidate, zone)
        if searching.plan.request.route is None and candidate.alias != searching.plan.request.alias:
            request = request.with_uri(f"sip:{candidate.alias}")
        routed = request.push("Route", f"<sip:rule.invalid;{_RULE}={number};lr>")
        return Branch(routed, None, False, self._finisher(source, zone, searching, number))

    def _finisher(
        self, source: Zone, zone: Zone, searching: _Searching, number: str
    ) -> Callable[[Request, Flow], Request]:
        came = searching.flow

        def finish(request: Request, leaves: Flow) -> Request:
            if not searching.found:
                searching.found = True
                self._log.write(calls.search_completed(searching.call, None))
            serial = searching.call.serial_number
            request = changes.limited(request.pop("Route"), zone)
            request = changes.marked_as_leaving(request, zone, serial)
            if not changes.preserves_parameters(source, zone):
                request = changes.without_parameters(request)
            if request.method not in ("INVITE", "SUBSCRIBE", "REFER"):
                return request
            came_to, leaves_from = ((flow.kind, self._element.address_on(flow)) for flow in (came, leaves))
            return changes.record_routed(request, serial, came_to, leaves_from)

        return finish

    async def _take(self, step: _Step) -> list[Target]:
        """It is the turn of a rule."""
        self._log.write(network.search_considering(step.searching.plan, step.candidate))
        alias = step.candidate.alias
        if step.searching.plan.request.route is not None:
            alias = alias.partition(";")[0]
        return await self._directory.targets(step.zone, alias)

    def _elsewhere(self, uri: SipUri) -> Deferred[list[Target]]:
        known = self._known.flows.get(uri.address)
        if known is not None and known.open:
            return _ready([Target(known.kind, *known.remote, self._name_of(known))])
        for connection in self._element.transport.connections:
            if connection.open and connection.remote == uri.address:
                return _ready([Target(connection.kind, *connection.remote, self._name_of(connection))])
        return self._resolver(uri)

    @staticmethod
    def _name_of(flow: Flow) -> str:
        target = getattr(flow, "target", None)
        return target.name if isinstance(target, Target) else ""


def _ready(targets: list[Target]) -> Deferred[list[Target]]:
    found: Deferred[list[Target]] = Deferred()
    found.callback(targets)
    return found


def _alias(uri: SipUri) -> str:
    """What is dialled: user and host, without scheme, port and parameters."""
    return f"{uri.user}@{uri.host}" if uri.user else uri.host
