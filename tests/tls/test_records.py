"""What the observer tells of connections written by hand: the order of messages, alerts, limits, and its silence."""

from __future__ import annotations

import pytest

from alg.tls.records import TlsObserver
from alg.tls.sightings import Message, Sender, Sighting
from tests.tls.parties import Transcript, cut, said, script, watch
from tests.tls.wire import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CHOOSES_1_3,
    EARLY_DATA,
    HANDSHAKE,
    HEARTBEAT,
    RETRY_RANDOM,
    client_hello,
    handshake,
    message,
    record,
    server_hello,
    server_name,
    supported_versions,
    vector,
)

C, S = Sender.CLIENT, Sender.SERVER
CCS = record(CHANGE_CIPHER_SPEC, b"\x01")
HELLO = record(HANDSHAKE, client_hello(server_name(b"sip.example.com")), 0x0301)
HELLO_1_3 = record(HANDSHAKE, client_hello(supported_versions(0x0304)), 0x0301)
EARLY_HELLO = record(HANDSHAKE, client_hello(supported_versions(0x0304), EARLY_DATA), 0x0301)
CHOICE = record(HANDSHAKE, server_hello())
CHOICE_1_3 = record(HANDSHAKE, server_hello(CHOOSES_1_3, suite=0x1301))
RETRY = record(HANDSHAKE, server_hello(CHOOSES_1_3, suite=0x1301, random=RETRY_RANDOM))
ENCRYPTED_ALERT = record(APPLICATION_DATA, b"a" * 19)
FLIGHT = record(APPLICATION_DATA, b"f" * 53)


def seen(*turns: tuple[Sender, bytes]) -> list[str]:
    """What is said of it, whole and byte by byte."""
    transcript: Transcript = list(turns)
    sightings = watch(transcript)
    assert watch(cut(transcript, 1)) == sightings
    return script(sightings)


def stopped(*turns: tuple[Sender, bytes]) -> tuple[list[str], str | None]:
    """What is said of it, and why no more."""
    observer, slow = TlsObserver(), TlsObserver()
    sightings = watch(list(turns), observer)
    assert watch(cut(list(turns), 1), slow) == sightings
    assert slow.not_tls == observer.not_tls
    assert observer.not_tls is None or (observer.held, slow.held) == (0, 0)
    return script(sightings), observer.not_tls


def alerts(*turns: tuple[Sender, bytes]) -> list[tuple[object, object]]:
    """Level and description of each alert."""
    sightings = watch(list(turns))
    return [(each.details["level"], each.details["description"]) for each in sightings if each.message is Message.ALERT]


def test_whole_handshake() -> None:
    """Each message says where the records begin and end that carry it."""
    observer = TlsObserver()
    [hello] = observer.feed(C, HELLO)
    assert hello == Sighting(Message.CLIENT_HELLO, C, 0, len(HELLO), hello.details)
    assert (observer.sni, observer.version, observer.not_tls) == ("sip.example.com", None, None)
    rest = handshake(11, vector(3, b"")) + handshake(14)
    found = observer.feed(S, CHOICE + rest)
    assert [(each.message, each.start, each.stop) for each in found] == [
        (Message.SERVER_HELLO, 0, len(CHOICE)),
        (Message.SERVER_CERTIFICATE, len(CHOICE), len(CHOICE) + 12),
        (Message.SERVER_HELLO_DONE, len(CHOICE) + 12, len(CHOICE) + 21),
    ]
    assert observer.version == "TLS 1.2"


def test_messages_that_share_records() -> None:
    """Two messages in one record end together; one in three records begins with the first and ends with the last."""
    packed = server_hello() + message(11, vector(3, b"")) + message(14)
    sizes = [10, 30, len(packed) - 40]
    edges = [0, 10, 40, len(packed)]
    records = [record(HANDSHAKE, packed[edges[index] : edges[index + 1]]) for index in range(3)]
    assert [len(each) - 5 for each in records] == sizes
    found = watch([(C, HELLO), (S, b"".join(records))])[1:]
    end = len(packed) + 15
    assert [(each.message, each.start, each.stop) for each in found] == [
        (Message.SERVER_HELLO, 0, end),
        (Message.SERVER_CERTIFICATE, 50, end),
        (Message.SERVER_HELLO_DONE, 50, end),
    ]


