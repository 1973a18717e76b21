"""Digest: the RFC's own examples, and answers that prove something."""

from __future__ import annotations

import hashlib

import pytest

from alg.errors import SipSyntaxError
from harness.sip.digest import Challenge, Credentials, answer, choose, parameters, proves, username

MUFASA = Credentials("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


@pytest.mark.parametrize("algorithm", RESPONSES)
def test_examples_of_the_rfc(algorithm: str) -> None:
    """RFC 7616 3.9.1."""
    challenge = Challenge(
        "http-auth@example.org", NONCE, algorithm, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    )
    said = parameters(answer(challenge, MUFASA, "GET", "/dir/index.html", CNONCE))
    assert said["response"] == RESPONSES[algorithm]
    assert (said["nc"], said["qop"], said["uri"], said["opaque"]) == (
        "00000001",
        "auth",
        "/dir/index.html",
        challenge.opaque,
    )


def test_example_without_qop() -> None:
    """RFC 2617 3.5's numbers by RFC 2069's rule, worked out with md5sum."""
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop="")
    said = parameters(answer(challenge, Credentials("Mufasa", "Circle Of Life"), "GET", "/dir/index.html", "x"))
    assert said["response"] == "670fd8c2df070c60b045671b8b24ff02"
    assert "cnonce" not in said


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_answer_proves(algorithm: str, qop: str) -> None:
    """Who knows the password; and nothing else does."""
    asked = Challenge('a "realm"', "nonce", algorithm, qop)
    challenge = choose([str(asked)])
    assert challenge == asked
    proof = answer(challenge, MUFASA, "REGISTER", "sip:example.com", "cnonce", 2)
    assert proves(proof, asked, MUFASA, "REGISTER")
    assert username(proof) == "Mufasa"
    assert not proves(proof, asked, MUFASA, "INVITE")
    assert not proves(proof, asked, Credentials("Mufasa", "circle of life"), "REGISTER")
    assert not proves(proof, asked, Credentials("Scar", "Circle of Life"), "REGISTER")
    assert not proves(proof, Challenge(asked.realm, "another", algorithm, qop), MUFASA, "REGISTER")
    assert not proves(proof, Challenge("realm", "nonce", algorithm, qop), MUFASA, "REGISTER")
    assert not proves(proof.replace("sip:example.com", "sip:example.org"), asked, MUFASA, "REGISTER")


def test_session_algorithm() -> None:
    """The secret of -sess is hashed with both nonces (RFC 7616 3.4.2); worked out step by step."""

    def digest(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = digest(digest("Mufasa:r:Circle of Life") + ":n:c")
    expected = digest(f"{secret}:n:00000001:c:auth:{digest('REGISTER:sip:a')}")
    challenge = Challenge("r", "n", "MD5-sess")
    assert parameters(answer(challenge, MUFASA, "REGISTER", "sip:a", "c"))["response"] == expected


def test_quality_cannot_be_left_out() -> None:
    """An answer by the old rule to a challenge with qop proves nothing (RFC 7616 5.12)."""
    old = answer(Challenge("r", "n", qop=""), MUFASA, "REGISTER", "sip:a", "")
    assert not proves(old, Challenge("r", "n"), MUFASA, "REGISTER")


def test_first_known_challenge_is_answered() -> None:
    """RFC 8760 2.4: whoever asks puts what is liked best on top; what is not known is passed over."""
    values = [
        'Basic realm="x"',
        'Digest realm="r", nonce="1", algorithm=SHA-512-256',
        'Digest realm="r",nonce="2",algorithm=sha-256,qop="auth-int,auth",stale=true',
        'Digest realm="r", nonce="3"',
    ]
    found = choose(values)
    assert found == Challenge("r", "2", "SHA-256", "auth", "", True)
    assert choose(values[3:]) == Challenge("r", "3", qop="")
    assert choose(values[:2]) is None


@pytest.mark.parametrize("value", ["", "Digest", "Digest realm", 'Digest realm="r', "Digest realm=r, ,", "Bearer x=1"])
def test_malformed(value: str) -> None:
    """The error is ours."""
    with pytest.raises(SipSyntaxError):
        Challenge.parse(value)
