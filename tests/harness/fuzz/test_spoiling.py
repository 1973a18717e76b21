"""What may come of spoilt messages."""

from __future__ import annotations

import pytest

from harness.fuzz.classification import Kind
from harness.fuzz.spoiling import Effect

OUTCOMES = {
    "200": (Kind.ACCEPTED, 200),
    "400": (Kind.REJECTED, 400),
    "500": (Kind.REJECTED, 500),
    "silent": (Kind.SILENT, None),
    "closed": (Kind.CLOSED, None),
    "reset": (Kind.RESET, None),
    "garbled": (Kind.GARBLED, None),
}


@pytest.mark.parametrize(
    ("effect", "allowed"),
    [
        (Effect.HARMLESS, {"200"}),
        (Effect.SPOILT, {"200", "400", "silent", "closed", "reset"}),
        (Effect.UNFRAMED, {"200", "400", "silent", "closed", "reset", "garbled"}),
    ],
)
def test_the_more_is_spoilt_the_more_is_allowed(effect: Effect, allowed: set[str]) -> None:
    """A failure of the server never is."""
    assert {name for name, outcome in OUTCOMES.items() if effect.expectation.allows(*outcome)} == allowed


def test_effects_add_up() -> None:
    """The worst one counts."""
    assert max(Effect.HARMLESS, Effect.UNFRAMED, Effect.SPOILT) is Effect.UNFRAMED
