"""What hellos say, written by hand and by Python's `ssl`."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.tls.hello import read_client_hello, read_server_hello
from alg.tls.vectors import MOST_LISTED, TlsSyntaxError
from tests.tls.wire import (
    CHOOSES_1_3,
    EARLY_DATA,
    RETRY_RANDOM,
    Extension,
    client_hello,
    protocols,
    server_hello,
    server_name,
    supported_versions,
    vector,
)

NAME = server_name(b"sip.example.com")


def body(message: bytes) -> bytes:
    """Without the handshake header."""
    return message[4:]


def offered(*entries: Extension) -> dict[str, object]:
    """The details of a hello with these extensions."""
    return read_client_hello(body(client_hello(*entries))).details


def test_client_hello() -> None:
    """Name, protocols, versions, suites, session and early data, as an event shows them."""
    entries = (NAME, protocols(b"sip", b"h2"), supported_versions(0x0304, 0x0303), EARLY_DATA)
    hello = read_client_hello(body(client_hello(*entries, session_id=b"s" * 32)))
    assert hello.details == {
        "sni": "sip.example.com",
        "alpn": ["sip", "h2"],
        "versions": ["TLS 1.3", "TLS 1.2"],
        "cipher_suites": 2,
        "session_id_length": 32,
        "early_data": True,
    }


def test_plain_client_hello() -> None:
    """Without extensions, as before TLS 1.2, the version stands in the hello itself."""
    hello = read_client_hello(body(client_hello(version=0x0301)))
    assert hello.details == {
        "versions": ["TLS 1.0"],
        "cipher_suites": 2,
        "session_id_length": 0,
        "early_data": False,
    }


def test_python_says_the_same() -> None:
    """The hello of an independent client."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["sip", "x-test"])
    outgoing = ssl.MemoryBIO()
    party = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="pbx.example.org")
    with pytest.raises(ssl.SSLWantReadError):
        party.do_handshake()
    hello = read_client_hello(outgoing.read()[9:])
    assert hello.details["sni"] == "pbx.example.org"
    assert hello.details["alpn"] == ["sip", "x-test"]
    assert hello.details["versions"] == ["TLS 1.3", "TLS 1.2"]
    suites = len(context.get_ciphers())
    assert hello.details["cipher_suites"] in (suites, suites + 1), "one more for secure renegotiation (RFC 5746 3.3)"


def test_grease_is_left_out() -> None:
    """What a browser offers for nobody to understand is shown to nobody (RFC 8701)."""
    grease = b"\x4a\x4a"
    entries = ((0x4A4A, b""), supported_versions(0x7A7A, 0x0304), protocols(grease, b"sip"), (0xEAEA, b"\0"))
    message = client_hello(*entries, suites=grease + b"\x13\x01")
    details = read_client_hello(body(message)).details
    assert details == {
        "alpn": ["sip"],
        "versions": ["TLS 1.3"],
        "cipher_suites": 1,
        "session_id_length": 0,
        "early_data": False,
    }


@pytest.mark.parametrize(
    ("name", "sni"),
    [
        (b"SIP.Example.COM", "SIP.Example.COM"),
        (b"\x1b[2J\xff", "\\x1b[2J\\xff"),
        (b"a" * 300, "a" * 256 + "..."),
        (b"", ""),
    ],
)
def test_odd_names(name: bytes, sni: str) -> None:
    """A name is shown as it came, without harm to a terminal."""
    assert offered(server_name(name))["sni"] == sni


def test_name_of_another_kind() -> None:
    """A server_name list may hold entries that are no host names (RFC 6066 3)."""
    other = b"\x07" + vector(2, b"??")
    host = b"\x00" + vector(2, b"a.example")
    assert offered((0, vector(2, other + host)))["sni"] == "a.example"
    assert "sni" not in offered((0, vector(2, other)))


def test_first_of_two() -> None:
    """Of an extension that comes twice, which is against the rules, the first is shown."""
    assert offered(NAME, server_name(b"other.example.com"))["sni"] == "sip.example.com"


def test_unknown_numbers_are_shown() -> None:
    """A version or a suite that nobody named is a number."""
    assert offered(supported_versions(0x7F1C))["versions"] == ["0x7f1c"]
    assert read_server_hello(body(server_hello(suite=0xFEFE))).details(None)["cipher_suite"] == "0xfefe"


