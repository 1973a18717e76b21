"""What a bridge does with one of its legs, whichever it is: read it, write to it, end it, and tell of it.

Strategy: whatever an endpoint does leaves bytes for its peer and alerts; both are moved to the `Output` right behind
it, so that what a failing endpoint leaves can be told from what came before. A failure is raised as a TlsFailure for
the bridge, which knows what it means for the other leg.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from alg.tls.endpoint import UNEXPECTED_EOF, End, Endpoint, Notes, Progress, TlsFailure
from alg.tls.issuer import alternative_names, subject_text
from alg.tls.legs import Alert, Ending, Leg, LegUp, Output, StreamEnded
from alg.tls.policy import OnFailure

_INTERNAL_ERROR: Final = bytes.fromhex("15 0303 0002 02 50")
"""A fatal alert in clear, for a peer that has no keys yet (RFC 8446 6.2)."""


class Side:
    """One leg."""

    def __init__(self, leg: Leg, key_log: Callable[[bytes], None] | None) -> None:
        self.leg = leg
        self.notes = Notes(key_log)
        self.end: Endpoint | None = None
        """Once it was opened."""
        self.early = b""
        """What came before that; cleared when the endpoint has it."""
        self.server_name: str | None = None
        """The name that the client asks for on this leg."""
        self.eof = False
        """The peer has sent FIN."""
        self.up = False
        """Its handshake is complete, and that was told."""
        self.finished = False
        """It has its ending: nothing more is sent."""
        self._stream_ended = False
        """That was told."""

    @property
    def suspended(self) -> bool:
        """Whether its handshake waits for our certificate."""
        return self.end is not None and self.end.progress is Progress.SUSPENDED

    @property
    def midway(self) -> bool:
        """Whether its handshake has begun and waits for the peer."""
        end = self.end
        return end is not None and end.progress is Progress.WAITING and not (end.untouched or end.broken)

    def open(self, end: Endpoint, server_name: str | None) -> None:
        """Let an endpoint take what came, and what will come."""
        self.end, self.server_name = end, server_name
        end.take(self.early)
        self.early = b""

    def take(self, data: bytes) -> None:
        """Bytes that came from the peer."""
        if self.end is None:
            self.early += data
        else:
            self.end.take(data)

    def take_eof(self) -> None:
        """No more will come; TlsFailure where nobody waits for more."""
        self.eof = True
        if self.end is None or self.suspended:
            raise TlsFailure(UNEXPECTED_EOF)
        self.end.take_eof()

    def shake(self, output: Output) -> None:
        """Go on with the handshake, if there is one to go on with; TlsFailure if it fails."""
        end = self.end
        if end is None or self.up:
            return
        end.shake()
        self.collect(output)

    def announce(self, output: Output) -> None:
        """Tell that its handshake is complete, once it is."""
        end = self.end
        if end is not None and end.up and not self.up:
            self.up = True
            output.events.append(self._described(end))

    def read(self, output: Output) -> None:
        """Decrypt what came, and keep it; TlsFailure if that fails."""
        if self.end is None or not self.up or self.end.broken:
            return
        self.end.read()
        self.collect(output)

    @property
    def truncated(self) -> bool:
        """Whether the clear text was cut off."""
        return self.end is not None and self.end.end is End.TRUNCATED

    def deliver(self, output: Output) -> None:
        """Hand out what was decrypted, and tell that it was all."""
        end = self.end
        assert end is not None, "a leg that is up was opened"
        output.clear[self.leg] += end.clear()
        if (end.end is not None or end.broken) and not self._stream_ended:
            self._stream_ended = True
            output.events.append(StreamEnded(self.leg, end.end is End.CLOSE_NOTIFY))

    def write(self, clear: bytes, output: Output) -> None:
        """Encrypt; TlsFailure if that is impossible by now."""
        assert self.end is not None, "a leg that is up was opened"
        self.end.write(clear)
        self.collect(output)

    def finish(self, how: OnFailure, output: Output) -> None:
        """End it; one that was ended before can still be reset."""
        if self.finished and how is not OnFailure.RESET:
            return
        if how is OnFailure.ALERT:
            self._say_alert(output)
        self.collect(output, silent=how is not OnFailure.ALERT)
        self.finished = True
        output.endings[self.leg] = Ending.RESET if how is OnFailure.RESET else Ending.FIN

    def collect(self, output: Output, silent: bool = False) -> None:
        """What there is to send, and the alerts; nothing is sent if `silent`, or behind the ending."""
        silent = silent or self.finished
        if self.end is not None:
            data = self.end.drain()
            output.to_send[self.leg] += b"" if silent else data
        for sent, level, description in self.notes.alerts:
            if not (sent and silent):
                output.events.append(Alert(self.leg, sent, level, description))
        self.notes.alerts.clear()

    def _say_alert(self, output: Output) -> None:
        """Have OpenSSL say an alert, or say it ourselves to a peer who has greeted or was greeted, and no more."""
        end = self.end
        if end is None or (end.untouched and not end.broken):
            if end is not None or self.early:
                output.to_send[self.leg] += _INTERNAL_ERROR
                output.events.append(Alert(self.leg, sent=True, level="fatal", description="internal_error"))
        elif not end.broken:
            with suppress(TlsFailure):
                if end.up:
                    end.close()
                elif end.progress is Progress.SUSPENDED:
                    end.refuse()

    def _described(self, end: Endpoint) -> LegUp:
        try:
            peer = end.peer_certificate()
        except ValueError:
            peer = None
        protocol = end.alpn
        return LegUp(
            leg=self.leg,
            version=end.version,
            cipher=end.cipher,
            peer_subject=subject_text(peer),
            peer_names=alternative_names(peer),
            server_name=self.server_name,
            alpn=None if protocol is None else protocol.decode("ascii", "backslashreplace"),
        )
