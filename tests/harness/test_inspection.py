"""TLS inspection of a proxy's listeners, from settings and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alg.errors import ConfigError
from alg.tls.rules import Mode
from harness.inspection import Inspections, open_clear
from harness.settings import Flags, ListenerSection, Settings
from harness.termination import TlsSection
from tests.helpers.certificates import sign

NOTHING: dict[str, Any] = {"listen": None, "to": None, "config": None, "capture_clear": None}
TERMINATING = Flags(tls_inspect=("terminate",))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two listeners with rules, and a CA."""
    path = str(sign("Firewall CA", ca=True).write(tmp_path, "ca"))
    one = ListenerSection(listen="127.0.0.1:0", to="127.0.0.1:9", tls_inspect=["drop:client-hello", "pass"])
    other = ListenerSection(listen="127.0.0.1:0", to="127.0.0.1:9")
    return Settings(listener=[one, other], tls=TlsSection(ca=(path, path)))


def test_each_listener_has_its_rules(settings: Settings) -> None:
    """Those of the file, in order; flags are for all, and leave nothing of the file."""
    inspections = Inspections(2, NOTHING, None, None)
    inspections.put(*inspections.read(settings, Flags()), mapped=True)
    assert [[rule.mode for rule in each.rules] for each in inspections.listeners] == [[Mode.DROP, Mode.PASS], []]
    inspections.put(*inspections.read(settings, TERMINATING), mapped=True)
    assert [[rule.mode for rule in each.rules] for each in inspections.listeners] == [[Mode.TERMINATE]] * 2
    assert inspections.listeners[0].terminator is inspections.listeners[1].terminator is not None


def test_a_listener_of_the_command_line(settings: Settings) -> None:
    """Rules of the file's listeners are not its own."""
    inspections = Inspections(1, NOTHING | {"listen": "127.0.0.1:0", "to": "127.0.0.1:9"}, None, None)
    rules, terminator = inspections.read(settings, Flags())
    assert (rules, terminator) == ([()], None)


@pytest.mark.parametrize(
    ("options", "flag"), [({"ask": "never"}, "--tls-ask"), ({"capture_clear": "f.pcapng"}, "--capture-clear")]
)
def test_flags_without_a_rule_that_terminates(settings: Settings, options: dict[str, str], flag: str) -> None:
    """Mean nothing, and say so; with a file, which may get such a rule later, they wait."""
    with pytest.raises(ConfigError, match=f"^{flag}: no --tls-inspect rule terminates$"):
        Inspections(2, NOTHING | options, None, None).read(settings, Flags())
    Inspections(2, NOTHING | options | {"config": "f.toml"}, None, None).read(settings, Flags())


def test_keys_are_logged_where_it_was_said_when_the_connection_began(settings: Settings, tmp_path: Path) -> None:
    """A file is opened once, and stays open for those who were told of it when another one takes over."""
    inspections = Inspections(2, NOTHING, None, None)
    taking = []
    for name in ("one", "one", "other"):
        settings.tls.keylog = str(tmp_path / name)
        _, terminator = inspections.read(settings, TERMINATING)
        assert terminator is not None
        taking.append(terminator.key_log)
    for number, take in enumerate(taking):
        take(b"%d" % number)
    inspections.close()
    taking[0](b"late")
    assert (tmp_path / "one").read_bytes() == b"0\n1\n"
    assert (tmp_path / "other").read_bytes() == b"2\n"


def test_rules_that_cannot_do_all_they_say(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A word on each, once, however many listeners it is for."""
    inspections = Inspections(2, NOTHING, None, None)
    inspections.put(*inspections.read(settings, Flags(tls_inspect=("reset:client-certificate",))), mapped=True)
    said = capsys.readouterr().err.splitlines()
    assert [line[:60] for line in said] == ["sipalg proxy: reset:client-certificate: client-certificate i"]


def test_where_clear_text_is_captured(settings: Settings, tmp_path: Path) -> None:
    """By the flag, else by the file, else nowhere; what cannot be written is called by where it was set."""
    assert open_clear(NOTHING, settings) is None
    settings.capture.clear = "/"
    with pytest.raises(ConfigError, match=r"^\[capture\] clear /: Is a directory$"):
        open_clear(NOTHING, settings)
    path = tmp_path / "clear.pcapng"
    capture = open_clear(NOTHING | {"capture_clear": str(path)}, settings)
    assert capture is not None
    capture.close()
    assert path.stat().st_size


@pytest.mark.parametrize("mapped", [True, False])
def test_blind_fixups_without_a_mapping(settings: Settings, capsys: pytest.CaptureFixture[str], mapped: bool) -> None:
    """They would find nothing to fix up."""
    inspections = Inspections(2, NOTHING, None, None)
    inspections.put(*inspections.read(settings, Flags(tls_inspect=("alg-blind",))), mapped=mapped)
    assert ("alg-blind: no --map" in capsys.readouterr().err) is not mapped