def test_hello_in_records_of_one_byte() -> None:
    """A ClientHello cut into the smallest records, with empty ones between, is one message."""
    body = client_hello(server_name(b"sip.example.com"))
    records = b"".join(record(HANDSHAKE, body[place : place + 1]) + record(HANDSHAKE) for place in range(len(body)))
    [hello] = watch([(C, records)])
    assert (hello.start, hello.stop, hello.details["sni"]) == (0, len(records) - 5, "sip.example.com")


@pytest.mark.parametrize("padding", [16_000, 65_000])
def test_large_hello(padding: int) -> None:
    """A ClientHello of 16 kB or of 64 kB, over as many records as it takes (RFC 7685)."""
    body = client_hello((21, b"\0" * padding), server_name(b"sip.example.com"))
    records = b"".join(record(HANDSHAKE, body[place : place + 2**14]) for place in range(0, len(body), 2**14))
    for size in (1, 1460, len(records)):
        [hello] = watch(cut([(C, records)], size))
        assert (hello.start, hello.stop, hello.details["sni"]) == (0, len(records), "sip.example.com")


def test_unknown_messages_are_passed_over() -> None:
    """A handshake type that nobody knows, or that the other side sends, is not reported and stops nothing."""
    turns = [(C, HELLO), (S, CHOICE + handshake(99, b"?") + handshake(1, b"no hello") + handshake(14))]
    assert seen(*turns) == ["client: client-hello", "server: server-hello server-hello-done"]


def test_hello_request() -> None:
    """A server may ask for a hello before there was one (RFC 5246 7.4.1.1)."""
    assert seen((S, handshake(0)), (C, HELLO)) == ["server: hello-request", "client: client-hello"]


def test_finished_and_what_follows() -> None:
    """Behind ChangeCipherSpec come Finished, more of the handshake if they renegotiate, and data; each noted once."""
    secret = record(HANDSHAKE, b"s" * 40)
    data = record(APPLICATION_DATA, b"d" * 20)
    lines = seen(
        (C, HELLO),
        (S, CHOICE),
        (C, CCS + secret),
        (S, CCS + secret + secret + secret),
        (C, data + data + secret + record(CHANGE_CIPHER_SPEC, b"c" * 40) + secret + data),
        (S, data + data),
    )
    assert lines == [
        "client: client-hello",
        "server: server-hello",
        "client: change-cipher-spec client-finished",
        "server: change-cipher-spec server-finished encrypted-handshake",
        "client: application-data encrypted-handshake",
        "server: application-data",
    ]


def test_tls_1_3_handshake() -> None:
    """Its ChangeCipherSpec means nothing; the client's last flight is told by the order of records, and says so."""
    turns = [(C, HELLO_1_3), (S, CHOICE_1_3 + CCS + FLIGHT), (C, CCS + FLIGHT + FLIGHT), (S, FLIGHT)]
    assert seen(*turns) == [
        "client: client-hello",
        "server: server-hello change-cipher-spec encrypted",
        "client: change-cipher-spec encrypted client-finished",
    ]
    found = watch(turns)
    assert said(found, "client-finished") == {"by": "record order"}
    assert said(found, "encrypted", 1) == {"length": 53, "alert_size": False, "early_data": False}


def test_nothing_is_guessed_in_tls_1_3() -> None:
    """A handshake message in clear behind the ServerHello is not what its type says, whoever sends it."""
    certificate = handshake(11, vector(3, b""))
    lines = seen((C, HELLO_1_3), (S, CHOICE_1_3 + certificate + handshake(2, b"?")), (C, certificate))
    assert lines == ["client: client-hello", "server: server-hello"]


def test_hello_retry_request() -> None:
    """The second round is in clear as well, with both sides' ChangeCipherSpec between."""
    turns = ((C, HELLO_1_3), (S, RETRY + CCS), (C, CCS + HELLO_1_3), (S, CHOICE_1_3 + FLIGHT), (C, FLIGHT))
    assert seen(*turns) == [
        "client: client-hello",
        "server: hello-retry-request change-cipher-spec",
        "client: change-cipher-spec client-hello",
        "server: server-hello encrypted",
        "client: encrypted client-finished",
    ]


def test_client_ends_the_handshake_with_an_alert() -> None:
    """A first encrypted record as short as an alert is no Finished (RFC 8446 5.2); its size is all that is said."""
    for size in (19, 11):
        turns = [(C, HELLO_1_3), (S, CHOICE_1_3 + FLIGHT), (C, record(APPLICATION_DATA, b"a" * size))]
        assert seen(*turns)[-1] == "client: encrypted"
        assert said(watch(turns), "encrypted", 1)["alert_size"] is True


