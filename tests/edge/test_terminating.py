"""Terminated TLS as both ends experience it: `terminate` with its switches, between ends that are Python's `ssl`."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from tests.edge.terminated import FIREWALL, Firewalls, running_firewall
from tests.edge.tls_ends import Outcome, Papers

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
HAPPY = Outcome("ok", "ok")


@pytest.fixture(scope="module")
def firewall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firewalls]:
    """For all tests here."""
    folder = tmp_path_factory.mktemp("terminating")
    with running_firewall(folder, Papers(folder / "pki")) as found:
        yield Firewalls(found)


def own(firewall: Firewalls, purpose: int, name: str, version: str, *trust: str) -> ssl.SSLContext:
    """Of an end that shows another certificate than usual."""
    return firewall.papers.context(purpose, name, version, *trust)


@VERSIONS
@pytest.mark.parametrize("switches", [{}, {"present": "resigned", "ask": "require"}])
def test_mutual_tls_that_survives(firewall: Firewalls, version: str, switches: dict[str, str]) -> None:
    """Both ends trust the firewall's CA, and each sees the other's names."""
    inspected = firewall(**switches)
    assert inspected.meet(version) == HAPPY
    peer = firewall.server.peer
    assert peer is not None
    assert peer["subject"] == ((("organizationName", "Example"),), (("commonName", "expe.example.com"),))
    assert ("DNS", "expe.example.com") in peer["subjectAltName"]
    assert (("commonName", "Example Firewall Inspection CA"),) in peer["issuer"]
    assert {deed["version"] for deed in inspected.deeds("leg-up")} == {f"TLS {version}"}
    assert [deed["origin"] for deed in inspected.deeds("certificate-shown")] == ["mirrored", "resigned"]


@VERSIONS
def test_a_given_certificate(firewall: Firewalls, version: str) -> None:
    """The server sees the same one whoever the client is; the server trusts its CA, not the firewall's."""
    papers = firewall.papers
    given = [papers.path("expressway-e-previous-chain.pem"), papers.path("expressway-e-previous.key")]
    inspected = firewall(identity=given)
    assert inspected.meet(version, server=papers.server(version)) == HAPPY
    assert [deed["origin"] for deed in inspected.deeds("certificate-shown", "server")] == ["given"]


@VERSIONS
@pytest.mark.parametrize("switches", [{"present": "none"}, {"ask": "never"}])
def test_the_usual_way_to_break_mutual_tls(firewall: Firewalls, version: str, switches: dict[str, str]) -> None:
    """The server misses a certificate and says so to the firewall; the client is told nothing about it."""
    inspected = firewall(**switches)
    client = {"1.2": "tlsv1 alert internal error", "1.3": "close notify"}[version]
    assert inspected.meet(version) == Outcome(client, "peer did not return a certificate")
    refusal = {"1.2": "handshake_failure", "1.3": "certificate_required"}[version]
    assert ("server", False, refusal) in inspected.alerts()
    assert refusal.replace("_", " ") in inspected.over()["reason"]


@VERSIONS
def test_a_server_that_asks_for_nothing(firewall: Firewalls, version: str) -> None:
    """The client is not asked either, unless the firewall is told to; the server never sees what it shows then."""
    server = own(firewall, ssl.PROTOCOL_TLS_SERVER, "webex", version)
    server.verify_mode = ssl.CERT_NONE
    for switches, shown in ({}, None), ({"ask": "request"}, "CN=expe.example.com,O=Example"):
        inspected = firewall(**switches)
        assert inspected.meet(version, server=server) == HAPPY
        (up,) = inspected.deeds("leg-up", "client")
        assert up.get("peer_subject") == shown
        assert not firewall.server.peer


