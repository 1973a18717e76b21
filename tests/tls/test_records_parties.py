"""What is seen of handshakes of Python's `ssl` with itself, and what Wireshark, with the keys, says was there."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from alg.tls.records import TlsObserver
from alg.tls.sightings import Message, Sender, Sighting
from tests.tls.parties import Conversation, Papers, Transcript, cut, said, script, watch
from tests.tls.wireshark import JudgedRecord, judge

CHAIN = {"chain": 3, "subjects": ["CN=sip.example.com", "CN=Test Intermediate", "CN=Test Root"]}
CLIENT_CHAIN = {"chain": 3, "subjects": ["CN=client.example.com", "CN=Test Intermediate", "CN=Test Root"]}

Setting = Callable[[Papers], Conversation]


def mutual(version: str) -> Setting:
    """Both sides show a certificate."""
    return lambda papers: Conversation(papers.client(version, "client"), papers.server(version, ssl.CERT_REQUIRED))


def plain(version: str) -> Setting:
    """Only the server does."""
    return lambda papers: Conversation(papers.client(version), papers.server(version))


def without(version: str) -> Setting:
    """The client has none to show, which the server allows."""
    return lambda papers: Conversation(papers.client(version), papers.server(version, ssl.CERT_OPTIONAL))


def stranger(version: str) -> Setting:
    """The server does not trust the client's."""
    return lambda papers: Conversation(papers.client(version, "stranger"), papers.server(version, ssl.CERT_REQUIRED))


def distrust(version: str) -> Setting:
    """The client does not trust the server's."""
    return lambda papers: Conversation(papers.client(version, trusts="stranger"), papers.server(version))


def resumed(version: str, tickets: bool = True) -> Setting:
    """The second connection of a client that remembers the first."""

    def converse(papers: Papers) -> Conversation:
        client, server = papers.client(version), papers.server(version)
        if not tickets:
            server.options |= ssl.OP_NO_TICKET
        session = Conversation(client, server).client.session
        return Conversation(client, server, session=session)

    return converse


def retried(papers: Papers) -> Conversation:
    """The server wants another curve than the client's first choice."""
    server = papers.server("1.3")
    server.set_ecdh_curve("secp521r1")
    return Conversation(papers.client("1.3"), server)


def mismatched(papers: Papers) -> Conversation:
    """There is no version that both know."""
    return Conversation(papers.client("1.2"), papers.server("1.3"))


CLOSE_1_2 = ["client: application-data", "server: application-data", "client: alert", "server: alert"]
FULL_1_2 = [
    "client: client-hello",
    "server: server-hello server-certificate server-key-exchange certificate-request server-hello-done",
    "client: client-certificate client-key-exchange certificate-verify change-cipher-spec client-finished",
    "server: new-session-ticket change-cipher-spec server-finished",
    *CLOSE_1_2,
]
SHORT_1_2 = [
    "client: client-hello",
    "server: server-hello change-cipher-spec server-finished",
    "client: change-cipher-spec client-finished application-data",
    *CLOSE_1_2[1:],
]
FULL_1_3 = [
    "client: client-hello",
    "server: server-hello change-cipher-spec encrypted",
    "client: change-cipher-spec encrypted client-finished",
]

