"""Errors say whose fault it is, what and where."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError, LimitExceeded, MessageError, SegmentError, SipalgError, SipSyntaxError


@pytest.mark.parametrize("kind", [SipSyntaxError, LimitExceeded, SegmentError])
def test_error_of_a_peer_says_what_and_where(kind: type[SipSyntaxError | LimitExceeded | SegmentError]) -> None:
    """A record that quotes the error names the reason and the offset; a program finds the rule."""
    error = kind("content-length", "Content-Length is no number", 30)
    assert str(error) == "Content-Length is no number (offset 30)"
    assert (error.rule, error.reason, error.offset) == ("content-length", "Content-Length is no number", 30)


def test_families() -> None:
    """Message errors, packet errors and configuration errors can be told apart, and all be caught together."""
    assert issubclass(SipSyntaxError, MessageError)
    assert issubclass(LimitExceeded, MessageError)
    assert not issubclass(SegmentError, MessageError)
    assert not issubclass(ConfigError, MessageError)
    assert all(issubclass(kind, SipalgError) for kind in (MessageError, SegmentError, ConfigError))


def test_configuration_error_is_a_value_error() -> None:
    """Whoever uses the package as a library may catch what Python programmers expect."""
    with pytest.raises(ValueError, match="--map"):
        raise ConfigError("--map: nonsense")
