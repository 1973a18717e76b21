"""What stands between TCP and SIP: nothing, or TLS. Bytes in, bytes and clear text and endings out.

Strategy: a `Layer` decides, the connection carries out what its `Step` says. Anybody's TLS that has this shape can
carry SIP; the one here verifies by OpenSSL alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from OpenSSL import SSL

from alg.tls.endpoint import Endpoint, Notes, TlsFailure
from harness.sip.flow import Loss
from harness.sip.uri import Address


class Ending(Enum):
    """What becomes of the TCP connection behind what is sent."""

    STAY = "stay"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now."""

    send: bytes = b""
    """To the other side, as it is."""
    clear: bytes = b""
    """What came, decrypted."""
    ending: Ending = Ending.STAY
    failure: str = ""
    """Why it ends, if not in order."""


class Layer(Protocol):
    """One side of one connection."""

    @property
    def up(self) -> bool:
        """Whether SIP can be sent."""

    def opened(self, local: Address, remote: Address) -> Step:
        """The TCP connection stands."""

    def feed(self, data: bytes) -> Step:
        """Bytes came."""

    def write(self, clear: bytes) -> Step:
        """To be sent; only while it is up."""

    def hang_up(self) -> Step:
        """End it in order."""

    def lost(self, loss: Loss) -> None:
        """The TCP connection is gone, and not by us."""


class Plain:
    """TCP as it is."""

    up = True

    def opened(self, local: Address, remote: Address) -> Step:
        """Nothing to say."""
        return Step()

    def feed(self, data: bytes) -> Step:
        """As it came."""
        return Step(clear=data)

    def write(self, clear: bytes) -> Step:
        """As it is."""
        return Step(send=clear)

    def hang_up(self) -> Step:
        """Nothing to say."""
        return Step(ending=Ending.CLOSE)

    def lost(self, loss: Loss) -> None:
        """Nothing to remember."""


class Encrypted:
    """What every layer of TLS has in common: how clear text leaves, and how it ends."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._over = False
        """Nothing that comes counts any more."""

    @property
    def up(self) -> bool:
        """The handshake is complete, and nothing has failed."""
        return self._endpoint.up and not self._over

    def write(self, clear: bytes) -> Step:
        """Encrypted."""
        try:
            self._endpoint.write(clear)
        except TlsFailure as failure:
            self._over = True
            return Step(self._endpoint.drain(), ending=Ending.CLOSE, failure=str(failure))
        return Step(self._endpoint.drain())

    def hang_up(self) -> Step:
        """With close_notify."""
        if self.up:
            with suppress(TlsFailure):
                self._endpoint.close()
        return Step(self._endpoint.drain(), ending=Ending.CLOSE)


class Tls(Encrypted):
    """TLS with a context of OpenSSL's, which verifies."""

    def __init__(self, context: SSL.Context, serves: bool, name: str = "") -> None:
        """`name` is what a client asks for (RFC 6066 3)."""
        super().__init__(Endpoint(context, serves, Notes(None)))
        if name and not serves and not _is_address(name):
            self._endpoint.connection.set_tlsext_host_name(name.encode("ascii", "ignore"))

    def opened(self, local: Address, remote: Address) -> Step:
        """A client begins."""
        return self.feed(b"")

    def feed(self, data: bytes) -> Step:
        """As far as it goes."""
        if self._over:
            return Step()
        endpoint = self._endpoint
        endpoint.take(data)
        try:
            if not endpoint.up:
                endpoint.shake()
            if endpoint.up:
                endpoint.read()
        except TlsFailure as failure:
            self._over = True
            return Step(endpoint.drain(), endpoint.clear(), Ending.CLOSE, str(failure))
        if endpoint.end is not None:
            return Step(endpoint.drain(), endpoint.clear(), Ending.CLOSE)
        return Step(endpoint.drain(), endpoint.clear())

    def lost(self, loss: Loss) -> None:
        """Nothing more to do."""
        self._over = True


Secure = Callable[[bool, str], Layer]
"""Makes the layer of a connection: whether the other side made it, and the name of the target if we did."""


def tls(server: SSL.Context | None, client: SSL.Context | None) -> Secure:
    """TLS by contexts of OpenSSL's, either of which may be missing where connections are made one way only."""

    def secure(serves: bool, name: str) -> Layer:
        context = server if serves else client
        assert context is not None, "a connection of this direction needs a context"
        return Tls(context, serves, name)

    return secure


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()
