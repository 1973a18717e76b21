"""Who may be tested, and the files that TLS is told."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.fuzz.target import Target, TlsOptions, refuse_strangers
from tests.harness.conftest import Pki


@pytest.mark.parametrize("text", ["127.0.0.1:5060", "127.9.9.9:1", "localhost:65535"])
def test_loopback_needs_no_confirmation(text: str) -> None:
    """Every address of 127.0.0.0/8, by name too."""
    assert Target.parse(text, "--to", owned=False).local_host().startswith("127.")


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "128.0.0.1", "0.0.0.0"])
def test_strangers_are_refused(address: str) -> None:
    """A private address is no better than a public one; the complaint says how to confirm."""
    with pytest.raises(ConfigError, match=rf"^--to: {address} is not loopback: confirm with --i-own-this-target"):
        Target.parse(f"{address}:5060", "--to", owned=False)
    assert Target.parse(f"{address}:5060", "--to", owned=True).address == (address, 5060)


def test_a_peer_that_calls_is_a_stranger_too() -> None:
    """Where we are the server the same holds for who comes."""
    refuse_strangers(("127.0.0.1", 9), "--listen", owned=False)
    with pytest.raises(ConfigError):
        refuse_strangers(("198.51.100.1", 9), "--listen", owned=False)


@pytest.mark.parametrize("text", ["127.0.0.1", ":5060", "127.0.0.1:0", "127.0.0.1:99999", "no.such.host.invalid:5060"])
def test_what_is_no_target(text: str) -> None:
    """Named with its option."""
    with pytest.raises(ConfigError, match=r"^--to: "):
        Target.parse(text, "--to", owned=True)


def test_where_there_is_no_way() -> None:
    """An address without a route is told when the connection is tried, not before."""
    assert Target(("255.255.255.255", 5060), "x").local_host() == "127.0.0.1"


def test_tls_without_verification() -> None:
    """A lab's certificates are self-signed more often than not."""
    context = TlsOptions().client_context()
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_tls_with_verification(pki: Pki) -> None:
    """--ca means that chain and name are checked against it."""
    context = TlsOptions(ca=str(pki.ca), verify=True).client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_a_server_with_a_ca_wants_certificates(pki: Pki) -> None:
    """Mutual TLS, seen from the other side."""
    own = str(pki.server)
    assert TlsOptions(own).server_context().verify_mode is ssl.CERT_NONE
    assert TlsOptions(own, ca=str(pki.ca)).server_context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"cert": "missing.pem"}, "--cert missing.pem: No such file"),
        ({"ca": "missing.pem"}, "--ca missing.pem: No such file"),
        ({"key": "key.pem"}, "--key: there is no --cert"),
    ],
)
def test_files_that_are_no_good(options: dict[str, str], complaint: str) -> None:
    """The complaint names the option."""
    given = TlsOptions(options.get("cert"), options.get("key"), options.get("ca"))
    with pytest.raises(ConfigError, match=f"^{complaint}"):
        given.client_context()


def test_a_file_that_is_no_certificate(tmp_path: Path) -> None:
    """OpenSSL's complaint is put behind the option's name."""
    path = tmp_path / "x.pem"
    path.write_text("nothing")
    with pytest.raises(ConfigError, match=r"^--cert .*x\.pem: "):
        TlsOptions(cert=str(path)).client_context()


def test_a_server_needs_a_certificate() -> None:
    """Said before anybody calls."""
    with pytest.raises(ConfigError, match=r"^--cert is missing"):
        TlsOptions().server_context()
