"""What one side saw of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from alg.tls.sightings import Message, Sender, Sighting
from harness.expressway.log.entry import Address
from harness.expressway.log.tls import TlsFailure


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

    @property
    def alert(self) -> tuple[bool, str] | None:
        """The first alert in clear beside close_notify, whether this side sent it and which it was.

        In TLS 1.3 most are encrypted, and not seen here.
        """
        me = Sender.SERVER if self.serves else Sender.CLIENT
        alerts = ((each.sender is me, str(each.details["description"])) for each in self._of(Message.ALERT))
        return next((alert for alert in alerts if alert[1] not in {"close_notify", "encrypted"}), None)

    @property
    def chains(self) -> tuple[int, int]:
        """Certificates that this side showed and that it was shown, 0 if it was not seen (TLS 1.3)."""
        client, server = (self._chain(name) for name in (Message.CLIENT_CERTIFICATE, Message.SERVER_CERTIFICATE))
        return (server, client) if self.serves else (client, server)

    def _of(self, message: Message) -> list[Sighting]:
        return [each for each in self.seen if each.message is message]

    def _chain(self, message: Message) -> int:
        found = self._of(message)
        return int(str(found[0].details["chain"])) if found else 0
