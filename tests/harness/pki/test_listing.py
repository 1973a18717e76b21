"""The list of what was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.ca import load_recipes, make
from harness.pki.listing import Listed, listing

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_one_of_each() -> None:
    """Root, intermediate and leaf, read from the certificates."""
    root, issuing, leaf = listing(make(load_recipes(), NOW, only=["expressway-e-server-only"]))
    assert (root.name, root.kind, root.issuer, root.sent) == ("expressway-e-root", "root", None, [])
    assert (issuing.kind, issuing.issuer, issuing.files[-1]) == (
        "intermediate",
        "expressway-e-root",
        "expressway-e-issuing.crt",
    )
    name = "expressway-e-server-only"
    assert leaf == Listed(
        name=name,
        kind="leaf",
        common_name="expe.example.com",
        subject="CN=expe.example.com,O=Example",
        dns=["expe.example.com", "example.com"],
        ip=["64.100.0.10"],
        uri=["sip:example.com"],
        issuer="expressway-e-issuing",
        key="ec-p256",
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=365),
        eku=["server"],
        sent=[name, "expressway-e-issuing"],
        wrong="EKU for servers only; it is a client too",
        files=[f"{name}.key", f"{name}.crt", f"{name}-chain.pem", f"{name}-issuers.pem"],
    )
    assert leaf.names == ["expe.example.com", "example.com", "64.100.0.10", "sip:example.com"]


def test_keys_and_missing_extensions() -> None:
    """Sizes of RSA keys; no names and no purposes where there are none."""
    pki = make(load_recipes(), NOW, only=["webex-weak-key", "expressway-e-self-signed", "cucm"])
    found = {each.name: each for each in listing(pki)}
    assert [found[name].key for name in ("webex-weak-key", "cucm", "cucm-root")] == ["rsa-1024", "rsa-2048", "ec-p256"]
    assert found["expressway-e-self-signed"].names == []
    assert found["expressway-e-self-signed"].files[-1] == "expressway-e-self-signed-chain.pem"
    assert found["cucm-root"].eku == []
