"""The bridge between `openssl s_client` and `openssl s_server` on loopback sockets, judged by what those two say."""

from __future__ import annotations

from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import pytest

from alg.tls.legs import Alert, Failed, Leg, LegUp
from alg.tls.policy import BridgePolicy, Present, ServerLegPolicy
from tests.helpers.openssl import openssl
from tests.helpers.openssl import server as s_server
from tests.helpers.system import PATIENCE, require_system
from tests.tls.far_ends import NAME, identity, inspector, papers
from tests.tls.pump import Pump

pytestmark = pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])

SERVER = ("-cert", "server.pem", "-key", "server.pem", "-rev")
"""`-rev` sends each line back reversed, and closes on CLOSE."""
CLIENT = ("-servername", NAME, "-verify_hostname", NAME, "-verify_return_error", "-CAfile")
MUTUAL = ("-Verify", "3", "-verify_return_error", "-CAfile")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the far ends find their certificates."""
    for name in ("root", "server", "client", "firewall"):
        getattr(papers(), name).write(tmp_path, name)
    return tmp_path


def ask(pump: Pump, folder: Path, version: str, *args: str) -> str:
    """What s_client says that sends a line and waits for the end."""
    command = (
        "s_client",
        "-connect",
        pump.address,
        f"-{version}",
        "-ign_eof",
        "-cert",
        "client.pem",
        "-key",
        "client.pem",
    )
    return openssl(*command, *args, cwd=folder, stdin="OPTIONS\nCLOSE\n")


def test_resigned(version: str, folder: Path) -> None:
    """Both trust the firewall alone, verify each other, and understand each other."""
    with (
        s_server(folder, f"-{version}", *SERVER, *MUTUAL, "firewall.pem") as server,
        Pump(server.address, inspector()) as pump,
    ):
        client = ask(pump, folder, version, *CLIENT, "firewall.pem")
        said = server.finished()
    assert "Verification: OK\nVerified peername: sip.example.com" in client
    assert "\nSNOITPO\n" in client
    assert "closed" in client
    assert "Verification: OK" in said
    assert "CN = client.example.com" in said
    assert not [event for event in pump.events if isinstance(event, Failed)]


def test_given(version: str, folder: Path) -> None:
    """The server trusts the CA of the certificate that we were given."""
    policy = BridgePolicy(server=ServerLegPolicy(Present.GIVEN, identity(papers().client)))
    with (
        s_server(folder, f"-{version}", *SERVER, *MUTUAL, "root.pem") as server,
        Pump(server.address, inspector(policy)) as pump,
    ):
        client = ask(pump, folder, version, *CLIENT, "firewall.pem")
        said = server.finished()
    assert "\nSNOITPO\n" in client
    assert "CN = client.example.com" in said
    assert "Verification: OK" in said


def test_none(version: str, folder: Path) -> None:
    """The server refuses; the client sees that in its handshake, or in TLS 1.3 behind it."""
    policy = BridgePolicy(server=ServerLegPolicy(Present.NONE))
    with (
        s_server(folder, f"-{version}", *SERVER, *MUTUAL, "root.pem") as server,
        Pump(server.address, inspector(policy)) as pump,
    ):
        client = ask(pump, folder, version, *CLIENT, "firewall.pem")
        said = server.finished()
    assert "peer did not return a certificate" in said
    assert ("tlsv1 alert internal error" if version == "tls1_2" else "closed") in client
    (failed,) = [event for event in pump.events if isinstance(event, Failed)]
    assert failed.leg is Leg.SERVER
    assert ("alert handshake failure" if version == "tls1_2" else "alert certificate required") in failed.reason


def test_client_does_not_trust_the_firewall(version: str, folder: Path) -> None:
    """It says so, and so do we."""
    with s_server(folder, f"-{version}", *SERVER) as server, Pump(server.address, inspector()) as pump:
        client = ask(pump, folder, version, *CLIENT, "root.pem")
        server.finished()
    assert "self-signed certificate in certificate chain" in client
    (failed,) = [event for event in pump.events if isinstance(event, Failed)]
    assert (failed.leg, failed.reason) == (Leg.CLIENT, "tlsv1 alert unknown ca")


def test_renegotiation_is_refused(version: str, folder: Path) -> None:
    """A client that asks for it is told no; in TLS 1.3 there is none, and a change of keys does no harm."""
    command = [require_system("openssl", "openssl"), "s_client", f"-{version}", *CLIENT, "firewall.pem", "-connect"]
    with (
        s_server(folder, f"-{version}", *SERVER) as server,
        Pump(server.address, inspector()) as pump,
        Popen([*command, pump.address], cwd=folder, stdin=PIPE, stdout=PIPE, stderr=STDOUT, text=True) as client,
    ):
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("R\n" if version == "tls1_2" else "K\n")
        client.stdin.flush()
        said = ""
        while "RENEGOTIATING" not in said and "KEYUPDATE" not in said:
            said += client.stdout.readline()
        if version == "tls1_3":
            client.stdin.write("OPTIONS\nCLOSE\n")
            client.stdin.flush()
        said += client.stdout.read()
        client.wait(PATIENCE)
    assert ("no renegotiation" if version == "tls1_2" else "SNOITPO") in said
    alerts = [event.description for event in pump.events if isinstance(event, Alert) and event.sent]
    assert ("no_renegotiation" in alerts) is (version == "tls1_2")
    assert len([event for event in pump.events if isinstance(event, LegUp)]) == 2