@VERSIONS
def test_a_client_without_a_certificate(firewall: Firewalls, version: str) -> None:
    """A server that does without is content; a firewall that requires one is not."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(firewall.papers.path(FIREWALL))
    client.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    server = own(firewall, ssl.PROTOCOL_TLS_SERVER, "webex", version)
    server.verify_mode = ssl.CERT_OPTIONAL
    assert firewall().meet(version, client=client, server=server) == HAPPY
    demanding = firewall(present="resigned", ask="require")
    refused = demanding.meet(version, client=client, server=server)
    word = {"1.2": "handshake failure", "1.3": "tlsv13 alert certificate required"}[version]
    assert word in refused.client
    assert demanding.over()["reason"] == "tls: peer did not return a certificate"


@VERSIONS
def test_names_of_its_own(firewall: Firewalls, version: str) -> None:
    """The client looks for a name: with it the connection stands, without it the client leaves."""
    good = firewall(names=["firewall.example.com", "callservice.ciscospark.com"])
    assert good.meet(version) == HAPPY
    (shown,) = good.deeds("certificate-shown", "client")
    assert shown["names"] == ["firewall.example.com", "callservice.ciscospark.com"]
    assert shown["origin"] == "own"
    bad = firewall(names=["firewall.example.com"])
    assert bad.meet(version) == Outcome("certificate verify failed", "tlsv1 alert internal error")


@VERSIONS
def test_a_client_that_does_not_trust_the_firewall(firewall: Firewalls, version: str) -> None:
    """It says unknown CA, and the server is told that something is wrong."""
    inspected = firewall()
    client = firewall.papers.client(version, "roots.pem")
    assert inspected.meet(version, client=client) == Outcome("certificate verify failed", "tlsv1 alert internal error")
    assert inspected.alerts() == [("client", False, "unknown_ca"), ("server", True, "internal_error")]
    assert inspected.over()["reason"] == "tls: tlsv1 alert unknown ca"


@VERSIONS
def test_a_server_that_does_not_trust_the_firewall(firewall: Firewalls, version: str) -> None:
    """It refuses the re-signed certificate; the client, whose handshake is complete, is taken leave of."""
    inspected = firewall()
    server = firewall.papers.server(version, "roots.pem")
    assert inspected.meet(version, server=server) == Outcome("close notify", "certificate verify failed")
    assert ("server", False, "unknown_ca") in inspected.alerts()
    assert inspected.over()["reason"] == "tls: tlsv1 alert unknown ca"


def test_the_highest_version(firewall: Firewalls) -> None:
    """Ends that could do better agree on 1.2 with the firewall; a client that insists on 1.3 gets nothing."""
    inspected = firewall(highest="1.2")
    able = [
        own(firewall, purpose, name, "1.3", FIREWALL)
        for purpose, name in ((ssl.PROTOCOL_TLS_CLIENT, "expressway-e"), (ssl.PROTOCOL_TLS_SERVER, "webex"))
    ]
    able[1].minimum_version = ssl.TLSVersion.TLSv1_2
    refused = inspected.meet("1.3", client=able[0], server=able[1])
    assert "alert" in refused.client
    able[0].minimum_version = ssl.TLSVersion.TLSv1_2
    assert inspected.meet("1.3", client=able[0], server=able[1]) == HAPPY
    assert firewall.server.version == "TLSv1.2"
    assert {deed["version"] for deed in inspected.deeds("leg-up")} == {"TLS 1.2"}


@VERSIONS
def test_a_server_whose_certificate_has_expired(firewall: Firewalls, version: str) -> None:
    """A firewall that verifies refuses it for the client; one that does not vouches for it with its own signature."""
    expired = own(firewall, ssl.PROTOCOL_TLS_SERVER, "webex-expired", version, FIREWALL)
    verifying = firewall(trust_servers=firewall.papers.path("roots.pem"))
    assert verifying.meet(version) == HAPPY
    outcome = verifying.meet(version, server=expired)
    assert outcome == Outcome("tlsv1 alert internal error", "sslv3 alert certificate expired")
    (failed,) = verifying.deeds("failed")
    assert (failed["leg"], failed["reason"]) == ("server", "certificate verify failed")
    assert failed["detail"] == "certificate has expired"
    assert firewall().meet(version, server=expired) == HAPPY


@pytest.mark.parametrize(("name", "client"), [("sni", "ok"), ("webex.example", "tlsv1 alert internal error")])
def test_the_name_of_the_server(firewall: Firewalls, name: str, client: str) -> None:
    """Checked against what the client asks for, or against what is configured."""
    inspected = firewall(trust_servers=firewall.papers.path("roots.pem"), verify_name=name)
    assert inspected.meet("1.3").client == client
    if client != "ok":
        assert inspected.deeds("failed")[0]["detail"] == "hostname mismatch"


@VERSIONS
def test_clients_that_are_verified(firewall: Firewalls, version: str) -> None:
    """A client whose certificate leads nowhere hears it from the firewall; the server sees it leave."""
    good = firewall(trust_clients=firewall.papers.path("roots.pem"))
    assert good.meet(version) == HAPPY
    stranger = own(firewall, ssl.PROTOCOL_TLS_CLIENT, "expressway-e-self-signed", version, FIREWALL)
    outcome = good.meet(version, client=stranger)
    assert outcome == Outcome("tlsv1 alert unknown ca", "tlsv1 alert internal error")


ENDINGS = {
    "alert": Outcome("tlsv1 alert internal error", "tlsv1 alert unknown ca"),
    "close": Outcome("eof", "eof"),
    "reset": Outcome("reset", "reset"),
}


@VERSIONS
@pytest.mark.parametrize("how", ENDINGS)
def test_how_both_legs_end(firewall: Firewalls, version: str, how: str) -> None:
    """When the firewall finds fault with the server: an alert for each, an end of stream, or a reset."""
    inspected = firewall(on_failure=how, trust_servers=firewall.papers.path(FIREWALL))
    assert inspected.meet(version) == ENDINGS[how]
    assert inspected.over()["reason"] == "tls: certificate verify failed"
    assert bool(inspected.alerts()) is (how == "alert")


@VERSIONS
@pytest.mark.parametrize(("how", "client"), [("alert", "close notify"), ("close", "eof"), ("reset", "reset")])
def test_how_a_client_ends_whose_server_refuses(firewall: Firewalls, version: str, how: str, client: str) -> None:
    """The same when the server finds fault with the firewall."""
    inspected = firewall(on_failure=how, trust_servers=firewall.papers.path("roots.pem"))
    server = firewall.papers.server(version, "roots.pem")
    assert inspected.meet(version, server=server) == Outcome(client, "certificate verify failed")
