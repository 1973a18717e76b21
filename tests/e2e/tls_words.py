"""What `openssl s_client -brief` and `openssl s_server -rev` say of a connection, in a word each.

Strategy: both say little. An alert that came, and what OpenSSL found itself, are lines of its error queue; a reset is
an error number of the client, and a failure without a line of the server, whose queue knows nothing of the kernel.
"""

from __future__ import annotations

import re

_ERROR = re.compile(r"error:[0-9A-F]+:SSL routines:\w*:([^:]+):")
_ALERT = re.compile(r"SSL alert number (\d+)")
_RESET = re.compile(r"(?:read|write):errno=104\b")
ECONNRESET = 104


def client_word(said: str, status: int) -> str:
    """`ok`, `closed`, `reset`, `alert N`, or the reason that OpenSSL gives."""
    found = _openssl_word(said)
    if found:
        return found
    if status == ECONNRESET or _RESET.search(said):
        return "reset"
    return ("ok" if "OLLEH" in said else "closed") if status == 0 else f"status {status}"


def server_word(said: str) -> str:
    """The same; `silence` while it waits; of a connection that stood, `closed` if it left, or else `cut`."""
    found = _openssl_word(said)
    if found:
        return found
    if "CONNECTION FAILURE" in said:
        return "reset"
    if "CONNECTION ESTABLISHED" in said:
        return "closed" if "CONNECTION CLOSED" in said else "cut"
    return "silence"


def _openssl_word(said: str) -> str:
    alert, error = _ALERT.search(said), _ERROR.search(said)
    return f"alert {alert[1]}" if alert else error[1] if error else ""
