"""The ACK that goes astray."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError
from tests.faults.rig import Rig, request, right


def test_acks_are_lost() -> None:
    """Only they."""
    assert Rig(("ack-misrouted",)).send(request("ACK"), request("BYE")) == right(request("BYE"))


def test_acks_name_the_firewall() -> None:
    """The user part stays, host and parameters are the firewall's."""
    after = Rig(("ack-misrouted:to=192.0.2.1+5062",)).send(
        request("ACK").replace(b"192.0.2.7", b"10.0.30.2:5060;lr", 1)
    )
    assert after.startswith(b"ACK sip:bob@192.0.2.1:5062 SIP/2.0\r\n")
    assert b"alice@64.100.0.10" in after
    assert Rig(("ack-misrouted:to=192.0.2.1+5062",)).send(request("BYE")) == right(request("BYE"))


@pytest.mark.parametrize("to", ["192.0.2.1", "192.0.2.1+0", "example.com+5060", "away"])
def test_targets_that_are_none(to: str) -> None:
    """The error names the parameter."""
    with pytest.raises(ConfigError, match=r"--fault ack-misrouted:to=.*ack-misrouted: to"):
        Rig((f"ack-misrouted:to={to}",))
