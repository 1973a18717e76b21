"""The screen where there is none: logs stay readable."""

from __future__ import annotations

import pytest

from harness.screen import ProgressBar, new_console


def test_a_console_that_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain, and cut at its width, on the stream that was asked for."""
    new_console(stderr=True, plain_width=4).print("[red]abcdef")
    assert capsys.readouterr() == ("", "[red\n]abc\ndef\n")


def test_no_progress_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs stay readable."""
    with ProgressBar(10) as bar:
        bar.show("size 5", 1)
    assert capsys.readouterr() == ("", "")


def test_what_is_told_beside_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """A line on standard error."""
    with ProgressBar(2) as progress:
        progress.tell("l4f-off", "caller: call sip:callee@127.0.0.2:5060")
    assert capsys.readouterr() == ("", "l4f-off: caller: call sip:callee@127.0.0.2:5060\n")
