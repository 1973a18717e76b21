"""What one side saw of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from alg.tls.sightings import Message, Sender, Sighting
from harness.expressway.log.entry import Address
from harness.expressway.log.tls import TlsFailure
from harness.peers.tls_trust import Names

_FINISHED: Final = (Message.CLIENT_FINISHED, Message.SERVER_FINISHED)


class Loss(Enum):
    """How the other side ended the TCP connection."""

    NOT = "not at all"
    EOF = "FIN"
    RESET = "RST"
    UNREACHABLE = "not reached"


@dataclass(slots=True)
class Meeting:
    """One connection of a peer; grows while that lasts."""

    serves: bool
    """The other side connected."""
    local: Address = ("", 0)
    remote: Address = ("", 0)
    established: bool = False
    """The handshake succeeded, as far as this side was told. A client of TLS 1.3 is not told before the server says
    something behind it (RFC 8446 4.6.1): until then its certificate may still be refused."""
    answered: bool = False
    """A SIP request had its response."""
    zone: str = ""
    """Of an Expressway, to which the connection belongs."""
    failure: TlsFailure | None = None
    """Of the handshake, as it was logged."""
    objections: tuple[str, ...] = ()
    """What this side had against the other one."""
    dismissed: bool = False
    """This side reset the connection."""
    loss: Loss = Loss.NOT
    seen: list[Sighting] = field(default_factory=list)
    """What a capture at this side shows of its TLS."""
    names: dict[Sender, Names] = field(default_factory=dict)
    """Those in the certificates that it shows in clear, up to TLS 1.2."""

    @property
    def own_names(self) -> Names | None:
        """Those in the certificate of this side; None if it was not seen."""
        return self.names.get(self._me)

    @property
    def finished(self) -> bool:
        """This side sent its Finished, so that it has accepted the other side's certificate (RFC 5246 7.3).

        Up to TLS 1.2: a server of TLS 1.3 sends it before it gets a certificate, and it does not show.
        """
        return any(each.sender is self._me for name in _FINISHED for each in self._of(name))

    @property
    def alert(self) -> tuple[bool, str] | None:
        """The first alert in clear beside close_notify, whether this side sent it and which it was.

        In TLS 1.3 most are encrypted, and not seen here.
        """
        alerts = ((each.sender is self._me, str(each.details["description"])) for each in self._of(Message.ALERT))
        return next((alert for alert in alerts if alert[1] not in {"close_notify", "encrypted"}), None)

    @property
    def chains(self) -> tuple[int, int]:
        """Certificates that this side showed and that it was shown, 0 if it was not seen (TLS 1.3)."""
        client, server = (self._chain(name) for name in (Message.CLIENT_CERTIFICATE, Message.SERVER_CERTIFICATE))
        return (server, client) if self.serves else (client, server)

    @property
    def _me(self) -> Sender:
        return Sender.SERVER if self.serves else Sender.CLIENT

    def _of(self, message: Message) -> list[Sighting]:
        return [each for each in self.seen if each.message is message]

    def _chain(self, message: Message) -> int:
        found = self._of(message)
        return int(str(found[0].details["chain"])) if found else 0
