"""Inspection rules: what a line means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest

from alg.direction import Direction
from alg.errors import ConfigError
from alg.tls.rules import Elsewhere, Mode, Point, Rule
from alg.tls.sightings import Message

INSIDE, OUTSIDE = Direction.OUTWARD, Direction.INWARD


def test_reset_of_one_side() -> None:
    """The firewall's deed of seed 003: the inside gets a RST, the outside hears nothing."""
    rule = Rule.parse("reset:client-finished:inside")
    assert rule.mode is Mode.RESET
    assert rule.point == Point(Message.CLIENT_FINISHED)
    assert rule.towards == {INSIDE}
    assert rule.elsewhere is Elsewhere.SILENCE


def test_reset_of_both_sides_is_the_default() -> None:
    """Without a side, both."""
    assert Rule.parse("reset:server-hello").towards == {INSIDE, OUTSIDE}


def test_what_the_other_side_sees() -> None:
    """A FIN in place of silence."""
    rule = Rule.parse("reset:client-hello:outside:fin")
    assert (rule.towards, rule.elsewhere) == ({OUTSIDE}, Elsewhere.FIN)


def test_byte_counts_take_a_word_more() -> None:
    """`after:N` is one point, with the side behind it."""
    rule = Rule.parse("reset:after:3000:inside")
    assert rule.point == Point(None, 3000)
    assert rule.towards == {INSIDE}
    assert Rule.parse("drop:after:0").point == Point(None, 0)


def test_delay() -> None:
    """The last word is a number of seconds."""
    rule = Rule.parse("delay:server-hello:0.25")
    assert (rule.mode, rule.seconds) == (Mode.DELAY, 0.25)


def test_blind_bits() -> None:
    """Four bits of an address, unless said otherwise."""
    assert Rule.parse("alg-blind").bits == 4
    assert Rule.parse("alg-blind:16").bits == 16


def test_limits() -> None:
    """Each limit narrows the connections that fit."""
    rule = Rule.parse("drop:client-finished,sni=*.CiscoSpark.com,direction=inward,nth=3,tls=1.2")
    assert rule.concerns(Direction.INWARD, 3)
    assert not rule.concerns(Direction.OUTWARD, 3)
    assert not rule.concerns(Direction.INWARD, 2)
    assert rule.fits("CallService.ciscospark.com", "TLS 1.2")
    assert not rule.fits("callservice.ciscospark.com", "TLS 1.3")
    assert not rule.fits("ciscospark.org", "TLS 1.2")
    assert not rule.fits(None, "TLS 1.2")
    assert not rule.fits("callservice.ciscospark.com", None)


@pytest.mark.parametrize(
    "point", ["server-certificate", "certificate-request", "client-certificate", "application-data"]
)
def test_points_that_tls_1_3_hides(point: str) -> None:
    """Refused where the rule is for TLS 1.3, with a word where it may meet it, and nothing to say where it may not."""
    with pytest.raises(ConfigError, match=f"{point} is encrypted in TLS 1.3"):
        Rule.parse(f"reset:{point},tls=1.3")
    warning = Rule.parse(f"reset:{point}").warning
    assert warning is not None
    assert f"{point} is encrypted in TLS 1.3" in warning
    assert Rule.parse(f"reset:{point},tls=1.2").warning is None


@pytest.mark.parametrize(
    "text", ["pass", "reset:client-hello", "reset:server-hello", "drop:client-finished,tls=1.3", "reset:after:9"]
)
def test_points_that_every_version_shows(text: str) -> None:
    """Nothing to warn of."""
    assert Rule.parse(text).warning is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is none of pass, reset, drop, delay, terminate, alg-blind"),
        ("rst:client-hello", "'rst' is none of"),
        ("reset", "says not when"),
        ("reset:hello", "'hello' is none of client-hello, server-hello,"),
        ("reset:server-finished", "'server-finished' is none of"),
        ("reset:client-hello:left", "'left' is none of inside, outside, both"),
        ("reset:client-hello:inside:rst", "'rst' is neither silence nor fin"),
        ("reset:client-hello:inside:fin:now", "'now' is too much"),
        ("reset:after", "'' is no number from 0 to"),
        ("reset:after:-1", "'-1' is no number"),
        ("reset:after:99999999999", "is no number"),
        ("drop:client-hello:inside", "'inside' is too much"),
        ("delay:client-hello", "'' is no number of seconds"),
        ("delay:client-hello:nan", "'nan' is no number of seconds"),
        ("delay:client-hello:3601", "'3601' is no number of seconds"),
        ("alg-blind:3", "'3' is no number from 4 to 32"),
        ("pass:now", "'now' is too much"),
        ("pass,sni=", "'sni=' is none of sni=PATTERN"),
        ("pass,direction=up", "'direction=up' is none of"),
        ("pass,sni=a,sni=b", "sni is said twice"),
        ("pass,nth=0", "'0' is no number from 1"),
        ("pass,tls=1.1", "'tls=1.1' is none of"),
        ("reset:client-hello,tls=1.2", "the version is not known yet at client-hello"),
        ("terminate,tls=1.3", "not known yet"),
    ],
)
def test_lines_that_mean_nothing(text: str, complaint: str) -> None:
    """The error names the setting, the line, and what is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        Rule.parse(text)
    assert str(caught.value).startswith(f"--tls-inspect {text}: ")
    assert complaint in str(caught.value)
