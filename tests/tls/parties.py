"""Python's `ssl` as both parties of a TLS connection, in memory: what each sent, in order.

Strategy: a `Conversation` is a handshake, a request, an answer, and the close from both sides; wherever it fails it
ends, with what each party had to say about it. What crossed is a `Transcript`, which anything may be fed with.
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from alg.tls.records import TlsObserver
from alg.tls.sightings import Sender, Sighting
from tests.helpers.certificates import Paper, sign

Transcript = list[tuple[Sender, bytes]]

REQUEST, ANSWER = b"OPTIONS sip:sip.example.com SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"
VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class Papers:
    """Files that contexts are made of: a root, a server and a client under an intermediate, a stranger under nobody."""

    folder: Path
    root: Paper = field(default_factory=lambda: sign("Test Root", ca=True))

    def __post_init__(self) -> None:
        intermediate = sign("Test Intermediate", self.root, ca=True)
        self.root.write(self.folder, "root")
        sign("sip.example.com", intermediate, ["sip.example.com"]).write(self.folder, "server")
        sign("client.example.com", intermediate, ["client.example.com"]).write(self.folder, "client")
        sign("stranger.example.com").write(self.folder, "stranger")

    def client(self, version: str, certificate: str = "", trusts: str = "root") -> ssl.SSLContext:
        """A client's context; `certificate` and `trusts` are names of files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["sip", "sips/2"])
        return self._finish(context, version, certificate, trusts)

    def server(self, version: str, asks: ssl.VerifyMode = ssl.CERT_NONE) -> ssl.SSLContext:
        """A server's context; `asks` says whether for a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = asks
        context.set_alpn_protocols(["sip"])
        return self._finish(context, version, "server", "root")

    def _finish(self, context: ssl.SSLContext, version: str, certificate: str, trusts: str) -> ssl.SSLContext:
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.pem")
        context.load_verify_locations(self.folder / f"{trusts}.pem")
        if version == "1.1":
            context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = VERSIONS[version]
        return context


class Conversation:
    """One connection, carried out as far as it goes."""

    def __init__(
        self,
        client: ssl.SSLContext,
        server: ssl.SSLContext,
        server_name: str = "sip.example.com",
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._inputs = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self._outputs = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self.client = client.wrap_bio(self._inputs[0], self._outputs[0], server_hostname=server_name, session=session)
        self.server = server.wrap_bio(self._inputs[1], self._outputs[1], server_side=True)
        self.transcript: Transcript = []
        self.complaints = ["", ""]
        """Of each party, by sender."""
        self._shake_hands()
        if not any(self.complaints):
            self._talk()

    def _parties(self) -> tuple[ssl.SSLObject, ssl.SSLObject]:
        return self.client, self.server

    def _shake_hands(self) -> None:
        heard = -1
        while heard < len(self.transcript):
            heard = len(self.transcript)
            for sender, party in zip(Sender, self._parties(), strict=True):
                try:
                    party.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError as error:
                    self.complaints[sender] = self.complaints[sender] or str(error.reason)
                self._flush(sender)

    def _talk(self) -> None:
        self._write(Sender.CLIENT, REQUEST)
        self._write(Sender.SERVER, ANSWER)
        for sender, party in zip(Sender, self._parties(), strict=True):
            with suppress(ssl.SSLWantReadError):
                party.unwrap()
            self._flush(sender)

    def _write(self, sender: Sender, data: bytes) -> None:
        self._parties()[sender].write(data)
        self._flush(sender)
        assert self._parties()[sender.peer].read() == data

    def _flush(self, sender: Sender) -> None:
        data = self._outputs[sender].read()
        if data:
            self.transcript.append((sender, data))
            self._inputs[sender.peer].write(data)


def cut(transcript: Transcript, size: int) -> Transcript:
    """The same bytes in pieces of at most `size`."""
    return [(sender, data[place : place + size]) for sender, data in transcript for place in range(0, len(data), size)]


def watch(transcript: Transcript, observer: TlsObserver | None = None) -> list[Sighting]:
    """What is seen of it."""
    watching = observer or TlsObserver()
    return [sighting for sender, data in transcript for sighting in watching.feed(sender, data)]


def script(sightings: list[Sighting]) -> list[str]:
    """Who said what, a line for each turn."""
    lines: list[str] = []
    for sighting in sightings:
        label = sighting.sender.label
        if lines and lines[-1].startswith(label):
            lines[-1] += f" {sighting.message}"
        else:
            lines.append(f"{label}: {sighting.message}")
    return lines


def said(sightings: list[Sighting], message: str, which: int = 0) -> dict[str, object]:
    """The details of a message."""
    return dict([sighting.details for sighting in sightings if sighting.message == message][which])
