"""The test PKI before its judge: good certificates verify, and each bad one fails as its recipe says."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL, crypto

from alg.errors import ConfigError
from harness.ca import Authority, Credentials, load_recipes, make, read, write
from tests.helpers.openssl import openssl, server, verdict

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""Far from any clock: what is valid is valid because of `now`."""
BOOK = load_recipes()
GOOD = [name for name, leaf in BOOK.leafs.items() if not leaf.wrong]
BAD = {
    "webex-expired": ("sslserver", "certificate has expired"),
    "webex-not-yet-valid": ("sslserver", "certificate is not yet valid"),
    "webex-misspelt": ("sslserver", "hostname mismatch"),
    "webex-leaf-only": ("sslserver", "unable to get local issuer certificate"),
    "webex-server-only": ("sslclient", "unsuitable certificate purpose"),
    "webex-weak-key": ("sslserver", "EE certificate key too weak"),
    "expressway-e-self-signed": ("sslclient", "self-signed certificate"),
    "expressway-e-leaf-only": ("sslclient", "unable to get local issuer certificate"),
    "expressway-e-expired": ("sslclient", "certificate has expired"),
    "expressway-e-not-yet-valid": ("sslclient", "certificate is not yet valid"),
    "expressway-e-misspelt": ("sslclient", "hostname mismatch"),
    "expressway-e-server-only": ("sslclient", "unsuitable certificate purpose"),
    "expressway-e-weak-key": ("sslclient", "EE certificate key too weak"),
    "expressway-c-misspelt": ("sslclient", "hostname mismatch"),
    "expressway-c-server-only": ("sslclient", "unsuitable certificate purpose"),
    "cucm-self-signed": ("sslserver", "self-signed certificate"),
    "cucm-expired": ("sslserver", "certificate has expired"),
    "firewall-webex": ("sslserver", "self-signed certificate in certificate chain"),
    "firewall-expressway-e": ("sslclient", "self-signed certificate in certificate chain"),
    "firewall": ("sslserver", "self-signed certificate in certificate chain"),
}
"""The purpose for which it is of no use, and how OpenSSL puts that."""
EXPECTED_NAMES = {
    "webex": "callservice.ciscospark.com",
    "expressway-e": "expe.example.com",
    "expressway-c": "expc.example.local",
    "cucm": "cucm02.example.local",
}
"""The name by which its peers know each endpoint."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All shipped recipes, made and written."""
    path = tmp_path_factory.mktemp("pki") / "made"
    write(make(BOOK, NOW), path)
    return path


def hostname_option(name: str) -> list[str]:
    """Asks for the name that belongs to the endpoint, unless it is a firewall."""
    endpoint = max((known for known in EXPECTED_NAMES if name.startswith(known)), key=len, default="")
    return ["-verify_hostname", EXPECTED_NAMES[endpoint]] if endpoint else []


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
@pytest.mark.parametrize("name", GOOD)
def test_good_certificates_verify(directory: Path, name: str, purpose: str) -> None:
    """As server and as client, with the roots that are trusted and what is sent along."""
    assert verdict(directory, name, purpose, NOW, *hostname_option(name)) == "OK"


@pytest.mark.parametrize("name", BAD)
def test_bad_certificates_fail_as_meant(directory: Path, name: str) -> None:
    """Each with the one error that it is there for."""
    purpose, words = BAD[name]
    assert verdict(directory, name, purpose, NOW, *hostname_option(name)) == words


def test_every_bad_certificate_has_its_words() -> None:
    """A recipe that says what is wrong is judged above."""
    assert set(BAD) == {name for name, leaf in BOOK.leafs.items() if leaf.wrong}


def test_a_defect_comes_alone(directory: Path) -> None:
    """What is wrong with one certificate is all that is wrong with it."""
    assert verdict(directory, "webex-expired", "sslserver", NOW - timedelta(days=2)) == "OK"
    assert verdict(directory, "webex-not-yet-valid", "sslserver", NOW + timedelta(days=2)) == "OK"
    assert verdict(directory, "webex-misspelt", "sslserver", NOW) == "OK"
    assert verdict(directory, "webex-server-only", "sslserver", NOW) == "OK"
    assert verdict(directory, "webex-leaf-only", "sslserver", NOW, "-untrusted", "webex-issuers.pem") == "OK"
    assert verdict(directory, "webex-weak-key", "sslserver", NOW, "-auth_level", "1") == "OK"


