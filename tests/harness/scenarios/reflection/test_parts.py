"""What real peers are told to do."""

from __future__ import annotations

import pytest

from harness.scenarios.reflection.parts import parts


@pytest.mark.parametrize("kind", ["TLS", "TCP"])
def test_duties(kind: str) -> None:
    """Who has to begin is told what with, and over what; certificates are spoken of where there are any."""
    told = {part.name: part for part in parts(kind)}
    assert list(told) == ["phone", "expressway-e", "expressway-c", "cucm"]
    assert "user name phone.user, password phone-secret" in told["phone"].duty
    assert "Only a real Expressway does that" in told["expressway-e"].duty
    for name in ("phone", "expressway-e", "expressway-c"):
        assert f"over {kind}" in told[name].duty
        assert told[name].tls is (kind == "TLS")
        assert ("--certs" in told[name].duty) is (kind == "TLS")
    assert not told["cucm"].tls
