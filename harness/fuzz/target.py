"""The endpoint under test: where it is, how it is reached, and whether it may be tested at all."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.settings import resolve, split_host_port

OWNED = "--i-own-this-target"


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How TLS is spoken; paths of PEM files."""

    cert: str | None = None
    """The certificate chain that is shown: mutual TLS, or a server's."""
    key: str | None = None
    """Its key; None if it is in `cert`."""
    ca: str | None = None
    """The certification authorities that the far end's certificate is checked against."""
    verify: bool = False
    """Check the far end's certificate, against the system's authorities if `ca` names none."""
    name: str | None = None
    """The name that the certificate must bear; None stands for the host that was asked for."""

    def client_context(self) -> ssl.SSLContext:
        """For connections to a server; ConfigError naming the option whose file is no good."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca is None:
            context.load_default_certs()
        self._load(context)
        return context

    def server_context(self) -> ssl.SSLContext:
        """For connections from clients, who must show a certificate where there is a `ca`."""
        if self.cert is None:
            raise ConfigError("--cert is missing: a TLS server shows a certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load(context)
        if self.ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        if self.key is not None and self.cert is None:
            raise ConfigError("--key: there is no --cert that it belongs to")
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key)
            except OSError as error:
                raise ConfigError(f"--cert {self.cert}: {_reason(error)}") from None
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except OSError as error:
                raise ConfigError(f"--ca {self.ca}: {_reason(error)}") from None


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint, checked."""

    address: Address
    name: str
    """HOST as it was written."""
    tls: TlsOptions | None = None

    @classmethod
    def parse(cls, text: str, setting: str, owned: bool, tls: TlsOptions | None = None) -> Target:
        """`HOST:PORT`; ConfigError unless it is loopback or `owned` confirms it."""
        address = resolve(text, setting)
        refuse_strangers(address, setting, owned)
        return cls(address, split_host_port(text, setting)[0], tls)

    def local_host(self) -> str:
        """The address of this machine that the target sees; loopback if there is no way to it."""
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            try:
                sock.connect(self.address)
            except OSError:
                return "127.0.0.1"
            host: str = sock.getsockname()[0]
            return host

    def __str__(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"


def refuse_strangers(address: Address, setting: str, owned: bool) -> None:
    """ConfigError unless the address is loopback, or a person has confirmed that the endpoint is theirs."""
    if not (owned or ipaddress.ip_address(address[0]).is_loopback):
        raise ConfigError(f"{setting}: {address[0]} is not loopback: confirm with {OWNED} that it is yours")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).splitlines()[0]
