"""TLS inspection of a proxy's listeners, from its settings, and again when they are reloaded."""

from __future__ import annotations

from typing import Any

from alg.edge.inspecting import ListenerInspection
from alg.edge.terminating import Terminator
from alg.errors import ConfigError
from alg.tls.rules import Mode, Rule
from harness.capture.capture_file import open_capture
from harness.capture.recorder import Recorder
from harness.console import say
from harness.settings import Flags, Settings, inspection_rules
from harness.termination import flags_given, open_key_log, terminator, tls_section


class Inspections:
    """What the connections of each listener are subject to."""

    def __init__(self, count: int, options: dict[str, Any], capture: Recorder | None, clear: Recorder | None) -> None:
        self.listeners = [ListenerInspection() for _ in range(count)]
        self.clear = clear
        """Captures the clear text of terminated connections."""
        self._options = options
        self._capture = capture
        self._key_log_path: str | None = None

    def read(self, settings: Settings, flags: Flags) -> tuple[list[tuple[Rule, ...]], Terminator | None]:
        """The rules of each listener, and what terminates their connections; ConfigError for whatever is wrong."""
        rules = inspection_rules(settings, flags, len(self.listeners))
        if any(rule.mode is Mode.TERMINATE for of_listener in rules for rule in of_listener):
            section = tls_section(settings.tls, self._options)
            self._key_log_path = section.keylog
            return rules, terminator(section, self._log_key, self.clear.tap if self.clear else None)
        for flag in flags_given(self._options):
            raise ConfigError(f"{flag}: no --tls-inspect rule terminates")
        return rules, None

    def put(self, rules: list[tuple[Rule, ...]], terminating: Terminator | None) -> None:
        """Put rules into force for new connections, with a word on those that cannot do all that they say."""
        for rule in dict.fromkeys(rule for of_listener in rules for rule in of_listener):
            if rule.warning:
                say(f"sipalg proxy: {rule.warning}")
        for inspection, of_listener in zip(self.listeners, rules, strict=True):
            inspection.rules = of_listener
            inspection.terminator = terminating

    def close(self) -> None:
        """Close what was opened."""
        if self.clear is not None:
            self.clear.close()

    def _log_key(self, line: bytes) -> None:
        if self._capture is not None:
            self._capture.secrets(line + b"\n")
        if self._key_log_path is not None:
            with open_key_log(self._key_log_path) as file:
                file.write(line + b"\n")


def open_clear(options: dict[str, Any], settings: Settings) -> Recorder | None:
    """The capture of clear text, if there is to be one."""
    flag, file = options["capture_clear"], settings.capture.clear
    capture = open_capture(flag, file, "sipalg proxy", say, "--capture-clear" if flag else "[capture] clear")
    return None if capture is None else Recorder(capture)