def test_early_data_hides_finished() -> None:
    """Early data looks like any encrypted record, so where the last flight begins is not said (RFC 8446 2.3)."""
    turns = [(C, EARLY_HELLO + CCS + FLIGHT), (S, CHOICE_1_3 + FLIGHT), (C, FLIGHT + FLIGHT)]
    assert seen(*turns) == [
        "client: client-hello change-cipher-spec encrypted",
        "server: server-hello encrypted",
    ]
    assert said(watch(turns), "encrypted")["early_data"] is True


def test_early_data_offered_but_not_sent() -> None:
    """Then, too, nobody can tell what the client's first encrypted record is."""
    turns = [(C, EARLY_HELLO), (S, CHOICE_1_3 + FLIGHT), (C, FLIGHT)]
    assert seen(*turns)[-1] == "client: encrypted"
    assert said(watch(turns), "encrypted", 1)["early_data"] is True


def test_early_data_after_a_retry() -> None:
    """A second hello offers none (RFC 8446 4.2.10), so what is encrypted behind it is the last flight."""
    turns = ((C, EARLY_HELLO + FLIGHT), (S, RETRY), (C, FLIGHT + HELLO_1_3), (S, CHOICE_1_3 + FLIGHT), (C, FLIGHT))
    assert seen(*turns) == [
        "client: client-hello encrypted",
        "server: hello-retry-request",
        "client: client-hello",
        "server: server-hello encrypted",
        "client: client-finished",
    ]


def test_early_data_to_an_old_server() -> None:
    """A server that only knows TLS 1.2 answers early data with a ServerHello, or an alert (RFC 8446 D.3)."""
    turns = ((C, EARLY_HELLO), (S, CHOICE), (C, FLIGHT + CCS + record(HANDSHAKE, b"s" * 40) + FLIGHT))
    assert seen(*turns)[-1] == "client: encrypted change-cipher-spec client-finished application-data"


def test_draft_of_tls_1_3() -> None:
    """A draft is encrypted like TLS 1.3, and called by its number."""
    observer = TlsObserver()
    choice = record(HANDSHAKE, server_hello((43, b"\x7f\x1c")))
    assert script(watch([(C, HELLO_1_3), (S, choice + FLIGHT), (C, FLIGHT)], observer))[1:] == [
        "server: server-hello encrypted",
        "client: encrypted client-finished",
    ]
    assert observer.version == "0x7f1c"


def test_change_of_cipher_before_the_version_is_known() -> None:
    """It means nothing then; the one that counts is reported once more."""
    turns = ((C, HELLO + CCS), (S, CHOICE), (C, handshake(16, b"k") + CCS + record(HANDSHAKE, b"s" * 40)))
    assert seen(*turns) == [
        "client: client-hello change-cipher-spec",
        "server: server-hello",
        "client: client-key-exchange change-cipher-spec client-finished",
    ]


def test_alerts_in_clear() -> None:
    """They say what their two bytes are called."""
    turns = [(C, HELLO + record(ALERT, b"\x01\x5a")), (S, record(ALERT, b"\x02\x30") + record(ALERT, b"\x09\x63"))]
    assert alerts(*turns) == [("warning", "user_canceled"), ("fatal", "unknown_ca"), ("9", "99")]
    assert seen(*turns) == ["client: client-hello alert", "server: alert alert"]


def test_alerts_under_keys() -> None:
    """Behind its sender's ChangeCipherSpec an alert is encrypted, whatever its length; the other side's is not yet."""
    start = [(C, HELLO), (S, CHOICE), (C, CCS)]
    assert alerts(*start, (C, record(ALERT, b"\x02\x28"))) == [("encrypted", "encrypted")]
    assert alerts(*start, (C, record(ALERT, b"e" * 26))) == [("encrypted", "encrypted")]
    assert alerts(*start, (S, record(ALERT, b"\x02\x28"))) == [("fatal", "handshake_failure")]


def test_alert_in_clear_in_tls_1_3() -> None:
    """Some clients refuse a certificate before they use their keys."""
    assert alerts((C, HELLO_1_3), (S, CHOICE_1_3 + FLIGHT), (C, record(ALERT, b"\x02\x2a"))) == [
        ("fatal", "bad_certificate"),
    ]


def test_odd_alerts() -> None:
    """One that is longer is taken to be encrypted, one byte is no alert yet."""
    assert alerts((C, record(ALERT, b"\x02\x28\x02\x28")), (C, record(ALERT, b"\x02"))) == [
        ("encrypted", "encrypted"),
        ("incomplete", "incomplete"),
    ]


