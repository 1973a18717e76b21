"""How a handshake failed, in the product's words, which are those of OpenSSL 1.0.

Strategy: OpenSSL renames its errors between releases (`sslv3 alert certificate unknown` is `tls alert certificate
unknown` by now), so its words are not repeated but said again, by what happened: an alert by its number, a
certificate by its verification error. A log reads the same whatever OpenSSL is installed.
"""

from __future__ import annotations

from dataclasses import replace

from alg.tls.endpoint import UNEXPECTED_EOF, Notes, TlsFailure
from alg.tls.names import alert_name
from harness.expressway.log import tls as lines

_SSL3_ALERTS = frozenset((0, 10, 20, 30, *range(40, 48)))
"""Alerts that SSL 3.0 had; errors about others begin with `tlsv1`."""
_ALERT_NUMBERS = {alert_name(number): number for number in range(256)}
_READ_BYTES = 0x14094000
"""An error of ssl3_read_bytes, in OpenSSL 1.0; an alert is reason 1000 and its number."""
_ALERT_REASON = 1000
_BAD_RECORD_MAC = "decryption failed or bad record mac"
_VERIFY_FAILED = "certificate verify failed"
_CLOSED = "close notify"
_SERVER_CERTIFICATE = "error:14090086:SSL routines:ssl3_get_server_certificate:certificate verify failed"
"""A client's; that of a server is the one the guide has."""


def told(failure: TlsFailure, notes: Notes, objection: str, serves: bool) -> lines.TlsFailure:
    """A failure of OpenSSL's; `objection` is what is wrong with the other side's certificate, if that was refused."""
    if _VERIFY_FAILED in failure.reason:
        words = objection or _VERIFY_FAILED
        reason = lines.UNTRUSTED_CA.reason if serves else _SERVER_CERTIFICATE
        return replace(lines.UNTRUSTED_CA, detail=words, closed=words, reason=reason)
    received = [name for sent, level, name in notes.alerts if not sent and level == "fatal"]
    if received:
        return _alerted(received[-1])
    if failure.reason in (UNEXPECTED_EOF, _CLOSED):
        return lines.REMOTE_DISCONNECT
    words, place = failure.reason, ""
    if (True, "fatal", "bad_record_mac") in notes.alerts:
        words, place = _BAD_RECORD_MAC, "ssl3_get_record:"
    return lines.TlsFailure(words, closed=words, result=-1, error=1, reason=f"SSL routines:{place}{words}")


def _alerted(name: str) -> lines.TlsFailure:
    number = _ALERT_NUMBERS.get(name, 0)
    words = f"{'sslv3' if number in _SSL3_ALERTS else 'tlsv1'} alert {name.replace('_', ' ')}"
    reason = f"error:{_READ_BYTES + _ALERT_REASON + number:08X}:SSL routines:ssl3_read_bytes:{words}"
    return replace(lines.CERTIFICATE_UNKNOWN, detail=words, reason=reason)
