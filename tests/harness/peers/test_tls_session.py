"""One side of a connection in memory: any segmentation, any bytes, an end at any point."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.peers.tls_meeting import Loss
from harness.peers.tls_rows import GOOD, ROWS
from harness.peers.tls_session import Ending
from tests.harness.peers.pair import Pair

TLS_1_2, TLS_1_3 = TlsVersion.TLS_1_2, TlsVersion.TLS_1_3
VERSIONS = pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
DISCONNECT = "No SSL error available, probably remote disconnect"
SITUATIONS = {"good": GOOD, "good, outbound": replace(GOOD, inbound=False)}
SITUATIONS |= {name: ROWS[name].broken for name in ("T1", "T2", "T3", "T5", "T6", "T7")}
SITUATIONS |= {f"{name}, outbound": replace(ROWS[name].broken, inbound=False) for name in ("T1", "T2", "T3")}


@VERSIONS
@pytest.mark.parametrize("name", SITUATIONS)
def test_segmentation_does_not_matter(pki: Pki, name: str, version: TlsVersion) -> None:
    """Whole, in pieces of 100 bytes, byte by byte: both logs say the same, in the same order."""
    pairs = [Pair(pki, SITUATIONS[name], version, piece).run() for piece in (1 << 20, 100, 1)]
    for pair in pairs[1:]:
        for end, whole in ((pair.inside, pairs[0].inside), (pair.outside, pairs[0].outside)):
            assert end.said == whole.said
            assert (end.meeting.answered, end.meeting.loss) == (whole.meeting.answered, whole.meeting.loss)
            if name.startswith("good"):
                assert [each.message for each in end.meeting.seen] == [each.message for each in whole.meeting.seen]
    assert pairs[0].inside.meeting.answered is name.startswith("good")


def test_the_client_of_tls_1_3_waits_for_a_word_of_the_server(pki: Pki) -> None:
    """Its own handshake is done, and its request sent; that it was accepted it knows by what comes next."""
    pair = Pair(pki, SITUATIONS["good, outbound"], TLS_1_3)
    pair.step(pair.client)
    pair.step(pair.server)
    assert pair.client.session.concluded is False
    assert "Sending Request Method=OPTIONS" in pair.client.said
    assert not pair.client.meeting.established
    assert "Handshake succeeded" not in pair.client.said
    pair.run()
    assert pair.client.meeting.established
    assert pair.client.said.count("Handshake succeeded") == 1


@pytest.mark.parametrize("loss", [Loss.RESET, Loss.EOF])
def test_the_client_of_tls_1_3_is_cut_off_without_a_word(pki: Pki, loss: Loss) -> None:
    """That is a handshake that failed, as it is in TLS 1.2."""
    pair = Pair(pki, SITUATIONS["good, outbound"], TLS_1_3)
    pair.step(pair.client)
    pair.step(pair.server)
    pair.client.session.lost(loss)
    assert 'Event="Outbound TLS Negotiation Error" Service="SIP"' in pair.client.said
    assert f'Detail="{DISCONNECT}"' in pair.client.said
    assert pair.client.meeting.loss is loss


def test_half_an_alert_is_no_word(pki: Pki) -> None:
    """A client of TLS 1.3 is not accepted by the beginning of the alert that refuses it."""
    pair = Pair(pki, replace(ROWS["T3"].broken, inbound=False), TLS_1_3)
    pair.step(pair.client)
    pair.step(pair.server)
    pair.step(pair.client)
    (alert,) = pair.server.sending
    pair.client.session.feed(alert[:-1])
    assert not pair.client.meeting.established
    pair.client.session.feed(alert[-1:])
    assert 'Detail="sslv3 alert certificate unknown"' in pair.client.said
    assert "Handshake succeeded" not in pair.client.said


@pytest.mark.parametrize("together", [True, False])
def test_the_client_of_tls_1_3_is_accepted_and_left(pki: Pki, together: bool) -> None:
    """Session tickets are a word too, and a goodbye that comes with them makes no difference."""
    pair = Pair(pki, SITUATIONS["good, outbound"], TLS_1_3)
    pair.step(pair.client)
    pair.step(pair.server)
    *handshake, request = records_of(pair.client.sending.popleft())
    pair.server.obey(pair.server.session.feed(b"".join(handshake)))
    pair.server.obey(pair.server.session.hang_up())
    tickets, goodbye = pair.server.sending
    for data in (tickets + goodbye,) if together else (tickets, goodbye):
        pair.client.obey(pair.client.session.feed(data))
    assert len(request) > len("OPTIONS")
    assert pair.client.meeting.established
    assert "Error" not in pair.client.said
    assert pair.client.said.rstrip().endswith('Detail="TCP Connection Closed" Reason="Got EOF on socket"')


def records_of(data: bytes) -> list[bytes]:
    """TLS records, by the length in bytes 3 and 4 of each (RFC 8446 5.1)."""
    found = []
    while data:
        end = 5 + int.from_bytes(data[3:5])
        found.append(data[:end])
        data = data[end:]
    return found


def test_a_goodbye_alone_is_no_word(pki: Pki, papers: Path) -> None:
    """A server of TLS 1.3 that says nothing but close_notify has not accepted its client."""
    pair = Pair(pki, SITUATIONS["good, outbound"], TLS_1_3)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets, context.verify_mode = 0, ssl.CERT_REQUIRED
    context.load_cert_chain(papers / "webex-chain.pem", papers / "webex.key")
    context.load_verify_locations(papers / "expressway-e-root.crt")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(pair.client.sending.popleft())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    pair.client.obey(pair.client.session.feed(outgoing.read()))
    incoming.write(pair.client.sending.popleft())
    server.do_handshake()
    assert server.read().startswith(b"OPTIONS ")
    with pytest.raises(ssl.SSLWantReadError):
        server.unwrap()
    pair.client.obey(pair.client.session.feed(outgoing.read()))
    assert not pair.client.meeting.established
    assert f'Detail="{DISCONNECT}"' in pair.client.said
    assert "Handshake succeeded" not in pair.client.said


@VERSIONS
@pytest.mark.parametrize("inbound", [True, False])
def test_an_end_at_any_point(pki: Pki, version: TlsVersion, inbound: bool) -> None:
    """After any number of the other side's bytes: a handshake cut off, or one that stood and was closed."""
    situation = replace(GOOD, inbound=inbound)
    for cut in (0, 1, 5, 60, 200, 1000, 2000):
        pair = Pair(pki, situation, version)
        sender = pair.client if inbound else pair.server
        received = 0
        while not pair.inside.session.over:
            if not sender.sending:
                other = pair.server if sender is pair.client else pair.client
                if not pair.step(other):
                    break
                continue
            piece = sender.sending.popleft()[: cut - received] if cut > received else b""
            received += len(piece)
            if piece:
                pair.inside.obey(pair.inside.session.feed(piece))
            if received >= cut:
                pair.inside.session.lost(Loss.RESET)
        assert pair.inside.session.over
        assert pair.inside.said.count("TCP Connection Closed") == 1
        assert (DISCONNECT in pair.inside.said) is not pair.inside.meeting.established


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(min_size=1, max_size=300), inbound=st.booleans(), version=st.sampled_from([TLS_1_2, TLS_1_3]))
def test_garbage_instead_of_tls(pki: Pki, garbage: bytes, inbound: bool, version: TlsVersion) -> None:
    """Whatever comes, nothing is raised; the log has one failure at most, and one if the connection ends."""
    pair = Pair(pki, replace(GOOD, inbound=inbound), version)
    pair.inside.obey(pair.inside.session.feed(garbage))
    pair.inside.session.lost(Loss.EOF)
    assert pair.inside.said.count("TLS Negotiation Error") == 1
    assert pair.inside.said.count("TCP Connection Closed") == 1
    assert not pair.inside.meeting.established


