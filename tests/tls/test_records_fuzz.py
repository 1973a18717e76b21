"""Whatever the bytes and wherever TCP cuts them: no exception, nothing lost, nothing made up, little kept."""

from __future__ import annotations

import ssl
from functools import cache
from itertools import cycle, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from alg.tls.framing import LONGEST_MESSAGE, LONGEST_RECORD
from alg.tls.records import TlsObserver
from alg.tls.sightings import Message, Sender, Sighting
from tests.tls.parties import Conversation, Papers, Transcript, cut
from tests.tls.wire import (
    CHOOSES_1_3,
    EARLY_DATA,
    RETRY_RANDOM,
    client_hello,
    message,
    record,
    server_hello,
    supported_versions,
    vector,
)

MOST_HELD = 2 * (LONGEST_MESSAGE + LONGEST_RECORD)
VERSIONS = ("1.1", "1.2", "1.3")


@cache
def conversations() -> dict[str, Transcript]:
    """Real ones, with certificates on both sides."""
    with TemporaryDirectory() as folder:
        papers = Papers(Path(folder))
        return {
            version: Conversation(
                papers.client(version, "client"), papers.server(version, ssl.CERT_REQUIRED)
            ).transcript
            for version in VERSIONS
        }


def seen(transcript: Transcript) -> tuple[list[Sighting], str | None, str | None, str | None]:
    """All that an observer says; what must hold for any bytes is checked as they come."""
    observer = TlsObserver()
    sightings: list[Sighting] = []
    sent = [0, 0]
    for sender, data in transcript:
        sent[sender] += len(data)
        stops = []
        for sighting in observer.feed(sender, data):
            assert sighting.sender is sender
            assert 0 <= sighting.start < sighting.stop <= sent[sender], "a record is reported when it has come"
            stops.append(sighting.stop)
            sightings.append(sighting)
        assert stops == sorted(stops)
        assert observer.held <= MOST_HELD
        assert observer.not_tls is None or observer.held == 0
    return sightings, observer.not_tls, observer.sni, observer.version


SENDERS = st.sampled_from(list(Sender))
FRAGMENTS = st.sampled_from(
    [
        *(b"", b"\x16\x03\x01", b"\x14\x03\x03\x00\x01\x01", b"\x15\x03\x03\x00\x02\x02\x28", b"\x17\x03\x03\x00\x13"),
        *(b"\x80\x2e\x01\x03\x01", b"OPTIONS sip:x SIP/2.0\r\n", b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00"),
        record(22, client_hello(supported_versions(0x0304), EARLY_DATA)),
        record(22, server_hello(CHOOSES_1_3, random=RETRY_RANDOM)),
        record(22, server_hello(CHOOSES_1_3)),
        record(22, server_hello()),
        record(22, message(11, vector(3, vector(3, b"\x30\x03\x30\x01\x02")))),
        record(22, message(13, b"\x01\x40\x00\x02\x04\x03\x00\x00")),
        record(23, b"d" * 19),
    ]
)
PIECES = st.tuples(SENDERS, st.one_of(st.binary(max_size=40), FRAGMENTS))


@given(st.lists(PIECES, max_size=20))
def test_any_bytes(transcript: Transcript) -> None:
    """Nothing is raised, and the same is said however the bytes come."""
    assert seen(cut(transcript, 1)) == seen(transcript)


@given(st.sampled_from(VERSIONS), st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_any_segmentation(version: str, sizes: list[int]) -> None:
    """A real handshake shows the same however it is cut."""
    transcript = conversations()[version]
    pieces: Transcript = []
    size = cycle(sizes)
    for sender, data in transcript:
        edges = [0]
        while edges[-1] < len(data):
            edges.append(edges[-1] + next(size))
        pieces += [(sender, data[start:stop]) for start, stop in pairwise(edges)]
    assert seen(pieces) == seen(transcript)


@given(
    st.sampled_from(VERSIONS),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=4),
)
def test_damaged_handshakes(version: str, damages: list[tuple[int, int, bytes]]) -> None:
    """Bytes changed, removed or added anywhere in a real handshake."""
    transcript = list(conversations()[version])
    for place, removed, added in damages:
        turn, (sender, data) = place % len(transcript), transcript[place % len(transcript)]
        at = place // len(transcript) % (len(data) + 1)
        transcript[turn] = (sender, data[:at] + added + data[at + removed :])
    assert seen(cut(transcript, 1)) == seen(transcript)


@given(st.sampled_from(VERSIONS), st.data())
def test_damaged_bytes_in_clear(version: str, data: st.DataObject) -> None:
    """A byte or two of another value where the handshake is in clear, lengths and all."""
    transcript = list(conversations()[version])
    for _ in range(data.draw(st.integers(1, 2))):
        turn = data.draw(st.integers(0, 2))
        sender, raw = transcript[turn]
        at = data.draw(st.integers(0, len(raw) - 1))
        transcript[turn] = (sender, raw[:at] + data.draw(st.binary(min_size=1, max_size=1)) + raw[at + 1 :])
    sightings, not_tls, _, _ = seen(transcript)
    assert sightings or not_tls
    assert seen(cut(transcript, 7)) == seen(transcript)


@given(st.sampled_from(VERSIONS), st.lists(st.integers(0, 8), max_size=12))
def test_turns_in_any_order(version: str, order: list[int]) -> None:
    """Flights that are lost, repeated or come too early raise nothing either."""
    transcript = conversations()[version]
    turns = [transcript[number % len(transcript)] for number in order]
    assert seen(cut(turns, 3)) == seen(turns)


def test_conversations_are_whole() -> None:
    """The handshakes that are damaged here are good ones."""
    for version, transcript in conversations().items():
        sightings, not_tls, sni, chosen = seen(transcript)
        assert (not_tls, sni, chosen) == (None, "sip.example.com", f"TLS {version}")
        assert Message.CLIENT_FINISHED in [each.message for each in sightings]
