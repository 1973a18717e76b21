"""One meeting of Expressway-E and Webex: peers are made from a situation, meet, and it is told what happened.

    run = await run_row(reactor, ROWS["T4"], fixed=False)
    run.passed, run.reasons, run.evidence, run.outcome.log_inside, run.outcome.capture

Strategy: whoever is connected to listens first; the other one connects through a firewall, which inspects if the
situation says so, and captures both of its sides. The outcome is what was known when both peers had come to an end, or
time was up; the capture goes on until they have gone. Either peer may be somebody else's (`TlsStranger`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import Any, Final, Protocol

from twisted.internet import defer, task

from alg.direction import Direction
from alg.edge.observing import Tap
from alg.tls.policy import Identity, TlsVersion
from harness.ca import Pki, load_recipes, make
from harness.expressway.log.diagnostic import DiagnosticLog
from harness.expressway.log.entry import X8_10, Address
from harness.expressway.settings import DnsZone, Expressway, OnOff, System
from harness.peers.firewall import Firewall
from harness.peers.taps import Taps
from harness.peers.tls_findings import STANDS, Outcome, RowRun
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_peer import PeerSettings, TlsPeer
from harness.peers.tls_rows import DNS_ZONE, OWN, Row, Situation
from harness.peers.tls_stranger import Expect, TlsStranger
from harness.peers.tls_trust import Certificates, ControlHub, ExpresswayTrust, WebexTrust, names_of

INSIDE, OUTSIDE = "expressway-e", "webex"
"""Names of the peers, by which somebody else's is told."""
INSIDE_NAME, OUTSIDE_NAME = "expe", "l2sip-01"
"""Host names in the logs."""
INSIDE_CALLED = "expe.example.com"
"""The name by which Webex asks for Expressway-E."""
_SILENCE = 0.3
"""Seconds in which nothing must reach a side that is not to hear of the end."""

_LAG = 5.0
"""Seconds in which the end is to reach the other side; less than a row may take altogether."""

Way = Callable[[Address, Situation], Address]
"""Given where the server of a situation listens, says what the client connects to."""


def _now() -> datetime:
    return datetime.now(UTC)


async def _nothing_happens(what: str, happened: Callable[[], bool]) -> bool:
    return happened()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a situation takes place, and when."""

    inside: Address = ("127.0.0.2", 0)
    """Of Expressway-E; the port is used if it listens, 0 is any."""
    outside: Address = ("127.0.0.3", 0)
    """Of Webex."""
    between: Address = ("127.0.0.4", 0)
    """Of the firewall."""
    way: Way | None = None
    """Through something else than that firewall, such as `sipalg proxy` as a process."""
    version: TlsVersion = TlsVersion.TLS_1_2
    """What the guide's captures have."""
    clock: Callable[[], datetime] = _now
    """Of the logs and of the certificates; aware."""
    token: Callable[[], str] = field(default=lambda: secrets.token_hex(8))
    """Never the same twice."""
    patience: float = 10.0
    """Seconds; what has not come to an end by then is reported as it is."""
    pki: Pki | None = None
    """Certificates of the recipes `webex` and `expressway-e`; None has new ones made."""
    key_log: Callable[[bytes], None] | None = None
    """Gets lines of the SSLKEYLOGFILE format."""
    strangers: Mapping[str, Address] = field(default_factory=dict)
    """By their names those peers that are somebody else's: where they listen, if it is they who are connected to."""
    expect: Expect = _nothing_happens
    """Asks a stranger for what it is to do of its own accord."""


class End(Protocol):
    """A peer, whosever it is."""

    meetings: list[Meeting]
    """One for each connection, in the order in which they were made."""
    concluded: defer.Deferred[Meeting]
    """Fires when nothing more is to be expected of the first one."""

    def listen(self, address: Address) -> Address:
        """Wait for connections; the address it got."""

    def connect(self, source: str, target: Address, timeout: float) -> defer.Deferred[None] | None:
        """Make a connection, which may take whoever makes it some time."""

    async def close(self) -> None:
        """End what stands."""


