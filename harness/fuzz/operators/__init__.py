"""All operators, in the order in which several of them are applied to one message: what spoils its end comes last."""

from __future__ import annotations

from harness.fuzz.operators import bodies, forms, lengths, values

OPERATORS = {
    operator.name: operator for operator in (*bodies.OPERATORS, *values.OPERATORS, *forms.OPERATORS, *lengths.OPERATORS)
}
"""By name."""
