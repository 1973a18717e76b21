"""The settings of an inspection that terminates: flags and `[tls]` as one, what they come to, and what contradicts."""

from __future__ import annotations

from typing import Any

import pytest

from alg.errors import ConfigError
from alg.tls.policy import Ask, BridgePolicy, OnFailure, Present, TlsVersion
from harness.termination import Termination, TlsSection, flags_given
from tests.helpers.certificates import sign


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A CA: certificate and key, in one file."""
    path = str(sign("Firewall CA", ca=True).write(tmp_path_factory.mktemp("pem"), "ca"))
    return path, path


def policy(section: TlsSection, **flags: Any) -> BridgePolicy:
    """What settings come to."""
    made = Termination.read(section, flags).terminator(lambda line: None, None)
    return made.inspector.policy


def test_the_defaults_do_everything_right(pem: tuple[str, str]) -> None:
    """Asked as the server asks, shown re-signed, TLS 1.2 and 1.3, alerts."""
    made = policy(TlsSection(ca=pem))
    assert made == BridgePolicy()
    assert (made.client.ask, made.server.present, made.failed_leg) == (Ask.FOLLOW, Present.RESIGNED, OnFailure.ALERT)


def test_each_flag_has_its_effect(pem: tuple[str, str]) -> None:
    """All of them at once."""
    made = policy(
        TlsSection(),
        ca=pem,
        names=("a.example", "192.0.2.1"),
        ask="require",
        identity=pem,
        trust_clients=pem[0],
        trust_servers=pem[0],
        verify_name="b.example",
        highest="1.2",
        on_failure="reset",
    )
    assert (made.client.names, made.client.ask) == (("a.example", "192.0.2.1"), Ask.REQUIRE)
    assert (made.server.present, made.server.name, made.server.check_name) == (Present.GIVEN, "b.example", True)
    assert made.server.given is not None
    assert len(made.client.trust) == len(made.server.trust) == 1
    assert made.client.tls.highest is made.server.tls.highest is TlsVersion.TLS_1_2
    assert made.failed_leg is made.other_leg is OnFailure.RESET


def test_the_name_that_the_client_asks_for(pem: tuple[str, str]) -> None:
    """`sni` is no name but where to take it from."""
    made = policy(TlsSection(ca=pem, trust_servers=pem[0], verify_name="sni"))
    assert (made.server.check_name, made.server.name) == (True, None)


def test_flags_win_over_the_file(pem: tuple[str, str]) -> None:
    """Key by key; what is wrong is called by the name of where it was set."""
    section = TlsSection(ca=pem, on_failure=OnFailure.CLOSE, ask=Ask.REQUIRE)
    made = policy(section, on_failure="reset", ask=None)
    assert (made.failed_leg, made.client.ask) == (OnFailure.RESET, Ask.REQUIRE)
    with pytest.raises(ConfigError, match=r"^\[tls\] ca /none: No such file"):
        policy(TlsSection(ca=("/none", "/none")))
    with pytest.raises(ConfigError, match=r"^--tls-ca /none: No such file"):
        policy(section, ca=("/none", "/none"))


CONTRADICTIONS = [
    ({"ca": None}, "--tls-inspect terminate: --tls-ca (or [tls] ca) is missing"),
    ({"present": "given"}, "--tls-present given: --tls-identity (or [tls] identity) is missing"),
    ({"present": "none", "identity": "CA"}, "--tls-identity: not shown, as --tls-present is none"),
    ({"ask": "never", "present": "resigned"}, "--tls-present resigned: nothing to re-sign, as --tls-ask is never"),
    ({"ask": "never", "trust_clients": "x"}, "--tls-trust-clients: nothing to verify, as --tls-ask is never"),
    ({"verify_name": "sni"}, "--tls-verify-name: --tls-trust-servers (or [tls] trust_servers) is missing"),
    ({"highest": "1.1"}, "--tls-highest 1.1: [tls] lowest is 1.2"),
    ({"highest": "1.4"}, "[tls]: Invalid enum value '1.4' - at `$.highest`"),
    ({"names": ("",)}, "--tls-name: client leg: '' is no name for a certificate"),
    ({"trust_servers": "/etc/hostname"}, "--tls-trust-servers /etc/hostname: no certificate in PEM"),
    ({"trust_servers": "CA", "verify_name": "a\nb"}, "--tls-verify-name: server leg: name 'a\\nb' is no host name"),
]


@pytest.mark.parametrize(("flags", "complaint"), CONTRADICTIONS, ids=[complaint for _, complaint in CONTRADICTIONS])
def test_what_makes_no_sense(pem: tuple[str, str], flags: dict[str, Any], complaint: str) -> None:
    """Is one line that names the settings."""
    given = {key: pem if value == "CA" and key == "identity" else value for key, value in flags.items()}
    given = {key: pem[0] if value == "CA" else value for key, value in given.items()}
    section = TlsSection() if "ca" in flags else TlsSection(ca=pem)
    with pytest.raises(ConfigError) as refused:
        policy(section, **given)
    assert str(refused.value).startswith(complaint)


def test_a_section_contradicts_by_its_own_name(pem: tuple[str, str]) -> None:
    """What the file says is called by its key."""
    with pytest.raises(ConfigError, match=r"^\[tls\] highest 1.0: \[tls\] lowest is 1.2$"):
        policy(TlsSection(ca=pem, highest=TlsVersion.TLS_1_0))


def test_what_openssl_does_not_like(pem: tuple[str, str]) -> None:
    """A cipher list without a cipher is found when the settings are read, not in a handshake."""
    with pytest.raises(ConfigError, match=r"^\[tls\]: client leg: .*no cipher match"):
        policy(TlsSection(ca=pem, ciphers="NO-SUCH-CIPHER"))


def test_which_flags_were_given() -> None:
    """By the names that people type."""
    assert flags_given({"names": ("a",), "trust_clients": "x", "ask": None, "ca": ()}) == [
        "--tls-name",
        "--tls-trust-clients",
    ]