def test_records_without_contents() -> None:
    """Empty records, which some send against attacks on CBC, are nobody's message; nor are heartbeats."""
    empty = b"".join(map(record, (ALERT, HANDSHAKE, APPLICATION_DATA, CHANGE_CIPHER_SPEC)))
    beat = record(HEARTBEAT, b"\x01\x00\x00")
    turns = ((C, empty + HELLO + empty + beat), (S, CHOICE + empty), (C, CCS + empty + record(HANDSHAKE, b"s" * 40)))
    assert seen(*turns) == [
        "client: client-hello",
        "server: server-hello",
        "client: change-cipher-spec client-finished",
    ]


def test_data_without_a_handshake() -> None:
    """A connection that is joined in the middle shows data, and nothing is made up around it."""
    assert seen((C, FLIGHT + FLIGHT), (S, FLIGHT)) == ["client: application-data", "server: application-data"]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([(C, b"REGISTER sip:x SIP/2.0")], "not TLS: starts with 52 45 47"),
        ([(C, b"\x80\x2e\x01\x00\x02\x00\x15")], "SSLv2 ClientHello"),
        ([(S, b"SIP/2.0 400 ")], "not TLS: starts with 53 49 50 (server)"),
        ([(C, HELLO), (S, b"HTTP/1.1 400")], "not TLS: starts with 48 54 54 (server)"),
        ([(C, HELLO + b"ACK sip:x")], f"no TLS record at offset {len(HELLO)}: 41 43 4b"),
        ([(C, record(HANDSHAKE, b"\1" * 18433))], "record of 18433 bytes at offset 0, longest is 18432"),
        (
            [(C, HELLO_1_3), (S, CHOICE_1_3 + record(APPLICATION_DATA, b"d" * 16641))],
            f"record of 16641 bytes at offset {len(CHOICE_1_3)}, longest is 16640 (server)",
        ),
        (
            [(C, HELLO), (S, CHOICE + record(HANDSHAKE, b"\x0b\x02\x00\x01"))],
            f"handshake message of 131073 bytes at offset {len(CHOICE)}, longest is 131072 (server)",
        ),
        (
            [(C, handshake(1, b"\x03\x03"))],
            "malformed client-hello at offset 0: a field of 32 bytes where 0 are left",
        ),
        (
            [(C, HELLO), (S, CHOICE + handshake(11, b"\0\0\5ab"))],
            f"malformed server-certificate at offset {len(CHOICE)}: a field of 5 bytes where 2 are left (server)",
        ),
        (
            [(C, HELLO), (S, CHOICE), (C, record(HANDSHAKE, b"\x10\0") + CCS)],
            f"handshake message at offset {len(HELLO)} is cut by a change of keys",
        ),
    ],
)
def test_why_it_stopped_looking(turns: Transcript, reason: str) -> None:
    """What is no TLS, and where."""
    assert stopped(*turns)[1] == reason


def test_silence_afterwards() -> None:
    """Once it has stopped, what was seen before it stands, and nothing more is said or kept, of either side."""
    observer = TlsObserver()
    assert len(observer.feed(C, HELLO + b"garbage" + HELLO)) == 1
    reason = observer.not_tls
    assert observer.feed(C, HELLO) == []
    assert observer.feed(S, CHOICE) == []
    assert (observer.not_tls, observer.held) == (reason, 0)
    assert (observer.sni, observer.version) == ("sip.example.com", None)


def test_memory_is_bounded() -> None:
    """However long a connection lives, and whatever it says slowly, no more than one message is kept for each side."""
    observer = TlsObserver()
    watch([(C, HELLO), (S, CHOICE)], observer)
    for sender, kind in ((S, 11), (C, 16)):
        observer.feed(sender, record(HANDSHAKE, bytes((kind,)) + (128 * 1024).to_bytes(3)))
        for _ in range(7):
            observer.feed(sender, record(HANDSHAKE, b"\0" * 2**14))
    assert 2 * 7 * 2**14 <= observer.held <= 2 * (128 * 1024 + 2**14)
    observer = TlsObserver()
    watch([(C, HELLO), (S, CHOICE), (C, CCS)], observer)
    held = set()
    for kind in (APPLICATION_DATA, HANDSHAKE, ALERT, CHANGE_CIPHER_SPEC) * 5:
        data = record(kind, b"d" * 2**14)
        observer.feed(C, data[:9000])
        held.add(observer.held)
        observer.feed(C, data[9000:])
    assert held == {5}
