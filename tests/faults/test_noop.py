"""Nothing is wrong."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError
from tests.faults.rig import Rig, request, right, session


def test_messages_leave_as_they_should() -> None:
    """The same bytes; where nothing was done wrong, nothing is recorded."""
    rig = Rig(("noop",))
    assert rig.send(request(), request("INVITE", body=session())) == right(request(), request("INVITE", body=session()))
    assert rig.struck == []


def test_its_parameter_is_checked() -> None:
    """As that of any fault."""
    with pytest.raises(ConfigError, match="--fault noop:times=0: noop: times=0: no number from 1 to 100"):
        Rig(("noop:times=0",))
