"""Digest authentication with MD5 and SHA-256, for who asks and who is asked (RFC 7616, RFC 8760, RFC 3261 22.4).

Strategy: header values come in and go out; nonces are made by the caller. The first challenge with an algorithm that is
known is answered, as RFC 8760 2.4 has it. Comparisons take the same time whatever they find.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from alg.errors import SipSyntaxError
from harness.sip.uri import quote, unquote

_ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PARAMETER = re.compile(r'\s*([A-Za-z0-9_\-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]*)\s*(?:,|\Z)', re.DOTALL)
_SCHEME = re.compile(r"\s*Digest\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who somebody is, to a realm."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """The value of WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """MD5, SHA-256, either with -sess."""
    qop: str = "auth"
    """Empty for none, as in RFC 2069."""
    opaque: str = ""
    stale: bool = False

    @classmethod
    def parse(cls, value: str) -> Challenge:
        """SipSyntaxError if it is no digest challenge."""
        said = parameters(value)
        if "realm" not in said or "nonce" not in said:
            raise SipSyntaxError("authenticate", "challenge without realm or nonce", 0)
        offered = [each.strip().lower() for each in said.get("qop", "").split(",")]
        return cls(
            said["realm"],
            said["nonce"],
            said.get("algorithm", "MD5").upper().replace("-SESS", "-sess"),
            "auth" if "auth" in offered else "",
            said.get("opaque", ""),
            said.get("stale", "").lower() == "true",
        )

    @property
    def known(self) -> bool:
        """Whether its algorithm is."""
        return self.algorithm.removesuffix("-sess") in _ALGORITHMS

    def __str__(self) -> str:
        words = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}", f"algorithm={self.algorithm}"]
        if self.qop:
            words.append(f"qop={quote(self.qop)}")
        if self.opaque:
            words.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            words.append("stale=TRUE")
        return f"Digest {', '.join(words)}"


def choose(values: Iterable[str]) -> Challenge | None:
    """The first challenge that can be answered; those that are none are left out."""
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except SipSyntaxError:
            continue
        if challenge.known:
            return challenge
    return None


def answer(challenge: Challenge, who: Credentials, method: str, uri: str, cnonce: str, count: int = 1) -> str:
    """The value of Authorization or Proxy-Authorization; `count` is how often the nonce was used, this time too."""
    times = f"{count:08x}"
    response = _response(challenge, who, method, uri, cnonce, times)
    words = [
        f"username={quote(who.username)}",
        f"realm={quote(challenge.realm)}",
        f"nonce={quote(challenge.nonce)}",
        f"uri={quote(uri)}",
        f"response={quote(response)}",
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop or challenge.algorithm.endswith("-sess"):
        words.append(f"cnonce={quote(cnonce)}")
    if challenge.qop:
        words += [f"qop={challenge.qop}", f"nc={times}"]
    if challenge.opaque:
        words.append(f"opaque={quote(challenge.opaque)}")
    return f"Digest {', '.join(words)}"


def username(value: str) -> str:
    """Whose credentials an Authorization has; empty if it does not say."""
    return parameters(value).get("username", "")


def proves(value: str, challenge: Challenge, who: Credentials, method: str) -> bool:
    """Whether an Authorization answers our challenge; SipSyntaxError if it is none."""
    said = parameters(value)
    if (said.get("username"), said.get("realm")) != (who.username, challenge.realm):
        return False
    if said.get("nonce") != challenge.nonce or said.get("algorithm", "MD5").upper() != challenge.algorithm.upper():
        return False
    expected = _response(challenge, who, method, said.get("uri", ""), said.get("cnonce", ""), said.get("nc", ""))
    return hmac.compare_digest(expected.encode(), said.get("response", "").lower().encode("utf-8", "replace"))


def parameters(value: str) -> dict[str, str]:
    """Of a digest challenge or its answer, names in lower case; SipSyntaxError if it is neither."""
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise SipSyntaxError("authorization", f"no digest: {value[:40]!r}", 0)
    said: dict[str, str] = {}
    position = scheme.end()
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            raise SipSyntaxError("authorization", f"no parameter: {value[position : position + 40]!r}", position)
        said[found[1].lower()] = unquote(found[2])
        position = found.end()
    return said


def _response(challenge: Challenge, who: Credentials, method: str, uri: str, cnonce: str, times: str) -> str:
    """RFC 7616 3.4.1 to 3.4.3."""
    assert challenge.known, f"{challenge.algorithm} is known"
    algorithm = challenge.algorithm.removesuffix("-sess")

    def digest(*words: str) -> str:
        return _ALGORITHMS[algorithm](":".join(words).encode("utf-8", "surrogateescape")).hexdigest()

    secret = digest(who.username, challenge.realm, who.password)
    if challenge.algorithm.endswith("-sess"):
        secret = digest(secret, challenge.nonce, cnonce)
    request = digest(method, uri)
    if challenge.qop:
        return digest(secret, challenge.nonce, times, cnonce, challenge.qop, request)
    return digest(secret, challenge.nonce, request)
