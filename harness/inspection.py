"""TLS inspection of a proxy's listeners, from its settings, and again when they are reloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alg.edge.inspecting import ListenerInspection
from alg.edge.terminating import Terminator
from alg.errors import ConfigError
from alg.tls.rules import Mode, Rule
from harness.capture.capture_file import open_capture
from harness.capture.recorder import Recorder
from harness.console import say
from harness.key_log import KeyLog
from harness.settings import Flags, Settings, inspection_rules
from harness.termination import Termination, flags_given


class Inspections:
    """What the connections of each listener are subject to."""

    def __init__(self, count: int, options: dict[str, Any], capture: Recorder | None, clear: Recorder | None) -> None:
        self.listeners = [ListenerInspection() for _ in range(count)]
        self.clear = clear
        """Captures the clear text of terminated connections."""
        self._options = options
        self._capture = capture
        self._key_logs: dict[str, KeyLog] = {}
        """By path; each stays open for the connections that began when it was in force."""

    def read(self, settings: Settings, flags: Flags) -> tuple[list[tuple[Rule, ...]], Terminator | None]:
        """The rules of each listener, and what terminates their connections; ConfigError for whatever is wrong."""
        of_file = not (self._options["listen"] or self._options["to"])
        rules = inspection_rules(settings, flags, len(self.listeners), of_file)
        if any(rule.mode is Mode.TERMINATE for of_listener in rules for rule in of_listener):
            termination = Termination.read(settings.tls, self._options)
            made = termination.terminator(self._key_log(termination), self.clear.tap if self.clear else None)
            return rules, made
        if flags.tls_inspect or not self._options["config"]:
            self._expect_no_flags()
        return rules, None

    def put(self, rules: list[tuple[Rule, ...]], terminating: Terminator | None, mapped: bool) -> None:
        """Put rules into force for new connections, with a word on those that cannot do all that they say."""
        for rule in dict.fromkeys(rule for of_listener in rules for rule in of_listener):
            if rule.warning:
                say(f"sipalg proxy: {rule.warning}")
            if rule.mode is Mode.ALG_BLIND and not mapped:
                say(f"sipalg proxy: {rule.text}: no --map, so nothing looks like an address that is mapped")
        for inspection, of_listener in zip(self.listeners, rules, strict=True):
            inspection.rules = of_listener
            inspection.terminator = terminating

    def close(self) -> None:
        """Close what was opened."""
        for key_log in self._key_logs.values():
            key_log.close()
        if self.clear is not None:
            self.clear.close()

    def _expect_no_flags(self) -> None:
        """ConfigError for options that mean nothing, as nothing is terminated and no reload can change that."""
        flags = flags_given(self._options) + ["--capture-clear"] * bool(self._options["capture_clear"])
        for flag in flags:
            raise ConfigError(f"{flag}: no --tls-inspect rule terminates")

    def _key_log(self, termination: Termination) -> Callable[[bytes], None]:
        """Who takes the keys of connections that begin under these settings."""
        path = termination.section.keylog
        if path is not None and path not in self._key_logs:
            self._key_logs[path] = KeyLog(path, termination.name("keylog"), lambda line: say(f"sipalg proxy: {line}"))
        key_log = self._key_logs[path] if path is not None else None

        def take(line: bytes) -> None:
            if self._capture is not None:
                self._capture.secrets(line + b"\n")
            if key_log is not None:
                key_log.write(line)

        return take


def open_clear(options: dict[str, Any], settings: Settings) -> Recorder | None:
    """The capture of clear text, if there is to be one."""
    flag, file = options["capture_clear"], settings.capture.clear
    capture = open_capture(flag, file, "sipalg proxy", say, "--capture-clear" if flag else "[capture] clear")
    return None if capture is None else Recorder(capture)
