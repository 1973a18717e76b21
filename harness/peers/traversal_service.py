"""The SERVICE by which an Expressway-E asks the Expressway-C about a phone's credentials (seed 002).

Strategy: `compose` writes one as the product does: two Routes, the apparent address of the Expressway-C and a service
of its own; a multipart body with a method call and the certificate of who asks. `question` reads the method call again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.sax.saxutils import escape, unescape

from alg.errors import SipSyntaxError
from harness.sip.digest import Challenge, Credentials, parameters, proves
from harness.sip.message import Request
from harness.sip.tokens import Tokens
from harness.sip.uri import Address, Params, SipUri, quote

PRODUCT: Final = "TANDBERG/4132 (X8.7.2)"
AUTHENTICATOR: Final = "sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr"
"""The Expressway-C's own service, on a port that only it can reach."""
APPARENT: Final = "apparent"
"""Parameter of a Route: the address is what a connection came from, and not what somebody said of himself."""
_BOUNDARY: Final = "boundary-6j7zrmj35ifsu3efg5ga603hzn1nbf"
_SIGNATURE: Final = (
    "7ioJ9gpsS5ob2TUAttNxBGYRWDbnRuf5skrKxP+B14ngRvjkIWIu7BQP5W7vw1BTVyVaGuubV5u7rPDc5anDx9u46i/8Tkk"
    "xYuxkr83DEh/cYPWlw07JvTP5nub6/EtEt6RXvwizY6Gm/MXV4eMqQJ06kA86EFxP1SsRxop0YjUs61B10JnBrtQjOicskoA="
)
"""Nobody verifies it here."""
_ELEMENT: Final = re.compile(r"<(username|realm|nonce|qop|cnonce|nc|response|uri|method)>([^<]*)</\1>")
_FROM_PROOF: Final = ("username", "realm", "nonce", "qop", "cnonce", "nc", "response", "uri")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: whether this answers a challenge of ours."""

    said: dict[str, str]
    """Elements of the method call."""

    def answered_by(self, passwords: dict[str, str]) -> bool:
        """Whether the password is right; SipSyntaxError for what is no proof at all."""
        said = self.said
        who = Credentials(said["username"], passwords.get(said["username"], ""))
        words = [f"{name}={quote(said[name])}" for name in _FROM_PROOF if said.get(name)]
        challenge = Challenge(said["realm"], said["nonce"], qop=said.get("qop", ""))
        return said["username"] in passwords and proves(f"Digest {', '.join(words)}", challenge, who, said["method"])


def apparent_route(address: Address, transport: str) -> str:
    """The Route to whoever a connection came from."""
    params = Params((("transport", transport.lower()), (APPARENT, None), ("ds", None), ("lr", None)))
    return f"<{SipUri(address[0], None, address[1], params)}>"


def compose(
    register: Request, proof: str, domain: str, apparent: str, certificate: bytes, now: datetime, tokens: Tokens
) -> Request:
    """About a REGISTER with a proof, the value of its authorization; `certificate` is PEM."""
    body = _body(parameters(proof), register.method, domain, certificate)
    server, proxy = f"sip:serviceserver@{domain}", f"sip:serviceproxy@{domain}"
    request = Request.make(
        "SERVICE",
        server,
        (
            (
                "Via",
                f"SIP/2.0/TCP 127.0.0.1:5060;branch={tokens.branch()};received=127.0.0.1;rport=25063;"
                "ingress-zone=DefaultZone",
            ),
            ("Call-ID", tokens.call_id("127.0.0.1")),
            ("CSeq", f"{tokens.number(2**15)} SERVICE"),
            ("Contact", f"<{proxy}>"),
            ("From", f"<{proxy}>;tag={tokens.tag()}"),
            ("To", f"<{server}>"),
            ("Max-Forwards", "15"),
            ("Route", apparent),
            ("Route", f"<{AUTHENTICATOR}>"),
            ("User-Agent", PRODUCT),
            ("Date", format_datetime(now, usegmt=True)),
            ("Event", "service"),
            ("P-Asserted-Identity", f"<{proxy}>"),
            ("X-TAATag", tokens.nonce()),
            ("Identity", quote(_SIGNATURE)),
        ),
    )
    return request.with_body(body, f"multipart/mixed;boundary={_BOUNDARY}")


def question(request: Request) -> Question:
    """The method call in a SERVICE; SipSyntaxError if there is none."""
    text = request.body.decode("utf-8", "replace")
    said = {name: unescape(value) for name, value in _ELEMENT.findall(text)}
    if not {"username", "realm", "nonce", "response", "method"} <= said.keys():
        raise SipSyntaxError("method-call", "SERVICE without a method call", 0)
    return Question(said)


def _body(proof: dict[str, str], method: str, domain: str, certificate: bytes) -> bytes:
    said = "".join(f"<{name}>{escape(proof.get(name, ''))}</{name}>" for name in _FROM_PROOF)
    call = (
        '<?xml version="1.0" encoding="utf-8"?>\r\n'
        f"<methodCall><params>{said}<method>{method}</method><id>12345678</id>"
        "<caching-enabled>true</caching-enabled><reqtype>collab-edge</reqtype></params>"
        f"<methodName>DigestAuth</methodName><version>1.0</version><msgid>12345678979</msgid>"
        f"<sipdomain>{escape(domain)}</sipdomain></methodCall>\r\n"
    )
    parts = (("application/text", call.encode()), ("application/x-x509-ca-cert", certificate.replace(b"\n", b"\r\n")))
    written = [b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n" % (_BOUNDARY.encode(), k.encode(), data) for k, data in parts]
    return b"".join(written) + b"--%s--\r\n" % _BOUNDARY.encode()
