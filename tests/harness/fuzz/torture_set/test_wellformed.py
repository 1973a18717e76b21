"""Well-formed torture messages: tshark finds nothing wrong, and each is as odd as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.fuzz.torture_set.wellformed import CASES
from tests.harness.fuzz.dissected import dissected
from tests.harness.fuzz.torture_set.filled import TOKEN, head, message

_VIA_PARM = re.compile(rb"SIP/2\.0/[A-Za-z0-9-]+ [a-z0-9.]+(:\d+)?(;[a-z]+=[A-Za-z0-9.]+)*")


def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """Each is SIP, not malformed, and has the identity that its answer is told by."""
    seen = dissected(tmp_path, [message(case.name) for case in CASES])
    for case, found in zip(CASES, seen, strict=True):
        assert not found.malformed, case.name
        assert found.call_ids[0].startswith(TOKEN), case.name
        assert len(found.call_ids) == 1, case.name


def test_all_must_be_accepted() -> None:
    """What is right has to be taken; an escape that is none makes a method that nobody knows."""
    assert {case.expect for case in CASES} == {"accepted"}


def test_oddities() -> None:
    """What the names promise is in the bytes."""
    assert {line.partition(b":")[0].strip() for line in head("odd-but-legal-fields")[1:]} >= {b"fRoM", b"v", b"i", b"l"}
    assert set(b"-.!%*_+`'~") <= set(head("method-of-every-character")[0].partition(b" ")[0])
    assert head("percent-that-is-no-escape")[0].startswith(b"OPTION%53 ")
    assert message("escaped-nulls").count(b"%00") >= 3
    assert max(map(len, head("long-values"))) > 1000
    assert b"(" * 40 in message("nested-comments")
    assert b"CSeq: 2147483647 OPTIONS" in head("largest-numbers")
    assert message("via-stack").count(b"SIP/2.0/TCP 192.0.2.") == 60


@pytest.mark.parametrize("name", ["transports-nobody-knows", "via-stack", "long-values"])
def test_stacks_of_via_are_via(name: str) -> None:
    """Every value that a comma separates is a via-parm (RFC 3261 25.1)."""
    values = [line.partition(b":")[2] for line in head(name) if line.lower().startswith((b"via:", b"v:"))]
    entries = [entry.strip() for value in values for entry in value.split(b",")]
    assert len(entries) >= 5
    assert all(_VIA_PARM.fullmatch(entry) for entry in entries)


@pytest.mark.parametrize("name", ["multipart-with-binary", "session-of-many-lines"])
def test_bodies_are_as_long_as_they_say(name: str) -> None:
    """Counted by hand, zeros and all."""
    _, _, body = message(name).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head(name)


def test_session_has_lines_in_the_order_of_the_rfc() -> None:
    """RFC 4566 5: v o s i u e c b t r z a, then media."""
    _, _, body = message("session-of-many-lines").partition(b"\r\n\r\n")
    letters = bytes(line[0] for line in body.split(b"\r\n") if line)
    assert letters == b"vosiuecbbtrztamibaaam"
