"""Python's `ssl` as the other end of a handshake, on memory: what it complains about, and what it was sent."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

from OpenSSL import SSL

from alg.tls.endpoint import Endpoint, Notes, TlsFailure
from harness.peers.tls_verdict import Judge, Verdict

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_FAR_PROTOCOLS = {True: ssl.PROTOCOL_TLS_CLIENT, False: ssl.PROTOCOL_TLS_SERVER}
"""By whether our end serves."""
_TURNS = 8
"""More than any handshake takes."""


class Handshake:
    """Between an endpoint of ours, with a judge or without, and the standard library's."""

    def __init__(
        self,
        context: SSL.Context,
        papers: Path,
        version: str,
        serves: bool,
        shown: str,
        judge: Judge | None = None,
        resumed: ssl.SSLObject | None = None,
    ) -> None:
        """`papers` is the folder of certificates; `shown` is the one that the far end has, empty for none.

        `resumed` is a far end of before, whose session this one wants to go on with.
        """
        self.endpoint = Endpoint(context, serves, Notes(None))
        self.verdict = Verdict(self.endpoint.connection, judge) if judge is not None else None
        far = resumed.context if resumed is not None else ssl.SSLContext(_FAR_PROTOCOLS[serves])
        if serves:
            far.check_hostname, far.verify_mode = False, ssl.CERT_NONE
        if shown:
            far.load_cert_chain(papers / f"{shown}-chain.pem", papers / f"{shown}.key")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            far.minimum_version = far.maximum_version = VERSIONS[version]
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.far = far.wrap_bio(
            self._incoming, self._outgoing, server_side=not serves, session=resumed.session if resumed else None
        )
        self.complaint = ""
        """The far end's."""
        self.failure = ""
        """Ours."""
        self.received = b""
        """By the far end."""
        for _ in range(_TURNS):
            self._turn()

    def _turn(self) -> None:
        try:
            if not self.complaint:
                self.far.do_handshake()
                self.far.read()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.complaint = str(error.reason).replace("_", " ").lower()
        self.endpoint.take(self._outgoing.read())
        try:
            if not self.failure:
                self.endpoint.shake()
        except TlsFailure as failure:
            self.failure = str(failure)
        data = self.endpoint.drain()
        self.received += data
        self._incoming.write(data)