SCRIPTS: dict[str, tuple[Setting, list[str]]] = {
    "mutual TLS 1.1": (mutual("1.1"), FULL_1_2),
    "mutual TLS 1.2": (mutual("1.2"), FULL_1_2),
    "plain TLS 1.2": (
        plain("1.2"),
        [
            FULL_1_2[0],
            "server: server-hello server-certificate server-key-exchange server-hello-done",
            "client: client-key-exchange change-cipher-spec client-finished",
            *FULL_1_2[3:],
        ],
    ),
    "no certificate TLS 1.2": (
        without("1.2"),
        [
            *FULL_1_2[:2],
            "client: client-certificate client-key-exchange change-cipher-spec client-finished",
            *FULL_1_2[3:],
        ],
    ),
    "stranger TLS 1.2": (stranger("1.2"), [*FULL_1_2[:3], "server: alert"]),
    "distrust TLS 1.2": (
        distrust("1.2"),
        [
            FULL_1_2[0],
            "server: server-hello server-certificate server-key-exchange server-hello-done",
            "client: alert",
        ],
    ),
    "ticket TLS 1.2": (resumed("1.2"), SHORT_1_2),
    "session identifier TLS 1.2": (resumed("1.2", tickets=False), SHORT_1_2),
    "mutual TLS 1.3": (mutual("1.3"), FULL_1_3),
    "plain TLS 1.3": (plain("1.3"), FULL_1_3),
    "no certificate TLS 1.3": (without("1.3"), FULL_1_3),
    "stranger TLS 1.3": (stranger("1.3"), FULL_1_3),
    "distrust TLS 1.3": (distrust("1.3"), [*FULL_1_3[:2], "client: alert"]),
    "resumed TLS 1.3": (resumed("1.3"), FULL_1_3),
    "retried TLS 1.3": (
        retried,
        [
            "client: client-hello",
            "server: hello-retry-request change-cipher-spec",
            "client: change-cipher-spec client-hello",
            "server: server-hello encrypted",
            "client: encrypted client-finished",
        ],
    ),
    "no common version": (mismatched, ["client: client-hello", "server: alert"]),
}


@pytest.fixture(scope="module")
def recorded(papers: Papers) -> dict[str, Transcript]:
    """What crossed in each of them; the keys are in the file `keys`."""
    keyed = _KeyedPapers(papers.folder, papers.root)
    return {name: setting(keyed).transcript for name, (setting, _) in SCRIPTS.items()}


class _KeyedPapers(Papers):
    """Clients write their keys down."""

    def client(self, version: str, certificate: str = "", trusts: str = "root") -> ssl.SSLContext:
        context = super().client(version, certificate, trusts)
        context.keylog_filename = str(self.folder / "keys")
        return context


@pytest.fixture(scope="module")
def judged(
    papers: Papers, recorded: dict[str, Transcript], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[JudgedRecord]]:
    """What Wireshark says of each."""
    found = judge(tmp_path_factory.mktemp("judge"), list(recorded.values()), papers.folder / "keys")
    return dict(zip(recorded, found, strict=True))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(recorded: dict[str, Transcript], name: str) -> None:
    """Who says what, in order, whatever the segmentation; and nothing is kept at the end."""
    observer = TlsObserver()
    sightings = watch(recorded[name], observer)
    assert script(sightings) == SCRIPTS[name][1]
    assert (observer.sni, observer.not_tls, observer.held) == ("sip.example.com", None, 0)
    for size in (1, 5, 6, 100, 1460):
        assert watch(cut(recorded[name], size)) == sightings


NAMES = {
    (0, Sender.SERVER): "hello-request",
    (1, Sender.CLIENT): "client-hello",
    (4, Sender.SERVER): "new-session-ticket",
    (11, Sender.SERVER): "server-certificate",
    (11, Sender.CLIENT): "client-certificate",
    (12, Sender.SERVER): "server-key-exchange",
    (13, Sender.SERVER): "certificate-request",
    (14, Sender.SERVER): "server-hello-done",
    (15, Sender.CLIENT): "certificate-verify",
    (16, Sender.CLIENT): "client-key-exchange",
    (20, Sender.CLIENT): "client-finished",
    (20, Sender.SERVER): "server-finished",
}


def expected_of(records: list[JudgedRecord]) -> list[tuple[str, Sender, int, int]]:
    """What an observer without keys is to report of what Wireshark, with keys, found."""
    expected: list[tuple[str, Sender, int, int]] = []
    once: set[tuple[str, Sender]] = set()
    hellos = 0
    for each in records:
        words: list[str] = []
        if each.encrypted:
            words = ["encrypted"]
            if each.sender is Sender.CLIENT:
                words.append("client-finished")
        elif each.kind == 22:
            for number in each.messages:
                hellos += number == 1
                words.append(NAMES.get((number, each.sender), ""))
                if number == 2:
                    final = hellos == sum(other.messages.count(1) for other in records)
                    words[-1] = "server-hello" if final else "hello-retry-request"
        else:
            words = [{20: "change-cipher-spec", 21: "alert", 23: "application-data"}[each.kind]]
        for word in words:
            if (word, each.sender) in once and word != "alert" and not word.endswith("hello"):
                continue
            once.add((word, each.sender))
            expected.append((word, each.sender, each.start, each.stop))
    return expected