@dataclass(frozen=True, slots=True)
class Recipes:
    """Certificates that a situation needs, by the names of their recipes."""

    shown: tuple[str, ...]
    """By peers of ours, which need their keys."""
    known: tuple[str, ...]


def recipes_of(situation: Situation, strangers: Mapping[str, Address]) -> Recipes:
    """Those that peers of ours show or know."""
    needs = {
        INSIDE: (situation.shown_inside, situation.trusted_inside),
        OUTSIDE: (situation.shown_outside, situation.known_outside),
    }
    ours = [need for name, need in needs.items() if name not in strangers]
    return Recipes(tuple(shown for shown, _ in ours), tuple(name for _, known in ours for name in known))


def run_row(reactor: Any, row: Row, fixed: bool, around: Surroundings | None = None) -> defer.Deferred[RowRun]:
    """A row with its mistake, or with the cure. The Deferred fails as that of `run_situation`."""
    waits = fixed or not row.signs.quiet_outside
    situation = row.fixed if fixed else row.broken
    running = run_situation(reactor, situation, around, waits_for_outside=waits)
    return running.addCallback(partial(RowRun, row, fixed))


def run_situation(
    reactor: Any, situation: Situation, around: Surroundings | None = None, waits_for_outside: bool = True
) -> defer.Deferred[Outcome]:
    """Any situation. Without `waits_for_outside` it is over soon after Expressway-E has come to an end.

    The Deferred fails with CannotListenError if an address cannot be used, with ConfigError for certificates or rules
    that cannot.
    """

    async def run() -> Outcome:
        return await _Stage(reactor, situation, around or Surroundings()).run(waits_for_outside)

    return defer.Deferred.fromCoroutine(run())


def inside_settings(situation: Situation, pki: Pki, version: TlsVersion) -> PeerSettings:
    """Expressway-E's. What it sends behind its certificate is up to its trusted CA certificate list."""
    shown = pki[situation.shown_inside]
    zone = DnsZone(
        name=DNS_ZONE,
        tls_verify=_switch(situation.verify_mode),
        tls_subject=situation.verify_name,
        inbound_classification=_switch(situation.inbound_classification),
    )
    expressway = Expressway(system=System(name=INSIDE_NAME, mtls_mode=OnOff.ON), zones=(zone,))
    trust = ExpresswayTrust(_certificates(pki, situation.trusted_inside), expressway, DNS_ZONE)
    return PeerSettings(Identity((shown.certificate,), shown.key), trust, situation.verify_name, version)


def outside_settings(situation: Situation, pki: Pki, version: TlsVersion) -> PeerSettings:
    """Webex's."""
    shown = pki[situation.shown_outside]
    domains = (*situation.verified_domains, *names_of(pki.certificate(OWN)).alt_names)
    control_hub = ControlHub(_certificates(pki, situation.uploaded), domains)
    trust = WebexTrust(_certificates(pki, situation.trusted_outside), control_hub)
    return PeerSettings(Identity(shown.chain, shown.key), trust, INSIDE_CALLED, version)


@dataclass(frozen=True, slots=True)
class _Role:
    """A place that a peer takes."""

    name: str
    host: str
    side: Direction
    """The direction of what it sends."""
    settings: Callable[[Situation, Pki, TlsVersion], PeerSettings]


_EXPRESSWAY: Final = _Role(INSIDE, INSIDE_NAME, Direction.OUTWARD, inside_settings)
_WEBEX: Final = _Role(OUTSIDE, OUTSIDE_NAME, Direction.INWARD, outside_settings)


