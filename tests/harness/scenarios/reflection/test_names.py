"""Names of what takes part and of what is asked."""

from __future__ import annotations

from harness.scenarios.reflection import names


def test_no_name_has_two_meanings() -> None:
    """Parts and wires are witnesses alike; facts are told apart by what they are called."""
    parts = names.PHONE, names.EDGE, names.CORE, names.CUCM, names.ZONE, names.ACCESS
    facts = names.APPARENT, names.SERVICE, names.WARNING, names.ATTEMPTS, names.FORWARDED, names.REGISTER, names.CALL
    assert len({*parts, *facts}) == len(parts) + len(facts)


def test_a_log_is_called_as_its_part() -> None:
    """So that whoever is somebody else's is asked for none."""
    assert (names.INSIDE.lower(), names.OUTSIDE.lower()) == (names.CORE, names.EDGE)
