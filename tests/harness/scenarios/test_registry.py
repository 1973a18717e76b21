"""Every scenario of the registry: it passes in both forms, and neither form passes for the other one."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest

from alg.errors import ConfigError
from harness.scenarios.registry import SCENARIOS, find, replacing
from harness.scenarios.verdict import Outcome, judge
from tests.harness.scenarios.whole_run import WholeRun

BEHAVIOURS = [
    *("l4f-off", "nonstandard-port", "split-message", "many-in-one-segment", "growth-over-cucm-limit"),
    *("stale-content-length", "call-id-rewritten", "identity-signature-broken", "source-port-translated"),
    *("keepalive-swallowed", "idle-timeout", "one-way-audio", "rtcp-attribute-stale", "media-level-c-missed"),
    *("multipart-content-length", "unknown-method-dropped", "long-line-dropped", "double-nat-fix", "ack-misrouted"),
]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviours_of_algs_have_their_scenario(name: str) -> None:
    """Each by the name that the fault has."""
    assert [each.name for each in find(name)] == [name]


@pytest.mark.parametrize("number", range(1, 8))
def test_problems_of_the_guide_have_their_scenario(number: int) -> None:
    """Each is found by its label, in any case, and has a name that speaks."""
    (scenario,) = find(f"t{number}")
    assert find(scenario.name) == [scenario]
    assert scenario.source.endswith(f"mutual TLS, problem {number}")
    assert re.fullmatch(r"[a-z]+(-[a-z]+){1,5}", scenario.name)


def test_a_label_without_its_placement() -> None:
    """It is all placements of the problem; every label is of one scenario."""
    assert [each.label for each in find("B1")] == ["B1-early", "B1-delayed", "B1-inbound"]
    assert [each.label for each in find("b2")] == ["B2-inbound", "B2-early", "B2-delayed"]
    labels = [each.label for each in SCENARIOS.values() if each.label]
    assert len(set(labels)) == len(labels)
    assert [find(label)[0].label for label in labels] == labels


@pytest.mark.parametrize("name", ["T99", "B", "B1-", "B1-late", "", "-"])
def test_a_name_that_there_is_not(name: str) -> None:
    """The error says it, and where names are found."""
    with pytest.raises(ConfigError, match=rf"no scenario '{name}'.*sipalg scenario list"):
        find(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_tells_everything(name: str) -> None:
    """An engineer finds each section filled; every form has signs, which differ."""
    scenario = SCENARIOS[name]
    for text in (scenario.title, scenario.source, scenario.topology, scenario.happens, scenario.look, scenario.cure):
        assert text.strip()
    assert scenario.wireshark
    for text in (scenario.happens, scenario.look, scenario.cure):
        assert not text[0].islower()
        assert text[-1] == "."
    told = [{(sign.what, sign.expected) for sign in scenario.signs(fixed)} for fixed in (False, True)]
    assert all(told)
    assert told[0] != told[1]


def test_peers_that_can_be_replaced() -> None:
    """Those scenarios in which one can; an error names what could be replaced if none can."""
    found = replacing(SCENARIOS.values(), "callee")
    assert len(found) >= 5
    assert "l4f-off" in {each.name for each in found}
    with pytest.raises(ConfigError, match=r"--peer expresso: .*callee"):
        replacing(SCENARIOS.values(), "expresso")


def test_the_run_as_a_whole(whole_run: WholeRun) -> None:
    """Everything passes; machine output is all that is printed; the JUnit report has every form."""
    assert (whole_run.status, whole_run.errors) == (0, "")
    forms = [(name, fixed) for name in SCENARIOS for fixed in (False, True)]
    assert [(each["name"], each["fixed"]) for each in whole_run.verdicts] == forms
    cases = ET.parse(whole_run.junit).getroot().findall("./testsuite/testcase")
    assert len(cases) == len(forms)
    assert {tuple(child.tag for child in case) for case in cases} == {("system-out",)}


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_passes(whole_run: WholeRun, name: str, fixed: bool) -> None:
    """The failure shows its evidence, the cure helps."""
    (verdict,) = [each for each in whole_run.verdicts if (each["name"], each["fixed"]) == (name, fixed)]
    assert verdict["verdict"] == "pass", verdict["reason"]
    assert all(each["found"] == each["expected"] for each in verdict["evidence"])
    assert verdict["seconds"] < 10


@pytest.mark.parametrize("fixed", [False, True], ids=["failure", "cure"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_other_form_fails(whole_run: WholeRun, name: str, fixed: bool) -> None:
    """With the fault taken out by hand the failure is not there, and with the fault in, the cure is none."""
    observation = whole_run.observation(name, fixed)
    assert judge(SCENARIOS[name], fixed, observation).verdict is Outcome.PASS
    other = judge(SCENARIOS[name], not fixed, observation)
    assert other.verdict is Outcome.FAIL
    assert "expected" in other.reason


ON_ONE_SIDE = {"one-way-audio", "unknown-method-dropped", "long-line-dropped", "keepalive-swallowed", "idle-timeout"}
"""What their filters show is in the cure too, but on the other side of the ALG as well, or with an answer."""


@pytest.fixture(scope="module")
def hits(whole_run: WholeRun) -> dict[tuple[str, bool], int]:
    """Packets that each scenario's filter finds, by name and form; several tsharks at a time."""
    forms = [(name, fixed) for name in SCENARIOS for fixed in (False, True)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda form: whole_run.hits(*form, SCENARIOS[form[0]].wireshark), forms)
        return dict(zip(forms, found, strict=True))


@pytest.mark.parametrize("name", SCENARIOS)
def test_wireshark_shows_it(hits: dict[tuple[str, bool], int], name: str) -> None:
    """The filter that is recommended finds the failure in its capture, and nothing in that of the cure."""
    assert hits[name, False] > 0
    if name not in ON_ONE_SIDE:
        assert hits[name, True] == 0
