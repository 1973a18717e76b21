"""What is seen of `openssl s_client` and `s_server`: renegotiation and early data."""

from __future__ import annotations

from pathlib import Path

from alg.tls.records import TlsObserver
from tests.helpers.system import eventually
from tests.tls.parties import Papers, Transcript, cut, said, script, watch
from tests.tls.relayed import client_through_relay, openssl, server

SHAKEN = "server: new-session-ticket change-cipher-spec server-finished"


def seen_in(transcript: Transcript) -> list[str]:
    """The words of what is seen by now."""
    return script(watch(list(transcript)))


def wait_for(transcript: Transcript, line: str) -> None:
    """Until somebody's turn is to say this."""
    eventually(line, lambda: any(each.startswith(line) for each in seen_in(transcript)))


def test_client_renegotiates(papers: Papers) -> None:
    """A second handshake under the keys of the first is noted once for each side and disturbs nothing (RFC 5746)."""
    with (
        server(papers.folder / "server.pem", "-tls1_2", "-client_renegotiation") as far,
        client_through_relay(far.port, "-tls1_2") as (near, transcript),
    ):
        wait_for(transcript, SHAKEN)
        near.tell("R")
        wait_for(transcript, "server: encrypted-handshake")
        far.tell("behind it")
        wait_for(transcript, "server: encrypted-handshake application-data")
        assert seen_in(transcript) == [
            "client: client-hello",
            "server: server-hello server-certificate server-key-exchange server-hello-done",
            "client: client-key-exchange change-cipher-spec client-finished",
            SHAKEN,
            "client: encrypted-handshake",
            "server: encrypted-handshake application-data",
        ]
    assert watch(cut(transcript, 1)) == watch(transcript)


def test_renegotiation_is_refused(papers: Papers) -> None:
    """A server that does not renegotiate warns, under its keys."""
    with (
        server(papers.folder / "server.pem", "-tls1_2") as far,
        client_through_relay(far.port, "-tls1_2") as (near, transcript),
    ):
        wait_for(transcript, SHAKEN)
        near.tell("R")
        wait_for(transcript, "server: alert")
    assert seen_in(transcript)[4:6] == ["client: encrypted-handshake", "server: alert"]


def test_server_asks_for_renegotiation(papers: Papers) -> None:
    """A HelloRequest under keys is an encrypted handshake record of the server."""
    with (
        server(papers.folder / "server.pem", "-tls1_2") as far,
        client_through_relay(far.port, "-tls1_2") as (_, transcript),
    ):
        wait_for(transcript, SHAKEN)
        far.tell("r")
        wait_for(transcript, "client: encrypted-handshake")
    assert seen_in(transcript)[3:5] == [f"{SHAKEN} encrypted-handshake", "client: encrypted-handshake"]


def test_requested_authorities(papers: Papers) -> None:
    """A server that names the authorities whose certificates it takes; they are counted."""
    folder = papers.folder
    bundle = folder / "bundle.pem"
    bundle.write_bytes((folder / "root.pem").read_bytes() + (folder / "stranger.pem").read_bytes())
    with (
        server(folder / "server.pem", "-tls1_2", "-verify", "1", "-CAfile", str(bundle)) as far,
        client_through_relay(far.port) as (_, transcript),
    ):
        wait_for(transcript, SHAKEN)
    assert said(watch(transcript), "certificate-request") == {"authorities": 2}
    assert said(watch(transcript), "client-certificate") == {"chain": 0, "subjects": []}


def test_early_data(papers: Papers, tmp_path: Path) -> None:
    """A client that sends early data is seen to; where its Finished is cannot be told, so it is not said."""
    session, request = tmp_path / "session.pem", tmp_path / "request"
    request.write_bytes(b"early " * 40)
    with server(papers.folder / "server.pem", "-tls1_3", "-early_data") as far:
        with openssl("s_client", "-connect", f"127.0.0.1:{far.port}", "-sess_out", str(session)) as first:
            eventually("a session", lambda: session.is_file() and b"-----END" in session.read_bytes())
            first.quit()
        resumed = ("-sess_in", str(session), "-early_data", str(request))
        with client_through_relay(far.port, *resumed) as (near, transcript):
            wait_for(transcript, "server: server-hello change-cipher-spec encrypted")
            near.tell("behind it")
            eventually("early data is taken", lambda: "behind it" in far.said)
            assert "early " * 40 in far.said
    observer = TlsObserver()
    sightings = watch(transcript, observer)
    lines = script(sightings)
    assert lines[0] == "client: client-hello change-cipher-spec encrypted"
    assert lines[1] == "server: server-hello change-cipher-spec encrypted"
    assert not any("client-finished" in line for line in lines)
    hello, early = sightings[0], sightings[2]
    assert hello.details["early_data"] is True
    assert early.details == {"length": 240 + 1 + 16, "alert_size": False, "early_data": True}
    assert (observer.version, observer.not_tls) == ("TLS 1.3", None)
