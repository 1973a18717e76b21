"""Both legs of an inspected connection: Python's `ssl` is client and server, and says what it sees."""

from __future__ import annotations

import gc
import ssl
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest
from OpenSSL import SSL

from alg.tls.legs import CertificateShown, Ending, Failed, Leg, LegUp
from alg.tls.policy import (
    Ask,
    BridgePolicy,
    ClientLegPolicy,
    Present,
    ServerLegPolicy,
)
from tests.helpers.certificates import sign
from tests.tls.far_ends import NAME, NAMES, Rig, client, context, identity, inspector, papers, server

both_versions = pytest.mark.parametrize("version", ["1.2", "1.3"])


def names_in(far_end: ssl.SSLObject) -> list[str]:
    """The alternative names that a far end has verified."""
    certificate = far_end.getpeercert()
    assert certificate is not None
    return [str(name) for _, name in certificate["subjectAltName"]]


def asking(policy: ServerLegPolicy | None = None, **switches: object) -> BridgePolicy:
    """A policy from switches of its client leg."""
    return BridgePolicy(client=ClientLegPolicy(**switches), server=policy or ServerLegPolicy())  # type: ignore[arg-type]


def presenting(present: Present, ask: Ask = Ask.FOLLOW) -> BridgePolicy:
    """A policy that shows the server this."""
    given = identity(papers().client) if present is Present.GIVEN else None
    return BridgePolicy(ClientLegPolicy(ask), ServerLegPolicy(present, given))


@both_versions
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_mutual_tls_goes_through_resigned(version: str, piece: int) -> None:
    """Each side sees the other one's names under the firewall's CA, whatever the segmentation."""
    rig = Rig(client(version, papers().client), server(version, papers().firewall), piece=piece).run()
    assert (rig.client.complaint, rig.server.complaint) == ("", "")
    assert names_in(rig.client.tls) == list(NAMES)
    assert names_in(rig.server.tls) == ["client.example.com"]
    assert rig.bridge.up
    up = rig.only(LegUp, Leg.SERVER)
    assert (up.version, up.server_name, up.peer_names) == (f"TLS {version}", NAME, NAMES)
    assert up.peer_subject == f"CN={NAME}"
    assert rig.only(LegUp, Leg.CLIENT).peer_subject == "CN=client.example.com"
    assert [shown.origin for shown in rig.of(CertificateShown)] == ["mirrored", "resigned"]


@both_versions
def test_clear_text_flows_both_ways(version: str) -> None:
    """A hundred kilobytes each way arrive whole and in order."""
    rig = Rig(client(version), server(version), piece=1000).run()
    question, answer = bytes(range(256)) * 400, bytes(range(255, -1, -1)) * 400
    rig.client.say(question)
    rig.server.say(answer)
    rig.run()
    assert rig.server.received == question
    assert rig.client.received == answer


def test_large_clear_text_is_sent_in_one_call() -> None:
    """What an ALG hands over in one piece may be larger than any TLS record."""
    rig = Rig(client(), server()).run()
    rig.obey(rig.bridge.send(Leg.SERVER, bytes(3_000_001)))
    assert rig.run().server.received == bytes(3_000_001)


def test_clear_text_that_comes_early_waits() -> None:
    """What a client sends before the server leg stands reaches the server once it does."""
    rig = Rig(client("1.2", papers().client), server("1.2", papers().firewall))
    while not rig.client.shaken:
        for leg in (Leg.SERVER, Leg.CLIENT, Leg.CLIENT):
            rig.obey(rig.bridge.feed(leg, rig.ends[leg].step()))
    assert not rig.bridge.up
    rig.client.say(b"OPTIONS")
    rig.client.say_goodbye()
    rig.run()
    assert rig.server.received == b"OPTIONS"
    assert rig.server.ended == "close_notify"


@both_versions
def test_given_certificate_is_shown(version: str) -> None:
    """The server sees the configured certificate, whoever the client is."""
    rig = Rig(client(version), server(version, papers().root), inspector(presenting(Present.GIVEN))).run()
    assert rig.bridge.up
    assert rig.server.complaint == ""
    assert names_in(rig.server.tls) == ["client.example.com"]
    assert rig.only(CertificateShown, Leg.SERVER).origin == "given"