class _Stage:
    """One run."""

    def __init__(self, reactor: Any, situation: Situation, around: Surroundings) -> None:
        self._reactor = reactor
        self._situation = situation
        self._around = around
        needed = recipes_of(situation, around.strangers)
        self._pki = around.pki or make(load_recipes(), around.clock(), (*needed.shown, *needed.known))
        self._logs = {INSIDE: StringIO(), OUTSIDE: StringIO()}
        self._taps: list[Callable[[int], Tap]] = []
        self._inside, self._outside = (self._end(role) for role in (_EXPRESSWAY, _WEBEX))
        self._firewall = None
        if around.way is None:
            self._firewall = Firewall(reactor, situation.inspection, around.clock, self._tap)

    def _end(self, role: _Role) -> End:
        around = self._around
        address = around.strangers.get(role.name)
        if address is not None:
            stranger = TlsStranger(role.name, address, role.side, around.expect)
            self._taps.append(stranger.tap)
            return stranger
        settings = role.settings(self._situation, self._pki, around.version)
        log = DiagnosticLog(self._logs[role.name], role.host, around.clock, X8_10)
        return TlsPeer(self._reactor, settings, log, around.clock, around.token, self._log_key)

    def _tap(self, connection: int) -> Tap:
        return Taps(*(tap(connection) for tap in self._taps))

    def _log_key(self, line: bytes) -> None:
        if self._firewall is not None:
            self._firewall.secrets(line)
        if self._around.key_log is not None:
            self._around.key_log(line)

    async def run(self, waits_for_outside: bool) -> Outcome:
        """From the first port to the last connection."""
        try:
            await self._connect()
            await self._wait(waits_for_outside)
            outcome = self._outcome()
        finally:
            capture = await self._close()
        return replace(outcome, capture=capture)

    def _outcome(self) -> Outcome:
        """As it is now."""
        inbound = self._situation.inbound
        inside, outside = _first(self._inside, inbound), _first(self._outside, not inbound)
        log_inside, log_outside = (log.getvalue() for log in self._logs.values())
        return Outcome(log_inside, log_outside, inside, outside, self._around.version, connection=self._connection())

    def _connection(self) -> str:
        """Whether there was one from peer to peer, as `Outcome` has it."""
        client, server, name = self._outside, self._inside, "Expressway-E"
        if not self._situation.inbound:
            client, server, name = self._inside, self._outside, "Webex"
        if server.meetings:
            return STANDS
        if not client.meetings:
            return "nobody connects"
        refusals = self._firewall.refusals if self._firewall is not None else []
        return ": ".join((f"does not reach {name}", *refusals[:1]))

    async def _connect(self) -> None:
        situation, around = self._situation, self._around
        server: End
        client: End
        if situation.inbound:
            server, address, client, source = self._inside, around.inside, self._outside, around.outside
        else:
            server, address, client, source = self._outside, around.outside, self._inside, around.inside
        target = server.listen(address)
        if self._firewall is not None:
            target = self._firewall.open(around.between, target, situation.inbound)
        elif around.way is not None:
            target = around.way(target, situation)
        await defer.maybeDeferred(client.connect, source[0], target, around.patience)

    async def _wait(self, for_outside: bool) -> None:
        """Until both peers have come to an end; the second one has not long, once the first has."""
        patience = self._around.patience
        if not for_outside:
            await self._within(patience, self._inside.concluded)
            await task.deferLater(self._reactor, _SILENCE)
            return
        ends = [self._inside.concluded, self._outside.concluded]
        await self._within(patience, defer.DeferredList(ends, fireOnOneCallback=True))
        await self._within(min(patience, _LAG), defer.DeferredList(ends))

    async def _within(self, seconds: float, over: defer.Deferred[Any]) -> None:
        """Until it fires, or time is up."""
        expired: defer.Deferred[Any] = defer.Deferred()
        timer = self._reactor.callLater(seconds, expired.callback, None)
        await defer.DeferredList([over, expired], fireOnOneCallback=True)
        if timer.active():
            timer.cancel()

    async def _close(self) -> bytes:
        """Whoever connected says goodbye; the capture until all have gone."""
        first, second = self._inside, self._outside
        if self._situation.inbound:
            first, second = second, first
        await first.close()
        await second.close()
        if self._firewall is None:
            return b""
        capture = self._firewall.capture
        await self._firewall.close()
        return capture


def _switch(on: bool) -> OnOff:
    return OnOff.ON if on else OnOff.OFF


def _certificates(pki: Pki, names: tuple[str, ...]) -> Certificates:
    return tuple(pki.certificate(name) for name in names)


def _first(peer: End, serves: bool) -> Meeting:
    """The first connection of a peer as it is now; one that never was, if there is none."""
    meeting = peer.meetings[0] if peer.meetings else Meeting(serves)
    return replace(meeting, seen=list(meeting.seen), names=dict(meeting.names))
