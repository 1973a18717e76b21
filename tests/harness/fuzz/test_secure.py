"""TLS on memory, against the standard library's own memory objects as the far end."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest

from harness.fuzz.secure import TlsFailure, TlsSession
from harness.fuzz.target import TlsOptions
from tests.harness.conftest import Pki


class FarEnd:
    """The other side, without our code."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake(self, session: TlsSession) -> None:
        """Carry bytes to and fro until both have what they need."""
        session.advance()
        for _ in range(4):
            self.incoming.write(session.outgoing())
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            if answer := self.outgoing.read():
                session.receive(answer)


def pair(pki: Pki, options: TlsOptions, mutual: bool = False, name: str = "127.0.0.1") -> tuple[TlsSession, FarEnd]:
    """Two ends whose handshake is done."""
    session, far = TlsSession(options.client_context(), name=name), FarEnd(pki.server_context(mutual))
    far.shake(session)
    return session, far


def test_bytes_cross(pki: Pki) -> None:
    """Both ways, also in many small pieces."""
    session, far = pair(pki, TlsOptions(ca=str(pki.ca), verify=True))
    assert session.established
    session.send(b"hello")
    far.incoming.write(session.outgoing())
    assert far.tls.read() == b"hello"
    far.tls.write(b"x" * 40_000)
    encrypted = far.outgoing.read()
    plain = b"".join(session.receive(encrypted[at : at + 777]) for at in range(0, len(encrypted), 777))
    assert plain == b"x" * 40_000


def test_each_write_is_a_record_of_its_own(pki: Pki) -> None:
    """What is sent in two segments cannot be read as one."""
    session, _ = pair(pki, TlsOptions())
    session.outgoing()
    records = 0
    for part in (b"a", b"b"):
        session.send(part)
        encrypted = session.outgoing()
        while encrypted:
            assert encrypted[0] == 23, "application data (RFC 8446 5.1)"
            encrypted = encrypted[5 + int.from_bytes(encrypted[3:5], "big") :]
            records += 1
    assert records == 2


def test_a_name_that_the_certificate_does_not_bear(pki: Pki) -> None:
    """The failure says that it was the name."""
    with pytest.raises(TlsFailure, match=r"certificate verify failed: .*other\.example"):
        pair(pki, TlsOptions(ca=str(pki.ca), verify=True), name="other.example")


def test_mutual_tls(pki: Pki) -> None:
    """Our certificate is shown when it is asked for."""
    session, far = pair(pki, TlsOptions(str(pki.client)), mutual=True)
    assert session.established
    assert far.tls.getpeercert()


def test_close_notify(pki: Pki) -> None:
    """The far end says that it is done, and so do we."""
    session, far = pair(pki, TlsOptions())
    with pytest.raises(ssl.SSLWantReadError):
        far.tls.unwrap()
    assert session.receive(far.outgoing.read()) == b""
    assert session.closed
    session.close()
    far.incoming.write(session.outgoing())
    far.tls.unwrap()


def test_an_alert_is_a_failure_with_its_name(pki: Pki) -> None:
    """A certificate of a stranger's CA is turned down by the far end; with TLS 1.3 that is told after our handshake."""
    session = TlsSession(TlsOptions(str(pki.stranger)).client_context(), name="127.0.0.1")
    far = FarEnd(pki.server_context(mutual=True))
    with pytest.raises(ssl.SSLError):
        far.shake(session)
    with pytest.raises(TlsFailure, match="unknown ca"):
        session.receive(far.outgoing.read())
