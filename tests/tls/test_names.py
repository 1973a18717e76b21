"""IANA's names, judged by what Wireshark calls the same numbers."""

from __future__ import annotations

import subprocess
from collections import defaultdict

import pytest

from alg.tls.names import (
    alert_level_name,
    alert_name,
    cipher_suite_name,
    group_name,
    is_grease,
    version_name,
)
from tests.helpers.system import require_system

Names = dict[str, dict[int, str]]

_WANTED = ("ciphersuite", "version", "extensions_supported_group", "desc", "level")


@pytest.fixture(scope="module")
def wireshark() -> Names:
    """By the last part of the field's name, then by number."""
    command = [require_system("tshark", "tshark"), "-G", "values"]
    found: Names = defaultdict(dict)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith(("V\ttls.handshake.", "V\ttls.alert_message.")):
                _, field, number, name = line.rstrip("\n").split("\t")
                found[field.rpartition(".")[2]][int(number, 0)] = name
    return found


def test_cipher_suites(wireshark: Names) -> None:
    """Each name that we know is the one that Wireshark knows."""
    known = {number: cipher_suite_name(number) for number in range(0x10000)}
    named = {number: name for number, name in known.items() if name != f"0x{number:04x}"}
    assert named == {number: wireshark["ciphersuite"][number] for number in named}
    assert len(named) > 50


def test_what_openssl_offers_has_a_name() -> None:
    """No suite that OpenSSL would use by default is a mere number to us."""
    command = [require_system("openssl", "openssl"), "ciphers", "-V", "-stdname", "DEFAULT:!PSK:!SRP"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) > 10
    for number, _, name, *_ in rows:
        high, low = number.split(",")
        assert cipher_suite_name(int(high, 16) << 8 | int(low, 16)) == name


def test_groups(wireshark: Names) -> None:
    """The groups that Wireshark knows have its names; the newest are younger than it."""
    known = wireshark["extensions_supported_group"]
    named = {n: group_name(n) for n in range(0x10000) if group_name(n) != f"0x{n:04x}"}
    assert {n: name for n, name in named.items() if n in known} == {n: known[n] for n in named if n in known}
    assert [named[n] for n in sorted(named) if n not in known] == [
        *("SecP256r1MLKEM768", "X25519MLKEM768", "SecP384r1MLKEM1024"),
    ]


def test_alerts(wireshark: Names) -> None:
    """Every alert that Wireshark knows is named as the RFCs spell it, save one that never made it into an RFC."""
    known = {number: name.lower().replace(" ", "_") for number, name in wireshark["desc"].items()}
    assert known.pop(1) == "end_of_early_data"
    assert {number: alert_name(number) for number in known} == known
    assert alert_name(99) == "99"
    assert [alert_level_name(number) for number in (1, 2, 7)] == ["warning", "fatal", "7"]
    assert {number: name.lower() for number, name in wireshark["level"].items()} == {1: "warning", 2: "fatal"}


def test_versions(wireshark: Names) -> None:
    """Versions are called what people call them."""
    for number in (0x0300, 0x0301, 0x0302, 0x0303, 0x0304):
        assert version_name(number) == wireshark["version"][number]
    assert version_name(0x7F1C) == "0x7f1c"


def test_grease() -> None:
    """RFC 8701 2 lists sixteen values."""
    values = [0x0A0A, 0x1A1A, 0x2A2A, 0x3A3A, 0x4A4A, 0x5A5A, 0x6A6A, 0x7A7A]
    values += [0x8A8A, 0x9A9A, 0xAAAA, 0xBABA, 0xCACA, 0xDADA, 0xEAEA, 0xFAFA]
    assert [number for number in range(0x10000) if is_grease(number)] == values
