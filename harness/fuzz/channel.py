"""A TCP connection, or TLS on one, that tells an end of stream from a reset, and one segment from the next.

Strategy: a non-blocking socket. `write` takes the bytes of one segment, `service` sends and receives what can be, and
returns what happened in order. What the far end sent before it closed or reset the connection is always read first,
also when the break shows while we are sending. The far end closing first is an end even if a reset follows, since our
bytes then met a socket that was gone.
"""

from __future__ import annotations

import fcntl
import select
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass

from alg.edge.entrance import Address
from harness.fuzz.secure import TlsFailure, TlsSession

_SIOCOUTQNSD = 0x894B
"""<linux/sockios.h>: bytes of the send queue that have not been sent."""
_CHUNK = 262144


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes came, decrypted."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The far end closed the connection."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection is gone without an end: reset, or lost on the way."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no connection."""

    reason: str


Event = Received | Ended | Broken


class Channel:
    """One connection; made by `connect` or around an accepted socket."""

    def __init__(self, sock: socket.socket, tls: TlsSession | None = None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._tls = tls
        self._pending = b""
        self._sending_failed: Event | None = None
        self.over = False
        """The far end is gone."""
        if tls is not None:
            tls.advance()
            self._pending += tls.outgoing()

    def fileno(self) -> int:
        """For poll."""
        return self._socket.fileno()

    @property
    def local(self) -> Address:
        """Our end."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    @property
    def established(self) -> bool:
        """Whether it can carry plain bytes by now."""
        return self._tls is None or self._tls.established

    @property
    def pending(self) -> bool:
        """Whether bytes wait to be taken by the kernel."""
        return bool(self._pending)

    @property
    def drained(self) -> bool:
        """Whether all that was written is on its way, so that the next write starts a segment of its own."""
        if self._pending:
            return False
        if self.over:
            return True
        (unsent,) = struct.unpack("i", fcntl.ioctl(self._socket, _SIOCOUTQNSD, b"\0\0\0\0"))
        return not unsent

    def write(self, data: bytes) -> None:
        """Bytes to send in a segment of their own, as far as the kernel lets them be one."""
        if self._tls is not None:
            self._tls.send(data)
            data = self._tls.outgoing()
        self._pending += data

    def pump(self, seconds: float) -> list[Event]:
        """Wait until something can be done, no longer than that, and do it."""
        if not self.over:
            poll([self], seconds)
        return self.service()

    def service(self) -> list[Event]:
        """Send and receive what can be without waiting."""
        if self.over:
            return []
        if self._pending:
            self._send()
        events = self._receive()
        if self._pending and not self.over and self._sending_failed is None:
            self._send()
        self.over = bool(events) and not isinstance(events[-1], Received)
        return events

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._pending)
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._sending_failed = Ended("connection closed")
        except ConnectionResetError:
            self._sending_failed = Broken("connection reset")
        except OSError as error:
            self._sending_failed = Broken(error.strerror or str(error))
        else:
            self._pending = self._pending[sent:]
            return
        self._pending = b""

    def _receive(self) -> list[Event]:
        """All that has come; the break that was noticed while sending comes behind it."""
        events: list[Event] = []
        while True:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except ConnectionResetError:
                events.append(Broken("connection reset"))
                break
            except OSError as error:
                events.append(Broken(error.strerror or str(error)))
                break
            if not data:
                events.append(self._sending_failed or Ended("connection closed"))
                break
            events += self._decrypted(data)
            if events and not isinstance(events[-1], Received):
                break
        if self._sending_failed is not None and not (events and not isinstance(events[-1], Received)):
            events.append(self._sending_failed)
        return events

    def _decrypted(self, data: bytes) -> list[Event]:
        if self._tls is None:
            return [Received(data)]
        try:
            plain = self._tls.receive(data)
        except TlsFailure as failure:
            return [Ended(f"TLS: {failure}")]
        finally:
            self._pending += self._tls.outgoing()
        events: list[Event] = [Received(plain)] if plain else []
        return [*events, Ended("TLS: close notify")] if self._tls.closed else events

    def close(self, grace: float, now: Callable[[], float]) -> None:
        """End the connection in order; if the far end has not done the same within `grace` seconds, reset it."""
        end = now() + grace
        try:
            if not self.over:
                if self._tls is not None and self._tls.established:
                    self._tls.close()
                    self._pending += self._tls.outgoing()
                while self._pending and not self.over and now() < end:
                    self.pump(max(0.0, end - now()))
                self._socket.shutdown(socket.SHUT_WR)
                while not self.over and now() < end:
                    self.pump(max(0.0, end - now()))
        except (OSError, ssl.SSLError):
            pass
        if self.over:
            self.release()
        else:
            self.reset()

    def release(self) -> None:
        """Give up the socket of a connection that is over."""
        self._socket.close()

    def reset(self) -> None:
        """End the connection at once, so that the far end is left with none."""
        self.over = True
        if self.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.close()


def poll(channels: list[Channel], seconds: float, *others: socket.socket) -> None:
    """Wait until one of them can be serviced, no longer than that."""
    waiting = select.poll()
    for channel in channels:
        waiting.register(channel.fileno(), select.POLLIN | (select.POLLOUT if channel.pending else 0))
    for other in others:
        waiting.register(other.fileno(), select.POLLIN)
    waiting.poll(max(0.0, seconds) * 1000)


def bound_socket(host: str) -> socket.socket:
    """A socket that has its address, so that a message can name it, and no connection yet."""
    sock = socket.socket()
    try:
        sock.bind((host, 0))
    except OSError:
        sock.close()
        raise
    return sock


def connect(
    sock: socket.socket,
    target: Address,
    tls: Callable[[], TlsSession] | None,
    timeout: float,
    now: Callable[[], float],
) -> Channel | Refused:
    """Connect a bound socket, through the TLS handshake where there is one; takes no longer than `timeout` seconds."""
    end = now() + timeout
    sock.settimeout(timeout)
    try:
        sock.connect(target)
    except TimeoutError:
        sock.close()
        return Refused(f"no connection after {timeout:g} s")
    except OSError as error:
        sock.close()
        return Refused(error.strerror or str(error))
    channel = Channel(sock, tls() if tls is not None else None)
    failure = ""
    while not (channel.established or failure):
        if now() >= end:
            failure = "TLS: handshake timed out"
        for event in channel.pump(end - now()):
            if not isinstance(event, Received):
                failure = f"in the TLS handshake: {event.reason.removeprefix('TLS: ')}"
    if failure and not channel.established:
        channel.reset()
        return Refused(failure)
    return channel
