"""Tokens: never the same twice, and the same again with a seed."""

from __future__ import annotations

from harness.sip.tokens import Tokens


def test_unlike_each_other() -> None:
    """Whatever kind they are of."""
    tokens = Tokens()
    made = [
        make() for _ in range(500) for make in (tokens.branch, tokens.tag, tokens.nonce, lambda: tokens.call_id("h"))
    ]
    assert len(set(made)) == len(made)
    assert tokens.branch().startswith("z9hG4bK")
    assert tokens.call_id("example.com").endswith("@example.com")


def test_seed() -> None:
    """A run can be had again; without a seed two runs differ."""
    assert Tokens(1).branch() == Tokens(1).branch()
    assert Tokens().branch() != Tokens().branch()
    assert all(0 < Tokens(seed).number(10) < 10 for seed in range(50))
