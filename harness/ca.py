"""The test PKI: good and deliberately bad certificates, made from recipes in milliseconds.

Strategy: recipes (`load_recipes`) and a time come in, keys and certificates in memory come out (`make`); nothing is
read from the clock, nothing is written unless `write` is called. Keys are new each time.

    book = load_recipes("webex", "expressway-e")        # shipped names or paths of .toml files; none: all shipped
    pki = make(book, now)                               # or make(book, now, only=["webex"]): it and its issuers
    webex = pki["webex"]                                # Credentials, of CAs too
    webex.key, webex.certificate, webex.chain           # chain: as sent, `certificate` first
    webex.key_pem, webex.certificate_pem, webex.chain_pem
    pki.trust("webex-root")                             # PEM bundle; no name: every root that is trusted
    firewall = pki.authority("firewall-root")           # or Authority.from_pem(certificate, key)
    firewall.issue(common_name, sans, public_key, eku, not_before, not_after)
    write(pki, directory)                               # what `sipalg certs make` writes
    read(book, directory, ["webex"], ["webex-root"])    # from there: some with their keys, of others what is public
    pki.certificate("webex-root")                       # of either

What is shipped is described in `certs/README.md`; `pki.book[name].wrong` says what is wrong with a certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alg.errors import ConfigError
from alg.tls.policy import Identity, parse_certificates
from harness.pki.files import write_files
from harness.pki.issuing import Authority, PrivateKey, extensions_of, general_names, new_key, sign, subject_of
from harness.pki.recipes import Chain, LeafRecipe, RecipeBook, load_recipes

__all__ = [
    "ROOTS",
    "Authority",
    "Credentials",
    "Pki",
    "PrivateKey",
    "RecipeBook",
    "general_names",
    "load_recipes",
    "make",
    "read",
    "write",
]

ROOTS = "roots.pem"
"""File name of the bundle of all roots that are trusted."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an endpoint needs to show itself: key, certificate, and what it sends along."""

    name: str
    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    """As sent: `certificate` first, each signed by the next. A recipe may leave the rest out."""

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS #8, unencrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        """Everything that is sent, the certificate first."""
        return self.certificate_pem + self.issuers_pem

    @property
    def issuers_pem(self) -> bytes:
        """What is sent after the certificate, which may be nothing."""
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain[1:])


@dataclass(frozen=True, slots=True)
class Pki:
    """Certificates by the names of their recipes."""

    book: RecipeBook
    credentials: Mapping[str, Credentials]
    keyless: Mapping[str, x509.Certificate] = field(default_factory=dict)
    """Certificates that others show, and CAs of others: there is nothing to sign with."""

    def __getitem__(self, name: str) -> Credentials:
        return self.credentials[name]

    def certificate(self, name: str) -> x509.Certificate:
        """With a key or without."""
        found = self.credentials.get(name)
        return self.keyless[name] if found is None else found.certificate

    def authority(self, name: str) -> Authority:
        """A CA that goes on signing."""
        assert name in self.book.cas, f"{name} is no CA"
        return Authority(self[name].certificate, self[name].key)

    def trust(self, *names: str) -> bytes:
        """A PEM bundle of these certificates; without names, of every root that its recipe does not call untrusted."""
        return b"".join(self.certificate(name).public_bytes(Encoding.PEM) for name in names or self._roots())

    def files_of(self, name: str) -> dict[str, bytes]:
        """Content by file name, of one certificate."""
        credentials = self[name]
        contents = {f"{name}.key": credentials.key_pem, f"{name}.crt": credentials.certificate_pem}
        if name in self.book.leafs:
            contents[f"{name}-chain.pem"] = credentials.chain_pem
            if issuers := credentials.issuers_pem:
                contents[f"{name}-issuers.pem"] = issuers
        return contents

    def files(self) -> dict[str, bytes]:
        """Content by file name, of all of them and of the bundle of roots; `certs/README.md` describes them."""
        contents = {file: content for name in self.credentials for file, content in self.files_of(name).items()}
        if roots := self.trust():
            contents[ROOTS] = roots
        return contents

    def _roots(self) -> list[str]:
        return [
            name for name, ca in self.book.cas.items() if name in self.credentials and ca.issuer is None and ca.trusted
        ]


def make(book: RecipeBook, now: datetime, only: Iterable[str] = ()) -> Pki:
    """New keys and certificates for a book, or for those named in `only` and the CAs above them.

    `now` is what the offsets of the recipes count from; it must know its time zone.
    """
    assert now.tzinfo is not None, "a time without a zone is another time elsewhere"
    wanted = set(only) or set(book.names)
    wanted |= {issuer for name in wanted for issuer in book.issuers(name)}
    made: dict[str, Credentials] = {}
    for name in sorted(wanted, key=lambda name: (name in book.leafs, len(book.issuers(name)))):
        made[name] = _credentials(book, name, now, made)
    return Pki(book, {name: made[name] for name in book.names if name in made})


def write(pki: Pki, directory: Path, replace: bool = False) -> None:
    """Write all files of a PKI: keys with mode 0600, a new directory with mode 0700.

    ConfigError if one of them exists and `replace` is not set, or if the system refuses.
    """
    write_files(directory, pki.files(), replace)


def read(book: RecipeBook, directory: Path, shown: Iterable[str], known: Iterable[str] = ()) -> Pki:
    """What `write` has written: `shown` with their keys, `known` and the CAs above `shown` without.

    A certificate that is known may be another one by now, such as that of a real CA. ConfigError if a file is missing,
    or is not what it should be.
    """
    ours = set(shown)
    others = {*known, *(issuer for name in ours for issuer in book.issuers(name))} - ours
    return Pki(
        book,
        {name: _read_credentials(directory, name, name in book.leafs) for name in book.names if name in ours},
        {name: _read_certificate(directory, name) for name in book.names if name in others},
    )


def _read_credentials(directory: Path, name: str, is_leaf: bool) -> Credentials:
    key, chain = directory / f"{name}.key", directory / (f"{name}-chain.pem" if is_leaf else f"{name}.crt")
    identity = Identity.parse(_content(chain), _content(key), f"{chain} with {key.name}")
    if not isinstance(identity.key, PrivateKey):
        raise ConfigError(f"{key}: neither RSA nor EC")
    return Credentials(name, identity.key, identity.chain[0], identity.chain)


def _read_certificate(directory: Path, name: str) -> x509.Certificate:
    file = directory / f"{name}.crt"
    return parse_certificates(_content(file), str(file))[0]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None


def _credentials(book: RecipeBook, name: str, now: datetime, made: Mapping[str, Credentials]) -> Credentials:
    recipe = book[name]
    key = new_key(recipe.key)
    public_key = key.public_key()
    above = [made[issuer] for issuer in book.issuers(name)]
    signer, issuer = (above[0].key, above[0].certificate) if above else (key, None)
    certificate = sign(
        subject_of(recipe), public_key, recipe.validity(now), extensions_of(recipe, public_key), signer, issuer
    )
    chain = recipe.chain if isinstance(recipe, LeafRecipe) else Chain.INTERMEDIATES
    sent = {Chain.NONE: [], Chain.INTERMEDIATES: above[:-1], Chain.WITH_ROOT: above}[chain]
    return Credentials(name, key, certificate, (certificate, *(each.certificate for each in sent)))