def test_given_certificate_comes_with_its_chain() -> None:
    """A server that knows the root alone finds the way to it."""
    above = sign("Test Intermediate", papers().root, ca=True)
    given = identity(sign("below.example.com", above, ["below.example.com"]))
    policy = BridgePolicy(server=ServerLegPolicy(Present.GIVEN, given))
    rig = Rig(client(), server("", papers().root), inspector(policy)).run()
    assert names_in(rig.server.tls) == ["below.example.com"]


@pytest.mark.parametrize(
    ("version", "failure", "clients_words"),
    [
        ("1.2", "alert handshake failure", "tlsv1 alert internal error"),
        ("1.3", "alert certificate required", ""),
    ],
)
def test_inspection_breaks_mutual_tls(version: str, failure: str, clients_words: str) -> None:
    """Shown no certificate, the server refuses: in TLS 1.3 when the client believes that all is well."""
    server_context = server(version, papers().root)
    rig = Rig(client(version, papers().client), server_context, inspector(presenting(Present.NONE))).run()
    assert "peer did not return a certificate" in rig.server.complaint
    assert failure in rig.only(Failed, Leg.SERVER).reason
    assert clients_words in rig.client.complaint
    assert rig.client.ended == ("close_notify" if version == "1.3" else "")
    assert rig.only(CertificateShown, Leg.SERVER).origin == "none"
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


@both_versions
def test_server_may_go_on_without_a_certificate(version: str) -> None:
    """A server that merely asks carries on when it is shown none."""
    optional = context(True, version, papers().server, papers().root, ssl.CERT_OPTIONAL)
    rig = Rig(client(version, papers().client), optional, inspector(presenting(Present.NONE))).run()
    assert rig.bridge.up
    assert rig.server.tls.getpeercert() is None


@both_versions
def test_client_without_a_certificate_has_none_resigned(version: str) -> None:
    """The server says of a client without certificate what it would say without us."""
    rig = Rig(client(version), server(version, papers().firewall)).run()
    assert "peer did not return a certificate" in rig.server.complaint
    assert rig.only(CertificateShown, Leg.SERVER).origin == "none"


@both_versions
@pytest.mark.parametrize(
    ("ask", "present", "server_asks", "asked"),
    [
        (Ask.FOLLOW, Present.RESIGNED, False, False),
        (Ask.FOLLOW, Present.RESIGNED, True, True),
        (Ask.FOLLOW, Present.GIVEN, True, True),
        (Ask.REQUEST, Present.RESIGNED, False, True),
        (Ask.NEVER, Present.GIVEN, True, False),
    ],
)
def test_client_is_asked_as_configured(
    version: str, ask: Ask, present: Present, server_asks: bool, asked: bool
) -> None:
    """Whether the client shows its certificate is the policy's choice, or the server's."""
    optional = context(True, version, papers().server, papers().root, ssl.CERT_OPTIONAL)
    plain = server(version)
    policy = presenting(present, ask)
    trusting = inspector(policy)
    rig = Rig(client(version, papers().client), optional if server_asks else plain, trusting).run()
    assert (rig.only(LegUp, Leg.CLIENT).peer_subject is not None) is asked


@pytest.mark.parametrize(
    ("version", "words"), [("1.2", "alert handshake failure"), ("1.3", "alert certificate required")]
)
def test_client_that_must_have_a_certificate(version: str, words: str) -> None:
    """A client without one is refused, and the server hears that the connection ends."""
    rig = Rig(client(version), server(version), inspector(asking(ask=Ask.REQUIRE))).run()
    assert words in rig.client.complaint
    assert rig.only(Failed, Leg.CLIENT).reason == "peer did not return a certificate"
    assert rig.server.ended == "close_notify"


@both_versions
@pytest.mark.parametrize("mutual", [False, True])
def test_client_that_does_not_trust_the_firewall(version: str, mutual: bool) -> None:
    """It says `unknown_ca`; a server whose handshake waits sees `internal_error`, another one `close_notify`."""
    strict = context(False, version, papers().client, papers().root)
    rig = Rig(strict, server(version, papers().firewall if mutual else None)).run()
    assert "self-signed certificate in certificate chain" in rig.client.complaint
    assert rig.alerts(Leg.CLIENT, sent=False) == ["unknown_ca"]
    assert rig.only(Failed, Leg.CLIENT).reason == "tlsv1 alert unknown ca"
    if mutual:
        assert "tlsv1 alert internal error" in rig.server.complaint
    else:
        assert rig.server.ended == "close_notify"
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