def test_who_does_not_trust_the_root(directory: Path) -> None:
    """T1: Webex sends its root, so that its peer says `self-signed certificate in certificate chain`."""
    words = verdict(directory, "webex", "sslserver", NOW, trust="expressway-e-root.crt")
    assert words == "self-signed certificate in certificate chain"
    assert verdict(directory, "webex", "sslserver", NOW, trust="webex-root.crt") == "OK"
    assert verdict(directory, "firewall-webex", "sslserver", NOW, trust="firewall-root.crt") == "OK"


def test_webex_has_25_names(directory: Path) -> None:
    """All of them DNS names, the expected one among them."""
    text = openssl("x509", "-noout", "-ext", "subjectAltName", "-in", "webex.crt", cwd=directory)
    names = [name.strip() for name in text.splitlines()[1].split(",")]
    assert len(set(names)) == 25
    assert all(name.startswith("DNS:") for name in names)
    assert "DNS:callservice.ciscospark.com" in names


def test_what_a_certificate_says(directory: Path) -> None:
    """Subject, names of three kinds, usages and identifiers, as OpenSSL reads them."""
    text = openssl("x509", "-noout", "-text", "-in", "expressway-e.crt", cwd=directory)
    for part in (
        "Issuer: O = Example Trust Services, CN = Example Trust Issuing CA",
        "Subject: O = Example, CN = expe.example.com",
        "DNS:expe.example.com, DNS:example.com, IP Address:64.100.0.10, URI:sip:example.com",
        "Not Before: May  5 07:08:09 2031 GMT",
        "Not After : May  5 07:08:09 2032 GMT",
        "NIST CURVE: P-256",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "CA:FALSE",
    ):
        assert part in text
    issuer = openssl("x509", "-noout", "-text", "-in", "expressway-e-issuing.crt", cwd=directory)
    assert "CA:TRUE, pathlen:0" in issuer
    assert "Certificate Sign, CRL Sign" in issuer


@pytest.mark.parametrize("name", BOOK.leafs)
def test_key_and_chain_fit(directory: Path, name: str) -> None:
    """Python's ssl takes key and chain as a pair, the weak one too where it is allowed to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(directory / f"{name}-chain.pem", directory / f"{name}.key")


def test_files(directory: Path) -> None:
    """Of each a key and a certificate, of leafs what is sent, and one bundle of the roots that are trusted."""
    expected = {"roots.pem"}
    for name in BOOK.names:
        expected |= {f"{name}.key", f"{name}.crt"}
    for name, leaf in BOOK.leafs.items():
        expected.add(f"{name}-chain.pem")
        if leaf.issuer and "leaf-only" not in name and not name.startswith(("expressway-c", "cucm")):
            expected.add(f"{name}-issuers.pem")
    assert {path.name for path in directory.iterdir()} == expected
    roots = (directory / "roots.pem").read_text()
    trusted = ("cucm-root", "expressway-c-root", "expressway-e-root", "webex-root")
    assert roots == "".join((directory / f"{name}.crt").read_text() for name in trusted)


def test_chain_is_what_is_sent() -> None:
    """Itself first, each signed by the next; the root only where the recipe wants it."""
    pki = make(load_recipes("webex", "expressway-e"), NOW)
    webex, issuing, root = pki["webex"].chain
    assert (webex, issuing, root) == tuple(pki[name].certificate for name in ("webex", "webex-issuing", "webex-root"))
    webex.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    assert pki["expressway-e"].chain == tuple(
        pki[name].certificate for name in ("expressway-e", "expressway-e-issuing")
    )
    assert (
        pki["expressway-e"].chain_pem
        == pki["expressway-e"].certificate_pem + pki["expressway-e-issuing"].certificate_pem
    )
    assert pki["expressway-e-leaf-only"].issuers_pem == b""


def test_only_some() -> None:
    """What is asked for and the CAs above it, nothing else; the weak and the slow keys are not made."""
    pki = make(BOOK, NOW, only=["expressway-e", "cucm-root"])
    assert list(pki.credentials) == ["cucm-root", "expressway-e-root", "expressway-e-issuing", "expressway-e"]
    assert pki.trust() == pki.trust("cucm-root", "expressway-e-root")


def test_keys_are_new_each_time() -> None:
    """Two runs share no key and no serial number."""
    one, other = (make(BOOK, NOW, only=["webex"])["webex"] for _ in range(2))
    assert one.key_pem != other.key_pem
    assert one.certificate.serial_number != other.certificate.serial_number


def test_sizes_of_keys() -> None:
    """RSA only where the recipe says so."""
    pki = make(load_recipes("webex"), NOW)
    sizes = {
        name: each.key.key_size for name, each in pki.credentials.items() if isinstance(each.key, rsa.RSAPrivateKey)
    }
    assert sizes == {"webex-rsa": 2048, "webex-weak-key": 1024}


def test_authority_goes_on_signing(tmp_path: Path) -> None:
    """The firewall's CA signs what it did not know beforehand."""
    pki = make(load_recipes("firewall"), NOW)
    firewall = pki.authority("firewall-root")
    assert isinstance(firewall, Authority)
    original = make(load_recipes("webex"), NOW, only=["webex"])["webex"].certificate
    copy = firewall.issue("l2sip", [], pki["firewall"].key.public_key(), [], NOW, original.not_valid_after_utc)
    copy.verify_directly_issued_by(pki["firewall-root"].certificate)


