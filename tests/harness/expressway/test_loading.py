"""The file of an Expressway: what a right one becomes, and how each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from alg.errors import ConfigError
from harness.expressway.loading import load_expressway, parse_expressway, validate_expressway
from harness.expressway.settings import (
    Action,
    Callers,
    DefaultZone,
    DnsZone,
    Expressway,
    NeighborZone,
    OnOff,
    Policy,
    PolicyMode,
    PolicyRule,
    SearchRule,
    SourceType,
    System,
    Transform,
    Transport,
)

FULL = """
[system]
"SystemUnit Name" = "expc"
"SIP Domains" = ["example.com"]
[[zone]]
Type = "Neighbor"
Name = "CUCM11"
"Peer Address" = ["192.0.2.1"]
"SIP Port" = 5065
"SIP Transport" = "TCP"
[[zone]]
Type = "Default"
"SIP ParameterPreservation Mode" = "On"
[[transform]]
Priority = 1
"Pattern String" = "9"
[policy]
"AdministratorPolicy Mode" = "Off"
[[policy_rule]]
"Source type" = "Zone"
"Originating zone" = "CUCM11"
"Destination pattern" = ".*"
Action = "Reject"
[[policy_rule]]
"Rule applies to" = "Authenticated callers"
"Source pattern" = "bob@.*"
"Destination pattern" = ".*"
[[search_rule]]
Name = "as is local"
"Target Name" = "LocalZone"
"""


def test_a_file_that_says_everything(tmp_path: Path) -> None:
    """Every table arrives where it belongs."""
    path = tmp_path / "expc.toml"
    path.write_text(FULL)
    assert load_expressway(str(path)) == Expressway(
        system=System(name="expc", domains=["example.com"]),
        zones=(
            NeighborZone(name="CUCM11", peers=["192.0.2.1"], port=5065, transport=Transport.TCP),
            DefaultZone(parameter_preservation=OnOff.ON),
        ),
        transforms=(Transform(priority=1, string="9"),),
        policy=Policy(mode=PolicyMode.OFF),
        policy_rules=(
            PolicyRule(source_type=SourceType.ZONE, zone="CUCM11", destination=".*", action=Action.REJECT),
            PolicyRule(callers=Callers.AUTHENTICATED, source="bob@.*", destination=".*"),
        ),
        search_rules=(SearchRule(name="as is local", target="LocalZone"),),
    )


def test_an_empty_file() -> None:
    """Nothing but what is always there."""
    assert parse_expressway("", "f") == Expressway()


_RULE = '[[search_rule]]\nName = "a"\n"Target Name" = "LocalZone"\n'
_PATTERN = _RULE + 'Mode = "AliasPatternMatch"\n"Pattern String" = "9"\n'
_DNS = '[[zone]]\nType = "DNS"\nName = "a"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[zones]", "f: unknown table 'zones'; did you mean 'zone'?"),
        ("[zone]", "f: zone must be repeated tables, [[zone]]"),
        ("system = 1", "f: system must be a table, [system]"),
        (
            _DNS + '"TLS Verify Mode" = "On"',
            "f: [[zone]] 1: unknown key 'TLS Verify Mode'; did you mean 'SIP TLS Verify Mode'?",
        ),
        (
            _DNS + '[[zone]]\nType = "Neighbor"\nName = "b"\n"SIP DnsOverride Name" = "x"',
            "f: [[zone]] 2: unknown key 'SIP DnsOverride Name'",
        ),
        (
            '[system]\n"Ethernet 1 IP V4 StaticNAT Mode" = "On"',
            "f: [system]: 'Ethernet 1 IP V4 StaticNAT Address' is missing",
        ),
        ('[[zone]]\nName = "a"', "f: [[zone]] 1: 'Type' is missing"),
        ('[[zone]]\nType = "DNS"', "f: [[zone]] 1: 'Name' is missing"),
        (
            '[[zone]]\nType = "ENUM"\nName = "a"',
            "f: [[zone]] 1: 'Type': 'ENUM' is none of TraversalClient, TraversalServer, Neighbor, DNS, Default",
        ),
        (
            _DNS + '"SIP PreloadedSipRoutes Accept" = "Yes"',
            "f: [[zone]] 1: 'SIP PreloadedSipRoutes Accept': 'Yes' is none of On, Off",
        ),
        (_DNS + "HopCount = 0", "f: [[zone]] 1: 'HopCount': Expected `int` >= 1"),
        (_DNS + _DNS, "f: [[zone]] 2: 'Name': 'a' is that of [[zone]] 1 too"),
        ('[[zone]]\nType = "DNS"\nName = "LocalZone"', "f: [[zone]] 1: 'Name': 'LocalZone' is the product's own"),
        ('[[zone]]\nType = "DNS"\nName = "DefaultZone"', "f: [[zone]] 1: 'Name': 'DefaultZone' is the product's own"),
        (_DNS + '"SIP DnsOverride Override" = "On"', "f: [[zone]] 1: 'SIP DnsOverride Name' is missing"),
        (_DNS + '"SIP TLS Verify Mode" = "On"', "f: [[zone]] 1: 'SIP TLS Verify Subject Name' is missing"),
        (
            _DNS + _RULE.replace("LocalZone", "LocalZones"),
            "f: [[search_rule]] 1: 'Target Name': no zone 'LocalZones'; did you mean 'LocalZone'?",
        ),
        (
            _RULE.replace("LocalZone", "DefaultZone"),
            "f: [[search_rule]] 1: 'Target Name': nothing is sent to the default zone",
        ),
        (_RULE + '"Source Mode" = "Named"', "f: [[search_rule]] 1: 'Source Name': no zone ''"),
        (_RULE + "Priority = 65535", "f: [[search_rule]] 1: 'Priority': Expected `int` <= 65534"),
        (_RULE + 'Priority = "9"', "f: [[search_rule]] 1: 'Priority': Expected `int`, got `str`"),
        (_RULE + _RULE, "f: [[search_rule]] 2: 'Name': 'a' is that of [[search_rule]] 1 too"),
        (_RULE + 'Mode = "AliasPatternMatch"', "f: [[search_rule]] 1: 'Pattern String' is missing"),
        (
            _PATTERN + '"Pattern Type" = "Regex"',
            "f: [[search_rule]] 1: 'Pattern Behavior' Strip goes with Prefix and Suffix, not with Regex",
        ),
        (
            _PATTERN + '"Pattern Behavior" = "AddPrefix"',
            "f: [[search_rule]] 1: 'Pattern Behavior': 'AddPrefix' is none of Leave, Strip, Replace",
        ),
        (
            '[[transform]]\nPriority = 1\n"Pattern String" = "9"\n"Pattern Behavior" = "Leave"',
            "f: [[transform]] 1: 'Pattern Behavior': 'Leave' is none of Strip, Replace, AddPrefix, AddSuffix",
        ),
        (
            '[[transform]]\nPriority = 1\n"Pattern String" = "9"\n' * 2,
            "f: [[transform]] 2: 'Priority': '1' is that of [[transform]] 1 too",
        ),
        (
            '[[policy_rule]]\n"Source type" = "Zone"\n"Destination pattern" = "a"',
            "f: [[policy_rule]] 1: 'Originating zone': no zone ''",
        ),
        ("[[policy_rule]]", "f: [[policy_rule]] 1: 'Destination pattern' is missing"),
        (
            '[[policy_rule]]\n"Destination pattern" = "("',
            "f: [[policy_rule]] 1: 'Destination pattern': '(' is no regular expression: missing ), unterminated "
            "subpattern at position 0",
        ),
        (
            '[[policy_rule]]\n"Source pattern" = "["\n"Destination pattern" = "a"',
            "f: [[policy_rule]] 1: 'Source pattern': '[' is no regular expression: unterminated character set at "
            "position 0",
        ),
    ],
)
def test_mistakes(text: str, complaint: str) -> None:
    """One line names file, table and key, and what would do."""
    with pytest.raises(ConfigError) as error:
        parse_expressway(text, "f")
    assert str(error.value) == complaint


def test_text_that_is_no_toml() -> None:
    """The place is told."""
    with pytest.raises(ConfigError, match=r"^f: .*line 1, column 7"):
        parse_expressway("[[zone]", "f")


def test_patterns_that_do_not_count() -> None:
    """Only alias pattern match looks at the pattern: the product writes defaults there for the other modes."""
    parse_expressway(_RULE + 'Mode = "AnyAlias"\n"Pattern Type" = "Regex"\n"Pattern Behavior" = "Strip"', "f")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The path and the reason."""
    with pytest.raises(ConfigError, match=r"--config .*/none\.toml: No such file or directory"):
        load_expressway(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"--config .*/binary\.toml: .*utf-8"):
        load_expressway(str(tmp_path / "binary.toml"))


def test_what_code_makes_is_checked_too() -> None:
    """An Expressway made without a file can be checked as one that comes from a file."""
    expressway = Expressway(zones=(DnsZone(name="a", dns_override=OnOff.ON),))
    with pytest.raises(ConfigError, match=r"peer: \[\[zone\]\] 1: 'SIP DnsOverride Name' is missing"):
        validate_expressway(expressway, "peer")
