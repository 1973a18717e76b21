"""What the hellos say: ClientHello, ServerHello and HelloRetryRequest (RFC 8446 4.1, RFC 5246 7.4.1).

Of extensions that are not in the tables nothing is read, of numbers without a name the number is shown. GREASE values
(RFC 8701) are left out: they mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from alg.tls.names import cipher_suite_name, group_name, is_grease, version_name
from alg.tls.vectors import FieldReader, listed, shown

_SERVER_NAME = 0
_ALPN = 16
_PRE_SHARED_KEY = 41
_EARLY_DATA = 42
_SUPPORTED_VERSIONS = 43
_KEY_SHARE = 51

_HOST_NAME = 0
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that is a HelloRetryRequest (RFC 8446 4.1.3)."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client offers."""

    versions: list[int]
    """Highest preference first; only the highest of all where the client has no supported_versions."""
    cipher_suites: int
    """How many."""
    session_id: bytes
    sni: str | None
    alpn: list[str]
    early_data: bool
    """Whether data that is encrypted already may come right behind it."""

    @property
    def details(self) -> dict[str, object]:
        """For an event."""
        details: dict[str, object] = {} if self.sni is None else {"sni": self.sni}
        if self.alpn:
            details["alpn"] = self.alpn
        details["versions"] = listed(version_name(number) for number in self.versions)
        details["cipher_suites"] = self.cipher_suites
        details["session_id_length"] = len(self.session_id)
        details["early_data"] = self.early_data
        return details


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a server chose."""

    version: int
    cipher_suite: int
    session_id: bytes
    retry: bool
    """It is a HelloRetryRequest."""
    alpn: str | None
    """In clear up to TLS 1.2 only."""
    group: int | None
    """That a HelloRetryRequest asks for."""
    pre_shared_key: bool
    """A TLS 1.3 session is resumed."""

    def details(self, client: ClientHello | None) -> dict[str, object]:
        """For an event, in answer to the hello of the client."""
        details: dict[str, object] = {
            "version": version_name(self.version),
            "cipher_suite": cipher_suite_name(self.cipher_suite),
            "session_id_length": len(self.session_id),
        }
        if self.alpn is not None:
            details["alpn"] = self.alpn
        if self.group is not None:
            details["group"] = group_name(self.group)
        if not self.retry:
            details["resumed"] = self.pre_shared_key or self._echoes(client)
        return details

    def _echoes(self, client: ClientHello | None) -> bool:
        """Whether it resumes a session up to TLS 1.2 (RFC 5246 7.4.1.3, RFC 5077 3.4)."""
        if client is None or resembles_tls_1_3(self.version):
            return False
        return bool(self.session_id) and self.session_id == client.session_id


def resembles_tls_1_3(version: int) -> bool:
    """Whether it is TLS 1.3, a draft of it, or what may come after it: encrypted from the ServerHello on."""
    return version > 0x0303


def read_client_hello(body: bytes) -> ClientHello:
    """A ClientHello without its handshake header; TlsSyntaxError if it cannot be read."""
    reader = FieldReader(body)
    versions = [reader.number(2)]
    reader.take(32)
    session_id = reader.opaque(1)
    cipher_suites = sum(not is_grease(number) for number in reader.vector(2).numbers(2))
    reader.take(reader.number(1))
    extensions = _extensions(reader)
    if (offered := extensions.get(_SUPPORTED_VERSIONS)) is not None:
        numbers = FieldReader(offered).vector(1).numbers(2)
        versions = [number for number in numbers if not is_grease(number)]
    sni = extensions.get(_SERVER_NAME)
    return ClientHello(
        versions=versions,
        cipher_suites=cipher_suites,
        session_id=session_id,
        sni=None if sni is None else _host_name(FieldReader(sni).vector(2)),
        alpn=_protocols(extensions.get(_ALPN, b"\0\0")),
        early_data=_EARLY_DATA in extensions,
    )


def read_server_hello(body: bytes) -> ServerHello:
    """A ServerHello without its handshake header; TlsSyntaxError if it cannot be read."""
    reader = FieldReader(body)
    version = reader.number(2)
    retry = reader.take(32) == _RETRY
    session_id = reader.opaque(1)
    cipher_suite = reader.number(2)
    reader.take(1)
    extensions = _extensions(reader)
    if (chosen := extensions.get(_SUPPORTED_VERSIONS)) is not None:
        version = FieldReader(chosen).number(2)
    alpn = _protocols(extensions.get(_ALPN, b"\0\0"))
    asked = extensions.get(_KEY_SHARE) if retry else None
    return ServerHello(
        version=version,
        cipher_suite=cipher_suite,
        session_id=session_id,
        retry=retry,
        alpn=alpn[0] if alpn else None,
        group=None if asked is None else FieldReader(asked).number(2),
        pre_shared_key=_PRE_SHARED_KEY in extensions,
    )


def _extensions(reader: FieldReader) -> dict[int, bytes]:
    """The extensions that end a hello, if it has any; of one that comes twice the first."""
    found: dict[int, bytes] = {}
    if not reader:
        return found
    vector = reader.vector(2)
    while vector:
        number = vector.number(2)
        found.setdefault(number, vector.opaque(2))
    return found


def _host_name(names: FieldReader) -> str | None:
    """The host name in a server_name extension (RFC 6066 3); a server's answer has none."""
    while names:
        kind, name = names.number(1), names.opaque(2)
        if kind == _HOST_NAME:
            return shown(name)
    return None


def _protocols(extension: bytes) -> list[str]:
    """The names in an ALPN extension (RFC 7301 3.1); a GREASE name is two bytes like a GREASE number."""
    names = FieldReader(extension).vector(2).opaques(1)
    return listed(shown(name) for name in names if len(name) != 2 or not is_grease(int.from_bytes(name)))
