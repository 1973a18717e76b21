"""`sipalg demo` as a person sees it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.demo.media import KINDS, PACKETS
from tests.harness.demo.conftest import TIME_LIMIT, Run, run_demo


def _section(run: Run, start: str, stop: str) -> str:
    assert start in run.stdout, run.stdout + run.stderr
    return run.stdout.split(start)[1].split(stop)[0]


def _row(run: Run, name: str) -> list[int]:
    found = re.search(rf"(?m)^ *{re.escape(name)} +([+-]?\d+) +([+-]?\d+)$", run.stdout)
    assert found is not None, f"no row {name} in {run.stdout}"
    return [int(found[1]), int(found[2])]


def test_ends_by_itself_with_status_0(demo: Run) -> None:
    """The demonstration takes no arguments, no time and no explanation."""
    assert (demo.status, demo.stderr) == (0, ""), demo.stdout
    assert demo.seconds < TIME_LIMIT


def test_piped_output_is_plain_and_80_columns_wide(demo: Run) -> None:
    """What goes into a file or a ticket has no escape sequences and no long lines."""
    body = demo.stdout.rpartition("Messages, events and differences are in")[0]
    assert max(map(len, body.splitlines())) <= 80
    assert demo.stdout.replace("\n", "").isprintable()


def test_first_lines_say_who_stands_where(demo: Run) -> None:
    """All four addresses, and who has no route to whom."""
    first, second, *_ = demo.stdout.splitlines()
    assert all(address in first for address in ("127.0.30.2", "127.0.10.20", "127.0.64.10", "127.0.65.20"))
    assert second == "No route to 127.0.65.20 from inside, none to 127.0.30.2 from outside."


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (r"- INVITE sip:4015@127\.0\.10\.20:\d+\S*", r"\+ INVITE sip:4015@127\.0\.65\.20:\d+\S*", "Request-URI"),
        (r"- Via: \S+ 127\.0\.30\.2:\d+", r"\+ Via: \S+ 127\.0\.64\.10:\d+", "Via"),
        (r"- Via: .*=127\.0\.30\.2", r"\+ Via: .*=127\.0\.64\.10", "Via, Via received"),
        (r"- Contact: <sip:2002@127\.0\.30\.2:\d+", r"\+ Contact: <sip:2002@127\.0\.64\.10:\d+", "Contact"),
        (r"- Record-Route: .*@127\.0\.30\.2:5061", r"\+ Record-Route: .*@127\.0\.64\.10:5061", "Record-Route"),
        (r"- P-Asserted-Identity: .*@127\.0\.30\.2>", r"\+ P-Asserted-Ident.*@127\.0\.64\.10>", "P-Asserted-Identity"),
        (r"- Content-Length: \d+", r"\+ Content-Length: \d+", "Content-Length"),
        (r"- Content-Length: \d+", r"\+ Content-Length: \d+", "part Content-Length"),
        (r"- o=tandberg 7 1 IN IP4 127\.0\.30\.2", r"\+ o=tandberg 7 1 IN IP4 127\.0\.64\.10", "SDP o="),
        (r"- c=IN IP4 127\.0\.30\.2", r"\+ c=IN IP4 127\.0\.64\.10", "SDP c="),
        (r"- a=rtcp:\d+ IN IP4 127\.0\.30\.2", r"\+ a=rtcp:\d+ IN IP4 127\.0\.64\.10", "SDP a=rtcp"),
        (r"- a=candidate:.* 127\.0\.30\.2", r"\+ a=candidate:.* 127\.0\.64\.10", "SDP a=candidate"),
    ],
)
def test_difference_shows_each_change_with_its_rule(demo: Run, before: str, after: str, rule: str) -> None:
    """A line as it was, the line as it is, and on the right why."""
    text = _section(demo, "INVITE, inside (-) and outside (+)", "Totals")
    assert re.search(rf"(?m)^{before}.*\n{after}.*  {re.escape(rule)}$", text), text


def test_unchanged_lines_are_elided(demo: Run) -> None:
    """Allow, Supported and the rest do not distract."""
    text = _section(demo, "INVITE, inside (-) and outside (+)", "Totals")
    assert re.search(r"(?m)^  \.\.\. \d+ lines unchanged$", text)
    assert "User-Agent" not in text


def test_media_crosses_the_doors_both_ways(demo: Run) -> None:
    """Every packet that one endpoint sent went through, and every door that opened is closed."""
    assert _row(demo, "RTP packets relayed") == [PACKETS * len(KINDS)] * 2
    assert _row(demo, "RTCP packets relayed") == [len(KINDS)] * 2
    assert "media doors: 6 opened, 6 closed" in demo.stdout


def test_totals_add_up(demo: Run) -> None:
    """INVITE, ACK and the answer to BYE go out; three answers and BYE come in; the rules sum up to the rewrites."""
    assert _row(demo, "messages") == [3, 4]
    rules = re.findall(r"(?m)^  \S.*? +(\d+) +(\d+)$", _section(demo, "rewrites ", "bytes grown"))
    assert [sum(int(row[column]) for row in rules) for column in (0, 1)] == _row(demo, "rewrites")
    outward, inward = _row(demo, "bytes grown")
    assert outward > 0 > inward


@pytest.mark.parametrize(
    ("what", "source"),
    [
        (
            r"callee gets a request for another: it is not 127\.0\.10\.20:\d+",
            r"INVITE, Request-URI: sip:4015@127\.0\.10\.",
        ),
        (
            r"caller cannot send ACK: no route to 127\.0\.65\.20 from inside",
            r"200 INVITE, Record-Route: .*@127\.0\.65\.20:",
        ),
        (r"callee cannot send BYE: no route to 127\.0\.30\.2 from outside", r"INVITE, Record-Route: .*@127\.0\.30\.2:"),
        (
            rf"callee cannot send {PACKETS} audio RTP packets: no route to 127\.0\.30\.2 from outside",
            r"INVITE, SDP audio: c=IN IP4 127\.0\.30\.2$",
        ),
        (
            r"callee cannot send 1 video RTCP packet: no route to 127\.0\.30\.2 from outside",
            r"INVITE, SDP video: a=rtcp:\d+ IN IP4 127\.0\.30\.2$",
        ),
        (
            rf"caller cannot send {PACKETS} video RTP packets: no route to 127\.0\.65\.20 from inside",
            r"200 INVITE, SDP video: c=IN IP4 127\.0\.65\.20$",
        ),
    ],
)
def test_each_failure_without_l4f_names_the_line_to_blame(demo: Run, what: str, source: str) -> None:
    """A reader sees which header or SDP line kept the call from working."""
    text = _section(demo, "The same call with L4F off", "With the ALG")
    assert re.search(rf"(?m)^- {what}\n    {source}", text), text


def test_without_l4f_nobody_hears_anything(demo: Run) -> None:
    """The consequences that a caller notices."""
    text = _section(demo, "The same call with L4F off", "With the ALG")
    for line in ("caller gets no BYE", "callee gets no ACK", "caller hears nothing", "callee hears nothing"):
        assert f"\n- {line}: " in text
    assert "The INVITE arrives as it was sent" in text


def test_closing_line_counts_the_failures(demo: Run) -> None:
    """The last word agrees with the list above it."""
    failures = _section(demo, "The same call with L4F off", "With the ALG").count("\n- ")
    assert f"With L4F off {failures} things fail." in demo.stdout


@pytest.mark.parametrize("below", [".", "deeper"])
def test_a_directory_that_cannot_be_made_is_wrong_usage(tmp_path: Path, below: str) -> None:
    """Status 2 and one line that names it, before any call is placed."""
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    run = run_demo("--out", str(occupied / below))
    assert (run.status, run.stdout) == (2, "")
    assert re.fullmatch(rf"sipalg: --out {re.escape(str(occupied))}\S*: .+\n", run.stderr)