def test_http_instead_of_tls(pki: Pki) -> None:
    """The log says what OpenSSL thinks of it."""
    pair = Pair(pki)
    pair.inside.obey(pair.inside.session.feed(b"GET / HTTP/1.1\r\n\r\n"))
    assert 'Detail="http request" Protocol="TLS"' in pair.inside.said
    assert pair.inside.ending is Ending.CLOSE


@VERSIONS
def test_a_goodbye_is_answered(pki: Pki, version: TlsVersion) -> None:
    """Who hangs up says so, and is answered; the other one's log says that the connection was closed, and no error."""
    pair = Pair(pki, version=version).run()
    before = len(pair.inside.sent)
    pair.outside.obey(pair.outside.session.hang_up())
    pair.run()
    assert len(pair.inside.sent) > before
    assert pair.inside.ending is Ending.CLOSE
    assert pair.inside.said.rstrip().endswith('Detail="TCP Connection Closed" Reason="Got EOF on socket"')
    assert "Error" not in pair.inside.said
    assert "TCP Connection Closed" not in pair.outside.said


@VERSIONS
def test_a_byte_changed_on_the_way(pki: Pki, version: TlsVersion) -> None:
    """As an ALG that edits cipher text does it: an alert goes out, and the log has the connection closed for it."""
    pair = Pair(pki, version=version).run()
    pair.outside.obey(pair.outside.session.hang_up())
    goodbye = bytearray(pair.outside.sending.popleft())
    goodbye[-1] ^= 1
    before = len(pair.inside.sent)
    pair.inside.obey(pair.inside.session.feed(bytes(goodbye)))
    assert len(pair.inside.sent) > before
    assert "decryption failed or bad record mac" in pair.inside.said.splitlines()[-1]
    assert pair.inside.meeting.failure is None
    assert pair.inside.meeting.established


def test_nothing_is_said_of_a_connection_that_was_given_up(pki: Pki) -> None:
    """Whoever hangs up in the middle of a handshake sends nothing and logs nothing any more."""
    pair = Pair(pki)
    pair.step(pair.client)
    said = pair.inside.said
    pair.inside.session.hang_up()
    pair.inside.session.feed(b"\x00" * 10)
    pair.inside.session.lost(Loss.RESET)
    assert pair.inside.said == said
    assert pair.inside.meeting.loss is Loss.RESET
