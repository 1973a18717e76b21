"""Torture messages of IPv6: the addresses in them are, or are not, addresses, as the standard library says."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from harness.fuzz.torture_set.addresses import CASES
from tests.harness.fuzz.dissected import dissected
from tests.harness.fuzz.torture_set.filled import head, message

_BRACKETED = re.compile(rb"\[([^\]]*)\]")
_RIGHT = [case.name for case in CASES if case.expect == "accepted"]
_WRONG = ["ipv6-with-three-colons", "ipv6-that-is-none"]


@pytest.mark.parametrize("name", _RIGHT)
def test_addresses_that_must_be_accepted(name: str) -> None:
    """Whatever stands in brackets is an IPv6 address."""
    for text in _BRACKETED.findall(message(name)):
        assert ipaddress.IPv6Address(text.decode()).version == 6


@pytest.mark.parametrize("name", _WRONG)
def test_addresses_that_are_none(name: str) -> None:
    """Whatever stands in brackets is no IPv6 address."""
    found = _BRACKETED.findall(message(name))
    assert found
    for text in found:
        with pytest.raises(ipaddress.AddressValueError):
            ipaddress.IPv6Address(text.decode())


def test_there_are_enough_of_both() -> None:
    """All subjects of RFC 5118 4 but those about mistakes must be accepted."""
    assert len(_RIGHT) >= 9


def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """In those that must be accepted."""
    for name, found in zip(_RIGHT, dissected(tmp_path, [message(name) for name in _RIGHT]), strict=True):
        assert not found.malformed, name


def test_the_request_uri_without_brackets() -> None:
    """The one message whose Request-URI is not the target's: it names no host at all."""
    assert head("ipv6-without-brackets")[0] == b"OPTIONS sip:2001:db8::10 SIP/2.0"