def test_a_leaf_is_no_authority() -> None:
    """Asking for one is a mistake of the caller."""
    pki = make(load_recipes("cucm"), NOW, only=["cucm-self-signed"])
    with pytest.raises(AssertionError, match="cucm-self-signed is no CA"):
        pki.authority("cucm-self-signed")


def test_a_time_without_zone() -> None:
    """A local time is refused, rather than taken for another."""
    with pytest.raises(AssertionError, match="without a zone"):
        make(BOOK, NOW.replace(tzinfo=None))


def context_of(credentials: Credentials, trust: bytes) -> SSL.Context:
    """A pyOpenSSL context that shows credentials and wants the peer's, without files."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_privatekey(credentials.key)
    context.use_certificate(credentials.certificate)
    for issuer in credentials.chain[1:]:
        context.add_extra_chain_cert(issuer)
    store = context.get_cert_store()
    assert store is not None
    for block in trust.split(b"-----BEGIN")[1:]:
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_PEM, b"-----BEGIN" + block))
    store.set_time(NOW.replace(tzinfo=None))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *args: bool(args[-1]))
    return context


def test_credentials_in_memory() -> None:
    """A handshake with certificates on both sides between memory BIOs, nothing on disk."""
    pki = make(load_recipes("webex", "expressway-e"), NOW, only=["webex", "expressway-e"])
    ends = [SSL.Connection(context_of(pki[name], pki.trust())) for name in ("webex", "expressway-e")]
    ends[0].set_accept_state()
    ends[1].set_connect_state()
    for _ in range(10):
        for end, peer in (ends, ends[::-1]):
            with suppress(SSL.WantReadError):
                end.do_handshake()
            with suppress(SSL.WantReadError):
                peer.bio_write(end.bio_read(65536))
    assert [end.get_state_string() for end in ends] == [b"SSL negotiation finished successfully"] * 2
    assert ends[1].get_peer_cert_chain(as_cryptography=True) == list(pki["webex"].chain)


def show(directory: Path, webex: str, expressway: str, version: str) -> tuple[str, str]:
    """The handshake that `certs/README.md` describes; what server and client say."""
    when = ["-attime", str(int(NOW.timestamp())), "-verify_return_error", "-CAfile", "roots.pem"]
    key = {name: ["-cert", f"{name}.crt", "-key", f"{name}.key"] for name in (webex, expressway)}
    for name, options in key.items():
        if (directory / f"{name}-issuers.pem").exists():
            options += ["-cert_chain", f"{name}-issuers.pem"]
    with server(directory, *key[webex], "-Verify", "3", *when) as running:
        client = openssl(
            *("s_client", "-connect", running.address, *key[expressway], *when, version, "-showcerts"),
            *("-verify_hostname", "callservice.ciscospark.com"),
            cwd=directory,
            stdin="Q\n",
        )
        return running.finished(), client


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_mutual_tls(directory: Path, version: str) -> None:
    """Both sides accept each other, and each certificate of a chain is sent once."""
    served, client = show(directory, "webex", "expressway-e", version)
    assert "Verify return code: 0 (ok)" in client
    assert "Verified peername: callservice.ciscospark.com" in client
    assert client.count("-----BEGIN CERTIFICATE-----") == 3
    assert "verify return:1" in served
    assert "verify error" not in served


@pytest.mark.parametrize(
    ("expressway", "words"),
    [
        ("expressway-e-self-signed", "self-signed certificate"),
        ("expressway-e-leaf-only", "unable to get local issuer certificate"),
        ("expressway-e-server-only", "unsuitable certificate purpose"),
        ("expressway-e-expired", "certificate has expired"),
        ("firewall-expressway-e", "self-signed certificate in certificate chain"),
    ],
)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_mutual_tls_with_a_bad_client(directory: Path, expressway: str, words: str, version: str) -> None:
    """The server says what is wrong with its client."""
    served, _ = show(directory, "webex", expressway, version)
    assert f":{words}\n" in served


@pytest.mark.parametrize(
    ("webex", "words"),
    [("webex-misspelt", "hostname mismatch"), ("webex-leaf-only", "unable to get local issuer certificate")],
)
def test_mutual_tls_with_a_bad_server(directory: Path, webex: str, words: str) -> None:
    """The client says what is wrong with its server."""
    _, client = show(directory, webex, "expressway-e", "-tls1_3")
    assert f":{words}\n" in client


def test_openssl_shows_no_weak_key(directory: Path) -> None:
    """It refuses to load it, unless it is told otherwise."""
    with server(directory, "-cert", "webex-weak-key.crt", "-key", "webex-weak-key.key") as running:
        assert "ee key too small" in running.finished()
    arguments = ("-cert", "webex-weak-key.crt", "-key", "webex-weak-key.key", "-cipher", "DEFAULT@SECLEVEL=1")
    with server(directory, *arguments) as running:
        assert running.address


def test_read_what_was_written(directory: Path) -> None:
    """Those that are shown with key and chain; above them, and of those that are known, the certificate alone."""
    pki = read(BOOK, directory, ["webex"], ["webex", "expressway-e-root", "expressway-e-self-signed"])
    assert set(pki.credentials) == {"webex"}
    assert set(pki.keyless) == {"webex-root", "webex-issuing", "expressway-e-root", "expressway-e-self-signed"}
    for suffix, content in ((".key", pki["webex"].key_pem), ("-chain.pem", pki["webex"].chain_pem)):
        assert (directory / f"webex{suffix}").read_bytes() == content
    for name in ("webex", "expressway-e-root"):
        assert pki.trust(name) == (directory / f"{name}.crt").read_bytes()


def test_no_key_of_others_is_read(directory: Path, tmp_path: Path) -> None:
    """Of a real CA, or of who shows himself, there is a certificate and nothing else."""
    for name in ("expressway-e-root", "expressway-e"):
        (tmp_path / f"{name}.crt").write_bytes((directory / f"{name}.crt").read_bytes())
    pki = read(BOOK, tmp_path, (), ["expressway-e", "expressway-e-root"])
    chain = tmp_path / "expressway-e.crt", tmp_path / "expressway-e-root.crt"
    assert [pki.trust(name) for name in ("expressway-e", "expressway-e-root")] == [each.read_bytes() for each in chain]
    with pytest.raises(KeyError):
        _ = pki["expressway-e"]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("webex.key", None, r"webex\.key: No such file"),
        ("webex-chain.pem", None, r"webex-chain\.pem: No such file"),
        ("webex-root.crt", None, r"webex-root\.crt: No such file"),
        ("webex-root.crt", b"no PEM", r"webex-root\.crt: no certificate in PEM"),
        ("webex.key", b"no PEM", r"webex-chain\.pem with webex\.key: no private key in PEM"),
        ("webex.key", "cucm.key", "the key does not belong to the first certificate"),
    ],
)
def test_what_cannot_be_read(
    directory: Path, tmp_path: Path, file: str, content: bytes | str | None, words: str
) -> None:
    """It is told which file is wrong."""
    for each in directory.glob("webex*"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / file).unlink()
    if content is not None:
        told = content if isinstance(content, bytes) else (directory / content).read_bytes()
        (tmp_path / file).write_bytes(told)
    with pytest.raises(ConfigError, match=words):
        read(BOOK, tmp_path, ["webex"])


def test_a_key_that_signs_otherwise(directory: Path, tmp_path: Path) -> None:
    """TLS here is RSA or EC."""
    openssl(
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=webex",
        "-keyout",
        "webex.key",
        "-out",
        "webex-chain.pem",
        cwd=tmp_path,
    )
    for name in ("webex-root.crt", "webex-issuing.crt"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    with pytest.raises(ConfigError, match=r"webex\.key: neither RSA nor EC"):
        read(BOOK, tmp_path, ["webex"])
