"""What OpenSSL can do and pyOpenSSL does not offer, taken from the bindings that pyOpenSSL itself stands on.

Strategy: nothing else in the tree touches the bindings. The certificate callback is what lets a handshake wait: asked
by OpenSSL for our certificate, it answers -1 and the handshake returns (SSL_ERROR_WANT_X509_LOOKUP), to be called again
when the answer is known (SSL_CTX_set_cert_cb(3)).
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Any, Final

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from alg.errors import ConfigError

_WAIT: Final = -1
_REFUSE: Final = 0
_GO_ON: Final = 1


def require_certificate_callback() -> None:
    """ConfigError if OpenSSL was replaced by a library without certificate callbacks, as LibreSSL's older ones were."""
    if not getattr(lib, "Cryptography_HAS_SET_CERT_CB", 0):
        raise ConfigError("TLS termination: the cryptography package stands on a library without certificate callbacks")


class CertificateQuestion:
    """A connection's handshake comes to where our certificate is needed; if it `waits`, until there is an answer."""

    def __init__(self, connection: SSL.Connection, waits: bool) -> None:
        self._answer = _Answer(_WAIT if waits else _GO_ON)
        self._handle = ffi.new_handle(self._answer)
        """Must live as long as the connection: OpenSSL holds no reference."""
        lib.SSL_set_cert_cb(_ssl(connection), _CALLBACK, self._handle)

    @property
    def asked(self) -> bool:
        """Whether it has come there."""
        return self._answer.asked

    def go_on(self) -> None:
        """The connection has what it is to show, which may be nothing."""
        self._answer.value = _GO_ON

    def refuse(self) -> None:
        """The handshake is to fail; OpenSSL sends the alert `internal_error`."""
        self._answer.value = _REFUSE


class _Answer:
    def __init__(self, value: int) -> None:
        self.value = value
        self.asked = False


def _answer(ssl: Any, handle: Any) -> int:
    answer: _Answer = ffi.from_handle(handle)
    answer.asked = True
    return answer.value


_CALLBACK: Final = ffi.callback("int (*)(SSL *, void *)", _answer, error=_REFUSE)


def expect_name(connection: SSL.Connection, name: str) -> None:
    """Have OpenSSL check that the peer's certificate is for a DNS name or an IP address (RFC 6125, RFC 5280)."""
    param = lib.SSL_get0_param(_ssl(connection))
    try:
        address = ipaddress.ip_address(name).packed
    except ValueError:
        text = name.encode("ascii")
        lib.X509_VERIFY_PARAM_set_hostflags(param, lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        lib.X509_VERIFY_PARAM_set1_host(param, text, len(text))
    else:
        lib.X509_VERIFY_PARAM_set1_ip(param, address, len(address))


def judge_at(connection: SSL.Connection, now: datetime) -> None:
    """Have OpenSSL check at which time the peer's certificates are valid: this one, not the computer's."""
    lib.X509_VERIFY_PARAM_set_time(lib.SSL_get0_param(_ssl(connection)), int(now.timestamp()))


def verify_error(number: int) -> str:
    """What OpenSSL says of a certificate it does not accept, such as `certificate has expired`."""
    return bytes(ffi.string(lib.X509_verify_cert_error_string(number))).decode("ascii", "replace")


def _ssl(connection: SSL.Connection) -> Any:
    return connection._ssl
