"""Names in certificates as they pass: in handshakes of ours, in any segmentation, and in bytes that are none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from alg.tls.policy import TlsVersion
from alg.tls.sightings import Message, Sender
from harness.ca import Pki
from harness.peers.tls_meeting import Meeting
from harness.peers.tls_trust import Names, names_of
from harness.peers.tls_watch import Watch
from tests.harness.peers.pair import Pair

CLIENT, SERVER = Sender.CLIENT, Sender.SERVER
NO_CERTIFICATE = bytes.fromhex("16 0303 0007 0b 000003 000000")
CHANGE_CIPHER_SPEC = bytes.fromhex("14 0303 0001 01")


def certificate(der: bytes) -> bytes:
    """A record with a handshake message with a chain of one."""
    chain = len(der).to_bytes(3) + der
    body = len(chain).to_bytes(3) + chain
    message = bytes([11]) + len(body).to_bytes(3) + body
    return bytes.fromhex("16 0303") + len(message).to_bytes(2) + message


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_both_certificates(pki: Pki, size: int) -> None:
    """Of Expressway-E, the server, and of Webex, with what an observer sees beside."""
    pair = Pair(pki).run()
    meeting = Meeting(True)
    watch = Watch(meeting)
    streams = {SERVER: pair.inside.sent, CLIENT: pair.outside.sent}
    for sender, stream in streams.items():
        for at in range(0, len(stream), size):
            watch.feed(sender, stream[at : at + size])
    shown = {SERVER: "expressway-e", CLIENT: "webex"}
    assert meeting.names == {sender: names_of(pki[name].certificate) for sender, name in shown.items()}
    assert {Message.SERVER_CERTIFICATE, Message.CLIENT_CERTIFICATE} <= {each.message for each in meeting.seen}


def test_tls_1_3(pki: Pki) -> None:
    """Hides them."""
    pair = Pair(pki, version=TlsVersion.TLS_1_3).run()
    assert (pair.inside.meeting.names, pair.outside.meeting.names) == ({}, {})


@pytest.mark.parametrize("data", [NO_CERTIFICATE, certificate(b"no DER")], ids=["none", "unreadable"])
def test_nobody(data: bytes) -> None:
    """Is named by a chain that is empty, or that cannot be read."""
    meeting = Meeting(True)
    Watch(meeting).feed(CLIENT, data)
    assert meeting.names == {CLIENT: Names("", ())}


@pytest.mark.parametrize(
    "data",
    [b"OPTIONS sip:a@example.com SIP/2.0", bytes.fromhex("16 0303 0005 0b 000001 00"), CHANGE_CIPHER_SPEC],
    ids=["no TLS", "cut", "encrypted"],
)
def test_what_shows_no_certificate(data: bytes) -> None:
    """Nor does what follows."""
    meeting = Meeting(True)
    watch = Watch(meeting)
    watch.feed(CLIENT, data)
    watch.feed(CLIENT, NO_CERTIFICATE)
    assert meeting.names == {}


def test_the_first_one_counts(pki: Pki) -> None:
    """Another one is that of a renegotiation."""
    meeting = Meeting(True)
    watch = Watch(meeting)
    watch.feed(CLIENT, NO_CERTIFICATE)
    watch.feed(CLIENT, certificate(pki["webex"].certificate.public_bytes(Encoding.DER)))
    assert meeting.names == {CLIENT: Names("", ())}
