"""Both legs of an inspected TLS connection, terminated and re-created without I/O: bytes and time in, `Output` out.

    inspector = Inspector(Issuer(authority), policy)         # once per configuration; ConfigError
    bridge = inspector.bridge(now, key_log)                  # per connection
    output = bridge.feed(Leg.CLIENT, data)                   # bytes from a leg's TCP connection
    output = bridge.eof(Leg.CLIENT)                          # a leg's peer has sent FIN
    output = bridge.lost(Leg.SERVER, "connection refused")   # RST, or no connection at all
    output = bridge.send(Leg.SERVER, clear)                  # clear text for a leg; only once `bridge.up`
    output = bridge.close(Leg.SERVER)                        # that was the last of it: close_notify and FIN

What is returned is to be done at once, for each leg: write `output.to_send[leg]`, then obey `output.endings[leg]`.
`output.clear[leg]` is what came on a leg, handed out once both are up; what is to go to the other leg comes back
through `send`. Whatever the bytes, nothing is raised; wrong use is an AssertionError.

Strategy: each leg needs what only the other one knows. So the client's ClientHello waits while the server leg goes as
far as it can: to the end of its handshake, or to where it needs the client's certificate re-signed, and is suspended.
By then the server's certificate is there, accepted, and so is its choice of protocol: the client leg is opened with the
mirrored certificate, and asks for the client's as the server did. That one, re-signed, lets the server leg go on.

How it ends, as `output.events` says:

- `Failed` before both legs were up: both legs have their endings, as the policy wants them. Where a client is to be
  alerted in the middle of its handshake, its ending comes when that is complete; go on to feed what it says.
- `StreamEnded(leg, clean)` once both were up: that peer sends no more. Flush what is held for the other leg through
  `send`, then `close(leg.other, clean)`. Without close_notify (not `clean`) the other leg gets none either: a stream
  that was cut is passed on as one. Behind a `Failed`, `close` ends the leg as the policy wants it.
- `lost` once both were up: the other leg is reset.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from alg.tls.contexts import Contexts
from alg.tls.endpoint import UNEXPECTED_EOF, Endpoint, TlsFailure
from alg.tls.greeting import Greeting
from alg.tls.issuer import Issuer, ResigningError, alternative_names, subject_text
from alg.tls.legs import CertificateShown, Failed, Leg, Output
from alg.tls.policy import Ask, BridgePolicy, Identity, OnFailure
from alg.tls.side import Side

KeyLog = Callable[[Leg, bytes], None]
"""Takes a line of the SSLKEYLOGFILE format, without its end."""
_ALWAYS = (Ask.REQUEST, Ask.REQUIRE)


class Inspector:
    """One policy at work: what its connections share. ConfigError for what OpenSSL does not accept."""

    def __init__(self, issuer: Issuer, policy: BridgePolicy) -> None:
        self.issuer = issuer
        self.policy = policy
        self.contexts = Contexts(policy, issuer.authority)

    def bridge(self, now: datetime, key_log: KeyLog | None = None) -> Bridge:
        """For a new connection at this time, which must know its time zone; certificates are judged by it."""
        assert now.tzinfo is not None, "a time without a zone is another time elsewhere"
        return Bridge(self, now, key_log)


class Bridge:
    """One connection."""

    def __init__(self, inspector: Inspector, now: datetime, key_log: KeyLog | None) -> None:
        self._inspector = inspector
        self._policy = inspector.policy
        self._now = now
        self._greeting = Greeting()
        self._sides = [Side(leg, partial(key_log, leg) if key_log is not None else None) for leg in Leg]
        self._client, self._server = self._sides
        self._over = False
        """Nothing is read any more, but of a client who takes leave."""
        self._parting = False
        """The client's handshake is led to its end, for close_notify to be said."""
        self._failed = False
        self._answered = False
        """What the server was shown when it asked was told."""

    @property
    def up(self) -> bool:
        """Whether clear text flows, or flowed: both handshakes are complete."""
        return not self._over and self._client.up and self._server.up

    def feed(self, leg: Leg, data: bytes) -> Output:
        """Bytes that came from the TCP connection of a leg."""
        output, side = Output(), self._sides[leg]
        if self._deaf(leg) or side.eof:
            return output
        side.take(data)
        if leg is Leg.CLIENT and not self._greeting.complete:
            self._greeting.feed(data)
        self._go_on(output)
        return output

    def eof(self, leg: Leg) -> Output:
        """The TCP peer of a leg has sent FIN."""
        output, side = Output(), self._sides[leg]
        if self._deaf(leg) or side.eof:
            return output
        try:
            side.take_eof()
        except TlsFailure as failure:
            self._fail(side, failure, output)
        else:
            self._go_on(output)
        return output

    def lost(self, leg: Leg, reason: str = "connection reset") -> Output:
        """The TCP connection of a leg is gone, or never came to be."""
        output = Output()
        if self._deaf(leg):
            return output
        was_up, self._sides[leg].finished = self.up, True
        output.events.append(Failed(leg, reason))
        if was_up:
            self._over = True
            self._sides[leg.other].finish(OnFailure.RESET, output)
        else:
            self._let_go(self._sides[leg.other], output)
        return output

    def send(self, leg: Leg, clear: bytes) -> Output:
        """Clear text for the peer of a leg; dropped if that leg has ended."""
        output, side = Output(), self._sides[leg]
        if self._over or side.finished:
            return output
        assert self.up, "clear text flows once both legs are up"
        try:
            side.write(clear, output)
        except TlsFailure as failure:
            self._fail(side, failure, output)
        return output

    def close(self, leg: Leg, clean: bool = True) -> Output:
        """No more clear text for the peer of a leg: close_notify if `clean`, and FIN.

        If the other leg has failed, the policy says how. Before both legs are up, the connection is given up.
        """
        output = Output()
        how = OnFailure.ALERT if clean else OnFailure.CLOSE
        if not self.up:
            self._over, self._parting = True, False
        elif self._failed:
            how = self._policy.other_leg
        self._sides[leg].finish(how, output)
        return output

    def _go_on(self, output: Output) -> None:
        """Do whatever can be done with what came."""
        if self._parting:
            self._part(output)
            return
        if self._client.end is None and self._server.end is None and self._greeting.complete:
            if self._greeting.is_tls:
                self._open_server_leg()
            else:
                self._open_client_leg(None, asks=False)
        self._shake(self._server, output)
        server = self._server.end
        if self._client.end is None and server is not None and (self._server.up or self._server.suspended):
            self._answer_client(server, output)
        self._shake(self._client, output)
        if server is not None and self._client.up and self._server.suspended:
            self._answer_server(server, output)
            self._shake(self._server, output)
        for side in self._sides:
            self._read(side, output)
        if self.up:
            for side in self._sides:
                side.deliver(output)

    def _open_server_leg(self) -> None:
        """The client has said what it wants."""
        greeting, policy, contexts = self._greeting, self._policy.server, self._inspector.contexts
        asked = (greeting.server_name if policy.sni is None else policy.sni) or None
        expected = (policy.name or greeting.server_name) if policy.check_name else None
        end = contexts.server_leg(self._server.notes, self._now, asked, expected, greeting.protocols)
        self._server.open(end, asked)

    def _answer_client(self, server: Endpoint, output: Output) -> None:
        """The server's certificate is there, accepted: open the client leg with one of ours in its place."""
        policy, issuer = self._policy.client, self._inspector.issuer
        asks = policy.ask in _ALWAYS or (policy.ask is Ask.FOLLOW and server.asked)
        self._client.notes.protocol = server.alpn
        try:
            shown = issuer.own(policy.names, self._now) if policy.names else self._resigned(self._server)
            self._open_client_leg(shown, asks)
        except ResigningError as error:
            self._fail(self._server, TlsFailure(str(error)), output)
        except TlsFailure as failure:
            self._fail(self._client, failure, output)
        else:
            output.events.append(_shown(Leg.CLIENT, "own" if policy.names else "mirrored", shown))

    def _open_client_leg(self, shown: Identity | None, asks: bool) -> None:
        end = self._inspector.contexts.client_leg(self._client.notes, self._now, asks)
        if shown is not None:
            end.show(shown)
        self._client.open(end, self._greeting.server_name)

    def _answer_server(self, server: Endpoint, output: Output) -> None:
        """The client has shown its certificate, or has none: so do we on the server leg."""
        try:
            shown = self._resigned(self._client)
            if shown is not None:
                server.show(shown)
        except ResigningError as error:
            self._fail(self._client, TlsFailure(str(error)), output)
        except TlsFailure as failure:
            self._fail(self._server, failure, output)
        else:
            server.go_on()
            self._tell_answer(shown, output)

    def _resigned(self, side: Side) -> Identity | None:
        """What stands for the certificate of a leg's peer; ResigningError if that cannot be read."""
        assert side.end is not None, "the peer was heard"
        try:
            original = side.end.peer_certificate()
        except ValueError as error:
            raise ResigningError(f"the certificate cannot be read: {error}") from error
        return None if original is None else self._inspector.issuer.mirror(original, self._now)

    def _tell_answer(self, shown: Identity | None, output: Output) -> None:
        self._answered = True
        origin = "none" if shown is None else self._policy.server.present.value
        output.events.append(_shown(Leg.SERVER, origin, shown))

    def _shake(self, side: Side, output: Output) -> None:
        if self._over:
            return
        try:
            side.shake(output)
        except TlsFailure as failure:
            self._fail(side, failure, output)
        end = self._server.end
        if end is not None and end.asked and not (self._answered or self._server.suspended):
            self._tell_answer(self._policy.server.given, output)
        side.announce(output)

    def _read(self, side: Side, output: Output) -> None:
        if self._over:
            return
        try:
            side.read(output)
            if side.truncated and not self.up:
                raise TlsFailure(UNEXPECTED_EOF)
        except TlsFailure as failure:
            self._fail(side, failure, output)

    def _fail(self, side: Side, failure: TlsFailure, output: Output) -> None:
        """A leg is broken: end it, and the other one too, unless there may be clear text to flush first."""
        was_up = self.up
        self._failed = True
        side.finish(self._policy.failed_leg, output)
        output.events.append(Failed(side.leg, failure.reason, failure.detail))
        if was_up:
            side.deliver(output)
        else:
            self._let_go(self._sides[side.leg.other], output)

    def _let_go(self, side: Side, output: Output) -> None:
        """End the other leg, or begin to.

        A client in the middle of its handshake could be told nothing: OpenSSL says close_notify only behind it.
        """
        was_over, self._over = self._over, True
        self._parting = (
            side is self._client and side.midway and self._policy.other_leg is OnFailure.ALERT and not was_over
        )
        if not self._parting:
            side.finish(self._policy.other_leg, output)

    def _part(self, output: Output) -> None:
        """Let the client complete its handshake, to end it."""
        try:
            self._client.shake(output)
        except TlsFailure as failure:
            self._parting = False
            self._client.finish(self._policy.failed_leg, output)
            output.events.append(Failed(Leg.CLIENT, failure.reason, failure.detail))
            return
        self._client.announce(output)
        if self._client.up:
            self._parting = False
            self._client.finish(OnFailure.ALERT, output)

    def _deaf(self, leg: Leg) -> bool:
        """Whether nothing is read on a leg any more."""
        return self._over and not (self._parting and leg is Leg.CLIENT)


def _shown(leg: Leg, origin: str, identity: Identity | None) -> CertificateShown:
    if identity is None:
        return CertificateShown(leg, origin)
    certificate = identity.chain[0]
    return CertificateShown(leg, origin, subject_text(certificate) or "", alternative_names(certificate))