@pytest.mark.parametrize("name", SCRIPTS)
def test_wireshark_agrees(recorded: dict[str, Transcript], judged: dict[str, list[JudgedRecord]], name: str) -> None:
    """Every message is where Wireshark finds it, none is missing, none is made up."""
    found = [(each.message.value, each.sender, each.start, each.stop) for each in watch(recorded[name])]
    assert found == expected_of(judged[name])


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("mutual TLS 1.3", 11),
        ("no certificate TLS 1.3", 11),
        ("plain TLS 1.3", 20),
        ("resumed TLS 1.3", 20),
        ("retried TLS 1.3", 20),
    ],
)
def test_last_flight_in_tls_1_3(
    recorded: dict[str, Transcript], judged: dict[str, list[JudgedRecord]], name: str, first: int
) -> None:
    """Where the order of records says that the client's last flight begins, the keys show its first message."""
    [flight] = [each for each in watch(recorded[name]) if each.message is Message.CLIENT_FINISHED]
    [record] = [each for each in judged[name] if (each.sender, each.start) == (Sender.CLIENT, flight.start)]
    assert record.messages[0] == first
    assert record.stop == flight.stop


def alert_in(recorded: dict[str, Transcript], name: str) -> dict[str, object]:
    """The details of the first alert."""
    return said(watch(recorded[name]), "alert")


def test_details(recorded: dict[str, Transcript]) -> None:
    """Names, versions, protocols and certificates are what the parties were given."""
    sightings = watch(recorded["mutual TLS 1.2"])
    hello = said(sightings, "client-hello")
    assert (hello["sni"], hello["alpn"], hello["versions"]) == ("sip.example.com", ["sip", "sips/2"], ["TLS 1.2"])
    chosen = said(sightings, "server-hello")
    assert chosen["alpn"] == "sip"
    assert str(chosen["cipher_suite"]).startswith("TLS_ECDHE_ECDSA_WITH_")
    assert chosen["resumed"] is False
    assert said(sightings, "server-certificate") == CHAIN
    assert said(sightings, "client-certificate") == CLIENT_CHAIN
    assert said(sightings, "certificate-request") == {"authorities": 0}
    assert said(watch(recorded["no certificate TLS 1.2"]), "client-certificate") == {"chain": 0, "subjects": []}
    assert said(watch(recorded["retried TLS 1.3"]), "hello-retry-request")["group"] == "secp521r1"


@pytest.mark.parametrize("name", ["ticket TLS 1.2", "session identifier TLS 1.2", "resumed TLS 1.3"])
def test_resumption_is_told(recorded: dict[str, Transcript], name: str) -> None:
    """A handshake without certificates is explained by the session that it resumes."""
    assert said(watch(recorded[name]), "server-hello")["resumed"] is True


def test_versions(recorded: dict[str, Transcript]) -> None:
    """The version is known from the ServerHello on."""
    for name, transcript in recorded.items():
        observer = TlsObserver()
        watch(transcript[:1], observer)
        assert observer.version is None
        watch(transcript[1:], observer)
        assert observer.version == (None if name == "no common version" else name[-7:])


def test_reasons_for_a_failure(recorded: dict[str, Transcript]) -> None:
    """An alert in clear is the reason in the sender's own word."""
    assert alert_in(recorded, "stranger TLS 1.2") == {"level": "fatal", "description": "unknown_ca"}
    assert alert_in(recorded, "distrust TLS 1.2") == {"level": "fatal", "description": "unknown_ca"}
    assert alert_in(recorded, "distrust TLS 1.3") == {"level": "fatal", "description": "unknown_ca"}
    assert alert_in(recorded, "no common version") == {"level": "fatal", "description": "protocol_version"}
    assert alert_in(recorded, "plain TLS 1.2") == {"level": "encrypted", "description": "encrypted"}


def test_early_close(recorded: dict[str, Transcript]) -> None:
    """A connection that ends anywhere has shown a beginning of what the whole one shows."""
    transcript = recorded["mutual TLS 1.2"]
    whole = watch(transcript)
    pieces = cut(transcript, 97)
    for size in range(len(pieces)):
        seen: list[Sighting] = watch(pieces[:size])
        assert seen == whole[: len(seen)]
