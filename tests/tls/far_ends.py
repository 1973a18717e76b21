"""A bridge between two far ends in memory: Python's `ssl` on both sides, and what an edge does in between.

Strategy: `Rig.run` carries bytes to and fro, in pieces of any size, until nothing moves any more. It obeys every
`Output` as an edge would, passing clear text on unchanged. What a far end says when it fails is its own words.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from alg.tls.bridge import Bridge, Inspector, KeyLog
from alg.tls.issuer import Issuer
from alg.tls.legs import Alert, Ending, Event, Leg, Output, StreamEnded
from alg.tls.policy import BridgePolicy, Identity
from tests.helpers.certificates import Paper, sign

EventT = TypeVar("EventT", bound=Event)

NAME = "sip.example.com"
NAMES = (NAME, "example.com", "192.0.2.7")
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class Papers:
    """Who is who: a CA that servers and clients stand under, and the CA of the firewall."""

    root: Paper
    server: Paper
    client: Paper
    firewall: Paper

    @property
    def authority(self) -> Identity:
        """The firewall's, for our side."""
        return identity(self.firewall)


def identity(paper: Paper) -> Identity:
    """For our side."""
    return Identity(paper.chain, paper.key)


@cache
def papers() -> Papers:
    """Made once for a test run."""
    root = sign("Test Root", ca=True)
    return Papers(
        root,
        sign(NAME, root, NAMES),
        sign("client.example.com", root, ["client.example.com"]),
        sign("Firewall CA", ca=True),
    )


@cache
def issuer() -> Issuer:
    """The firewall's."""
    return Issuer(papers().authority)


def inspector(policy: BridgePolicy | None = None) -> Inspector:
    """With the firewall's CA."""
    return Inspector(issuer(), policy or BridgePolicy())


def context(
    serves: bool,
    version: str = "",
    shows: Paper | None = None,
    trusts: Paper | None = None,
    asks: ssl.VerifyMode = ssl.CERT_NONE,
    alpn: Iterable[str] = (),
) -> ssl.SSLContext:
    """For a far end: a client verifies the server if it trusts anybody, a server demands what it `asks`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if serves else ssl.PROTOCOL_TLS_CLIENT)
    if serves:
        made.verify_mode = asks
    elif trusts is None:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if trusts is not None:
        made.load_verify_locations(cadata=trusts.chain_pem.decode())
    if shows is not None:
        with TemporaryDirectory() as folder:
            made.load_cert_chain(shows.write(Path(folder), "shown"))
    if alpn:
        made.set_alpn_protocols(list(alpn))
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.minimum_version = made.maximum_version = VERSIONS[version]
    return made


def client(version: str = "", shows: Paper | None = None, alpn: Iterable[str] = ()) -> ssl.SSLContext:
    """A client that trusts the firewall alone."""
    return context(False, version, shows, papers().firewall, alpn=alpn)


def server(version: str = "", trusts: Paper | None = None, alpn: Iterable[str] = ()) -> ssl.SSLContext:
    """A server that demands certificates of those whom `trusts` has signed, if it is given."""
    return context(True, version, papers().server, trusts, ssl.CERT_REQUIRED if trusts else ssl.CERT_NONE, alpn)


class FarEnd:
    """One party, with what it saw."""

    def __init__(self, made: ssl.SSLContext, serves: bool, name: str | None) -> None:
        self.incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made.wrap_bio(
            self.incoming, self._outgoing, server_side=serves, server_hostname=None if serves else name
        )
        self.shaken = False
        self.complaint = ""
        """In OpenSSL's words, as `ssl` hands them on."""
        self.received = b""
        self.ended = ""
        """`close_notify`, `eof` or `reset`."""
        self.raw = b""
        """All that came, as it came."""

    def take(self, data: bytes) -> None:
        """Bytes from the bridge."""
        if data:
            self.raw += data
            self.incoming.write(data)

    def say(self, clear: bytes) -> None:
        """Encrypt, to be sent with the next step."""
        self.tls.write(clear)

    def step(self) -> bytes:
        """Do what can be done; what is to be sent."""
        try:
            while not (self.complaint or self.ended):
                if not self.shaken:
                    self.tls.do_handshake()
                    self.shaken = True
                elif data := self.tls.read(1 << 16):
                    self.received += data
                else:
                    self.ended = "close_notify"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError as error:
            if self.shaken:
                self.ended = "eof"
            else:
                self.complaint = error.args[1]
        except ssl.SSLError as error:
            self.complaint = error.args[1]
        return self._outgoing.read()

    def say_goodbye(self) -> None:
        """Close_notify."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()


@dataclass
class Rig:
    """A client, a bridge, a server."""

    client_context: ssl.SSLContext
    server_context: ssl.SSLContext
    inspector: Inspector = field(default_factory=inspector)
    name: str | None = NAME
    piece: int = 1 << 20
    """Bytes that the bridge gets at a time."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    key_log: KeyLog | None = None

    def __post_init__(self) -> None:
        self.bridge: Bridge = self.inspector.bridge(self.now, self.key_log)
        self.client = FarEnd(self.client_context, False, self.name)
        self.server = FarEnd(self.server_context, True, None)
        self.ends = (self.client, self.server)
        self.events: list[Event] = []
        self.endings: list[list[Ending]] = [[], []]

    def run(self, until: Callable[[], bool] = lambda: False) -> Rig:
        """Carry bytes until nothing moves, or something holds."""
        moved = True
        while moved and not until():
            moved = False
            for leg in Leg:
                data = self.ends[leg].step()
                moved |= bool(data)
                for place in range(0, len(data), self.piece):
                    self.obey(self.bridge.feed(leg, data[place : place + self.piece]))
        return self

    def obey(self, output: Output) -> None:
        """As an edge does that has no ALG."""
        self.events += output.events
        for leg in Leg:
            end, ending = self.ends[leg], output.endings[leg]
            end.take(output.to_send[leg])
            if ending is not None:
                self.endings[leg].append(ending)
                end.incoming.write_eof()
            if ending is Ending.RESET:
                end.step()
                end.complaint, end.ended = "", "reset"
        for leg in Leg:
            if output.clear[leg]:
                self.obey(self.bridge.send(leg.other, output.clear[leg]))
        for event in output.events:
            if isinstance(event, StreamEnded):
                self.obey(self.bridge.close(event.leg.other, event.clean))

    def of(self, kind: type[EventT], leg: Leg | None = None) -> list[EventT]:
        """The events of one kind, on one leg or on both."""
        return [event for event in self.events if isinstance(event, kind) and leg in (None, event.leg)]

    def only(self, kind: type[EventT], leg: Leg) -> EventT:
        """The one event of its kind on a leg."""
        (event,) = self.of(kind, leg)
        return event

    def alerts(self, leg: Leg, *, sent: bool) -> list[str]:
        """What was alerted on a leg."""
        return [alert.description for alert in self.of(Alert, leg) if alert.sent is sent]