def test_endless_lists_are_cut() -> None:
    """An event does not grow with what a client offers."""
    details = offered(supported_versions(*range(0x0300, 0x0340)), protocols(*[b"p"] * 1000))
    assert details["alpn"] == ["p"] * MOST_LISTED + ["..."]
    versions = details["versions"]
    assert isinstance(versions, list)
    assert len(versions) == MOST_LISTED + 1


def test_server_hello() -> None:
    """Up to TLS 1.2 it shows version, suite and protocol."""
    hello = read_server_hello(body(server_hello(protocols(b"sip"), (65281, b"\0"), suite=0xC02F)))
    assert hello.details(None) == {
        "version": "TLS 1.2",
        "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "session_id_length": 0,
        "alpn": "sip",
        "resumed": False,
    }


def test_session_is_resumed() -> None:
    """A server that sends the client's session identifier back resumes it (RFC 5246 7.4.1.3)."""
    client = read_client_hello(body(client_hello(session_id=b"s" * 32)))
    for session_id, resumed in ((b"s" * 32, True), (b"t" * 32, False), (b"", False)):
        hello = read_server_hello(body(server_hello(session_id=session_id)))
        assert hello.details(client)["resumed"] is resumed
    fresh = read_client_hello(body(client_hello()))
    assert read_server_hello(body(server_hello())).details(fresh)["resumed"] is False


def test_session_of_tls_1_3_is_resumed() -> None:
    """There the identifier is always sent back and means nothing; a pre-shared key does (RFC 8446 4.1.3, 2.2)."""
    client = read_client_hello(body(client_hello(session_id=b"s" * 32)))
    fresh = read_server_hello(body(server_hello(CHOOSES_1_3, session_id=b"s" * 32)))
    assert fresh.details(client)["resumed"] is False
    resumed = read_server_hello(body(server_hello(CHOOSES_1_3, (41, b"\0\0"), session_id=b"s" * 32)))
    assert resumed.details(client)["resumed"] is True


def test_hello_retry_request() -> None:
    """It says which group the server wants, and nothing of resumption."""
    hello = read_server_hello(body(server_hello(CHOOSES_1_3, (51, b"\x00\x19"), suite=0x1301, random=RETRY_RANDOM)))
    assert hello.retry
    assert hello.details(None) == {
        "version": "TLS 1.3",
        "cipher_suite": "TLS_AES_128_GCM_SHA256",
        "session_id_length": 0,
        "group": "secp521r1",
    }


def test_retry_for_a_cookie() -> None:
    """A server may ask again without asking for another group (RFC 8446 4.2.2)."""
    hello = read_server_hello(body(server_hello(CHOOSES_1_3, (44, b"\0\1c"), random=RETRY_RANDOM)))
    assert hello.retry
    assert "group" not in hello.details(None)


def test_key_share_is_no_group_to_ask_for() -> None:
    """In a ServerHello proper the key share is an answer, not a wish."""
    assert "group" not in read_server_hello(body(server_hello(CHOOSES_1_3, (51, b"\x00\x1d\0\1k")))).details(None)


FULL_CLIENT = body(client_hello(NAME, protocols(b"sip"), supported_versions(0x0304), session_id=b"s" * 32))
FULL_SERVER = body(server_hello(CHOOSES_1_3, (51, b"\x00\x19"), random=RETRY_RANDOM))


@pytest.mark.parametrize(
    ("whole", "reader", "bare"),
    [
        (FULL_CLIENT, read_client_hello, body(client_hello(session_id=b"s" * 32))),
        (FULL_SERVER, read_server_hello, body(server_hello())),
    ],
)
def test_cut_hellos(whole: bytes, reader: Callable[[bytes], object], bare: bytes) -> None:
    """A hello that lacks its end cannot be read, unless it ends where extensions may begin (RFC 5246 7.4.1.2)."""
    complete = []
    for size in range(len(whole)):
        with suppress(TlsSyntaxError):
            reader(whole[:size])
            complete.append(size)
    assert complete == [len(bare)]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Nothing but our own error comes of anything."""
    for reader in (read_client_hello, read_server_hello):
        for prefix in (b"", FULL_CLIENT[:35]):
            with suppress(TlsSyntaxError):
                reader(prefix + data)


def test_hello_of_64_kilobytes() -> None:
    """As large as its extensions can be."""
    details = offered((21, b"\0" * 65000), NAME, protocols(*[b"name"] * 100))
    assert details["sni"] == "sip.example.com"
