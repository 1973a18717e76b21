"""One end of ours against Python's `ssl`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest

from alg.tls.contexts import Contexts
from alg.tls.endpoint import End, Endpoint, Notes, Progress, TlsFailure
from alg.tls.policy import BridgePolicy, Present, ServerLegPolicy
from tests.tls.far_ends import NAME, FarEnd, client, identity, papers, server

CONTEXTS = Contexts(BridgePolicy(server=ServerLegPolicy(Present.NONE)), papers().authority)


def as_server(version: str = "", lines: list[bytes] | None = None) -> tuple[Endpoint, FarEnd]:
    """An end that serves, shows the firewall's own certificate, and writes its keys to `lines`."""
    end = CONTEXTS.client_leg(Notes(None if lines is None else lines.append), datetime.now(UTC), asks=False)
    end.show(identity(papers().server))
    return end, FarEnd(client_of_anybody(version), False, NAME)


def client_of_anybody(version: str) -> ssl.SSLContext:
    """A client that verifies nobody."""
    made = client(version)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def as_client() -> tuple[Endpoint, FarEnd]:
    """An end that connects."""
    return CONTEXTS.server_leg(Notes(None), datetime.now(UTC), NAME, None, [b"sip"]), FarEnd(
        server(alpn=["sip"]), True, None
    )


def shake(end: Endpoint, far_end: FarEnd) -> None:
    """A whole handshake."""
    while not (end.up and far_end.shaken):
        end.take(far_end.step())
        end.shake()
        far_end.take(end.drain())
    end.take(far_end.step())


def test_handshake_and_clear_text() -> None:
    """What goes in comes out, on either side, and what was agreed upon can be asked for."""
    end, far_end = as_client()
    assert (end.untouched, end.progress) == (True, Progress.WAITING)
    shake(end, far_end)
    assert (end.untouched, end.progress, end.alpn, end.version) == (False, Progress.DONE, b"sip", "TLS 1.3")
    assert end.cipher.startswith("TLS_")
    assert end.peer_certificate() == papers().server.certificate
    end.write(bytes(100_000))
    far_end.take(end.drain())
    far_end.step()
    assert far_end.received == bytes(100_000)
    far_end.say(b"OPTIONS")
    end.take(far_end.step())
    end.read()
    assert (end.clear(), end.clear(), end.end) == (b"OPTIONS", b"", None)


def test_close_notify_both_ways() -> None:
    """It is an end, told from one that was cut; what is written behind it on the other side still arrives."""
    end, far_end = as_server()
    shake(end, far_end)
    far_end.say_goodbye()
    end.take(far_end.step())
    end.read()
    assert end.end is End.CLOSE_NOTIFY
    end.write(b"BYE")
    end.close()
    far_end.take(end.drain())
    assert far_end.tls.read() == b"BYE"
    assert end.notes.alerts == [(False, "warning", "close_notify"), (True, "warning", "close_notify")]


def test_truncation() -> None:
    """The end of the TCP stream is one without close_notify."""
    end, far_end = as_server()
    shake(end, far_end)
    far_end.say(b"OPT")
    end.take(far_end.step())
    end.take_eof()
    end.read()
    assert (end.clear(), end.end) == (b"OPT", End.TRUNCATED)


def test_truncated_handshake() -> None:
    """The words are those that OpenSSL has for it."""
    end, far_end = as_server()
    end.take(far_end.step()[:99])
    end.take_eof()
    with pytest.raises(TlsFailure, match="unexpected eof while reading"):
        end.shake()
    assert end.broken


def test_close_notify_in_a_handshake() -> None:
    """Nobody says goodbye there."""
    end, _ = as_client()
    end.shake()
    end.take(bytes.fromhex("15030300020100"))
    with pytest.raises(TlsFailure):
        end.shake()
    assert end.notes.alerts == [(False, "warning", "close_notify")] or end.broken


def test_failure_leaves_an_alert_and_what_came_before() -> None:
    """Clear text in front of a damaged record is there, the alert can be drained, and later calls fail in words."""
    end, far_end = as_server()
    shake(end, far_end)
    far_end.say(b"OPTIONS")
    end.take(far_end.step() + bytes.fromhex("1703030020") + bytes(32))
    with pytest.raises(TlsFailure, match="decryption failed or bad record mac"):
        end.read()
    assert end.clear() == b"OPTIONS"
    far_end.take(end.drain())
    far_end.step()
    assert "bad record mac" in far_end.complaint
    with pytest.raises(TlsFailure):
        end.write(b"late")


def test_no_writing_behind_our_close_notify() -> None:
    """It was the last word."""
    end, far_end = as_server()
    shake(end, far_end)
    end.close()
    with pytest.raises(TlsFailure, match="protocol is shutdown"):
        end.write(b"late")


def test_keys_are_logged() -> None:
    """In the lines that Wireshark reads."""
    lines: list[bytes] = []
    shake(*as_server("1.2", lines))
    (line,) = lines
    label, random, secret = line.split(b" ")
    assert (label, len(random), len(secret)) == (b"CLIENT_RANDOM", 64, 96)


def test_question_of_a_server() -> None:
    """It is noted; suspension is seen in the bridge."""
    end, _ = as_client()
    far_end = FarEnd(server("", papers().root), True, None)
    assert not end.asked
    for _ in range(2):
        end.shake()
        far_end.take(end.drain())
        end.take(far_end.step())
    assert end.asked