@both_versions
def test_server_that_does_not_trust_the_firewall(version: str) -> None:
    """A re-signed certificate is worth nothing to a server that knows the real CA alone."""
    rig = Rig(client(version, papers().client), server(version, papers().root)).run()
    assert "certificate verify failed" in rig.server.complaint
    assert rig.only(Failed, Leg.SERVER).reason == "tlsv1 alert unknown ca"


def test_own_names() -> None:
    """A configured name stands in the certificate that the client sees, in place of the server's."""
    policy = inspector(asking(names=("inspection.example.com", "192.0.2.1")))
    careless = context(False, trusts=papers().firewall)
    careless.check_hostname = False
    rig = Rig(careless, server(), policy).run()
    assert names_in(rig.client.tls) == ["inspection.example.com", "192.0.2.1"]
    assert rig.only(CertificateShown, Leg.CLIENT).origin == "own"


@pytest.mark.parametrize(
    ("asked", "sni", "arrives"),
    [(NAME, None, NAME), (NAME, "x.example.com", "x.example.com"), (NAME, "", None), (None, None, None)],
)
def test_server_name_is_passed_on(asked: str | None, sni: str | None, arrives: str | None) -> None:
    """The server is asked for the name that the client asked for, unless the policy says otherwise."""
    seen: list[str | None] = []
    asked_server = server()
    asked_server.sni_callback = lambda _, name, __: seen.append(name)
    Rig(context(False), asked_server, inspector(BridgePolicy(server=ServerLegPolicy(sni=sni))), name=asked).run()
    assert seen == [arrives]


@both_versions
@pytest.mark.parametrize(
    ("offered", "taken", "agreed"), [(["x", "sip"], ["sip"], "sip"), (["x"], [], None), ([], ["sip"], None)]
)
def test_alpn_is_passed_on(version: str, offered: list[str], taken: list[str], agreed: str | None) -> None:
    """The server chooses from what the client offers, and the client hears that choice."""
    rig = Rig(client(version, alpn=offered), server(version, alpn=taken)).run()
    assert rig.server.tls.selected_alpn_protocol() == rig.client.tls.selected_alpn_protocol() == agreed
    assert [up.alpn for up in rig.of(LegUp)] == [agreed, agreed]


@both_versions
def test_key_log_is_that_of_the_far_ends(version: str, tmp_path: Path) -> None:
    """Each leg's secrets are what its far end writes into its own key log."""
    logged: list[tuple[Leg, bytes]] = []
    made = (client(version), server(version))
    for leg, each in zip(Leg, made, strict=True):
        each.keylog_filename = str(tmp_path / leg.label)
    Rig(*made, key_log=lambda leg, line: logged.append((leg, line))).run()
    for leg in Leg:
        written = (tmp_path / leg.label).read_bytes().splitlines()
        ours = {line for place, line in logged if place is leg}
        assert ours
        assert ours == {line for line in written if not line.startswith(b"#")}


@both_versions
def test_no_session_is_resumed(version: str) -> None:
    """A resumed session would show no certificates; each connection is a full handshake."""
    made = client(version), server(version), inspector()
    first = Rig(*made).run()
    first.server.say(b"ticket")
    first.run()
    second = Rig(*made)
    second.client.tls = made[0].wrap_bio(
        second.client.incoming, second.client._outgoing, server_hostname=NAME, session=first.client.tls.session
    )
    second.run()
    assert second.bridge.up
    assert not second.client.tls.session_reused


def test_certificates_are_made_once() -> None:
    """The second connection to a server is shown the very certificate of the first."""
    made = client(), server()
    shown = [Rig(*made).run().client.tls.getpeercert(binary_form=True) for _ in range(2)]
    assert shown[0] == shown[1]


def test_connection_leaves_nothing_behind() -> None:
    """Its objects are gone with the last reference to it, without help of the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        rig = Rig(client(), server(), key_log=lambda leg, line: None).run()
        assert rig.bridge.up
        connections = [each for each in gc.get_objects() if isinstance(each, SSL.Connection)]
        watched = [weakref.ref(each) for each in (rig.bridge, *connections)]
        del rig, connections
        assert [each() for each in watched] == [None, None, None]
    finally:
        gc.enable()


def test_clear_text_before_both_legs_are_up_is_our_fault() -> None:
    """There is nothing to encrypt it with."""
    with pytest.raises(AssertionError, match="both legs are up"):
        inspector().bridge(datetime.now(UTC)).send(Leg.SERVER, b"OPTIONS")
