"""A flow whose bytes are put on the wire in a shape of their own: in pieces, or together with others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.scenarios.alg_calls.party import Party
from harness.scenarios.alg_calls.play import Make, Play, invite
from harness.scenarios.alg_calls.seen import INSIDE
from harness.sip.connection import Connection
from harness.sip.flow import Flow
from harness.sip.message import Message, Request
from harness.sip.uri import Address

_GRAIN = 0.005
"""Seconds between two looks at whether a piece has arrived."""

Shape = Callable[[Connection, bytes], None]
"""Puts the bytes of a message on a connection."""


class ShapedFlow:
    """A flow to send one message by; what comes back comes on the connection."""

    reliable = True

    def __init__(self, party: Party, connection: Connection, shape: Shape) -> None:
        self.kind = connection.kind
        self.serves = connection.serves
        self._party = party
        self._connection = connection
        self._shape = shape

    @property
    def local(self) -> Address:
        """This end."""
        return self._connection.local

    @property
    def remote(self) -> Address:
        """The other end."""
        return self._connection.remote

    @property
    def open(self) -> bool:
        """Whether something can be sent."""
        return self._connection.open

    def send(self, message: Message) -> bool:
        """In its shape."""
        data = message.with_length().to_bytes()
        self._party.flows.sent(self._connection, data)
        self._shape(self._connection, data)
        return True


def shaped(shape: Callable[[Play, Party], Shape]) -> Make:
    """An INVITE in a shape."""

    async def make(play: Play, party: Party) -> tuple[Request, Flow | None]:
        connection: Any = await party.flow_to(play.ground.called)
        return invite(play, party), ShapedFlow(party, connection, shape(play, party))

    return make


def in_two_segments(play: Play, party: Party) -> Shape:
    """The second one is sent when the ALG has read the first."""

    def send(connection: Connection, data: bytes) -> None:
        half = len(data) // 2
        connection.send_bytes(data[:half])
        follow(connection, data[half:], play.middle.wire.came_in(INSIDE) + half)

    def follow(connection: Connection, rest: bytes, expected: int) -> None:
        if play.middle.wire.came_in(INSIDE) < expected:
            play.reactor.callLater(_GRAIN, follow, connection, rest, expected)
        else:
            connection.send_bytes(rest)

    return send


def behind_options(play: Play, party: Party) -> Shape:
    """In one segment with an OPTIONS before it."""

    def send(connection: Connection, data: bytes) -> None:
        options = party.element.with_via(party.compose("OPTIONS", play.ground.called), connection)
        connection.send_bytes(options.with_length().to_bytes() + data)

    return send
