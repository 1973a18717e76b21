"""Probers against a server of a test's own."""

from __future__ import annotations

from typing import Any

from harness.fuzz.growing import PLACES
from harness.fuzz.probing import Manner, Prober
from harness.fuzz.sizes import Message, Sizes, Tokens
from harness.fuzz.target import Target, TlsOptions
from tests.harness.fuzz.servers import LimitedServer

NONCE = "0123456789"


def target_of(server: LimitedServer, tls: TlsOptions | None = None) -> Target:
    """Where it is."""
    return Target.parse(server.address, "--to", owned=False, tls=tls)


def message_for(server: LimitedServer, method: str = "OPTIONS") -> Message:
    """A message for it."""
    secure = server.context is not None
    return Message.choose(method, None, (server.address.split(":")[0], server.port), secure, Tokens(NONCE))


def sizes_for(server: LimitedServer, grow: str = "header", method: str = "OPTIONS", **options: Any) -> Sizes:
    """Cases for it."""
    return Sizes(message_for(server, method), PLACES[grow], **options)


def prober_for(server: LimitedServer, method: str = "OPTIONS", tls: TlsOptions | None = None, **manner: Any) -> Prober:
    """A prober that does not dawdle."""
    settings = {"timeout": 5.0, "rate": 5000.0} | manner
    return Prober(target_of(server, tls), Manner(**settings), message_for(server, method).small())
