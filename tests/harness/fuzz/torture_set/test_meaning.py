"""Torture messages that mean something odd: what each leaves out, has twice, or asks for."""

from __future__ import annotations

import email

import pytest

from tests.harness.fuzz.torture_set.filled import ALL, body, head, message


def names(name: str) -> list[bytes]:
    """Names of the fields, in order."""
    return [line.partition(b":")[0] for line in head(name)[1:]]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("via-missing", b"Via"),
        ("from-missing", b"From"),
        ("to-missing", b"To"),
        ("call-id-missing", b"Call-ID"),
        ("sequence-missing", b"CSeq"),
    ],
)
def test_one_field_is_missing(name: str, missing: bytes) -> None:
    """That one, and no other."""
    usual = [b"Via", b"Max-Forwards", b"From", b"To", b"Call-ID", b"CSeq", b"Content-Length"]
    assert names(name) == [field for field in usual if field != missing]


def test_single_fields_twice() -> None:
    """Five of them."""
    found = names("single-fields-twice")
    assert sorted(field for field in set(found) if found.count(field) == 2) == [
        *(b"CSeq", b"Call-ID", b"From", b"Max-Forwards", b"To")
    ]


def test_the_branch_is_nothing_but_the_cookie() -> None:
    """RFC 3261 8.1.1.7 wants more behind it."""
    assert head("branch-of-nothing-but-the-cookie")[1].endswith(b";branch=z9hG4bK")


def test_what_nobody_supports_is_to_be_declined() -> None:
    """A success would be wrong."""
    for name in ("extensions-nobody-knows", "content-type-nobody-knows", "dialog-nobody-knows", "session-that-is-none"):
        assert not ALL[name].expectation.allows("accepted", 200)
        assert ALL[name].expectation.allows("accepted", 415)


def test_parts_in_parts_are_well_formed() -> None:
    """The standard library's parser of MIME, which knows no SIP, goes down to the last."""
    (kind,) = (line for line in head("parts-in-parts") if line.startswith(b"Content-Type"))
    part = email.message_from_bytes(kind + b"\r\n\r\n" + body("parts-in-parts"))
    depth = 0
    while part.is_multipart():
        part = part.get_payload(0)  # type: ignore[assignment]
        depth += 1
    assert depth == 61
    assert str(part.get_payload()).strip() == "deep"


def test_old_request_has_nothing_new() -> None:
    """No branch, no tag, no Max-Forwards."""
    old = message("as-old-as-rfc-2543")
    assert not any(word in old for word in (b"branch", b"tag=", b"Max-Forwards"))


def test_invites_offer_no_media() -> None:
    """A call that is answered by mistake sends nothing."""
    for name, case in ALL.items():
        if case.message.startswith(b"INVITE") and b"m=audio" in case.message:
            assert b"a=inactive" in message(name), name
