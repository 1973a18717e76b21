"""The product's settings: their names, their defaults, and what is there without being configured."""

from __future__ import annotations

import msgspec
import pytest

from harness.expressway.patterns import Behavior, Pattern, PatternType
from harness.expressway.settings import (
    AuthenticationMode,
    ConfiguredZone,
    DefaultZone,
    DnsZone,
    Expressway,
    InterworkingMode,
    LocalZone,
    NeighborZone,
    OnOff,
    Progress,
    RuleMode,
    RuleSource,
    SearchRule,
    System,
    Transform,
    TraversalClientZone,
    TraversalServerZone,
    YesNo,
    Zone,
    zone_type,
)


def test_a_zone_has_the_names_of_xconfiguration() -> None:
    """Each line of xConfiguration is a key, without the path in front of it."""
    zone = msgspec.convert(
        {
            "Type": "DNS",
            "Name": "Hybrid Call Services DNS",
            "HopCount": 20,
            "Authentication Mode": "TreatAsAuthenticated",
            "SIP PreloadedSipRoutes Accept": "On",
            "SIP ParameterPreservation Mode": "On",
            "SIP TLS Verify Mode": "On",
            "SIP TLS Verify Subject Name": "callservice.ciscospark.com",
            "SIP TLS Verify InboundClassification": "On",
            "SIP DnsOverride Name": "ciscospark.com",
            "SIP DnsOverride Override": "Off",
            "SIP Default Transport": "TLS",
        },
        ConfiguredZone,
    )
    assert zone == DnsZone(
        name="Hybrid Call Services DNS",
        hop_count=20,
        authentication=AuthenticationMode.TREAT_AS_AUTHENTICATED,
        preloaded_routes=OnOff.ON,
        parameter_preservation=OnOff.ON,
        tls_verify=OnOff.ON,
        tls_subject="callservice.ciscospark.com",
        inbound_classification=OnOff.ON,
        dns_override_name="ciscospark.com",
        dns_override=OnOff.OFF,
    )


def test_a_rule_has_the_names_of_xconfiguration() -> None:
    """The search rule that sends calls to Webex, key by key."""
    rule = msgspec.convert(
        {
            "Name": "Webex Hybrid - to Webex Cloud",
            "Description": "Outbound calls to Webex",
            "Authentication": "No",
            "Mode": "AliasPatternMatch",
            "Pattern Behavior": "Leave",
            "Pattern Replace": "",
            "Pattern String": r".*@.*\.ciscospark\.com",
            "Pattern Type": "Regex",
            "Priority": 101,
            "Progress": "Stop",
            "Protocol": "SIP",
            "Source Mode": "Named",
            "Source Name": "Hybrid Call Service Traversal",
            "State": "Enabled",
            "Target Name": "Hybrid Call Services DNS",
        },
        SearchRule,
    )
    assert (rule.priority, rule.progress, rule.source_mode) == (101, Progress.STOP, RuleSource.NAMED)
    assert (rule.mode, rule.authentication) == (RuleMode.ALIAS_PATTERN_MATCH, YesNo.NO)
    assert rule.pattern == Pattern(PatternType.REGEX, r".*@.*\.ciscospark\.com", Behavior.LEAVE)


@pytest.mark.parametrize(
    ("zone", "type_", "name"),
    [
        (TraversalClientZone(name="a"), "TraversalClient", "a"),
        (TraversalServerZone(name="b"), "TraversalServer", "b"),
        (NeighborZone(name="c"), "Neighbor", "c"),
        (DnsZone(name="d"), "DNS", "d"),
        (DefaultZone(), "Default", "DefaultZone"),
        (LocalZone(), "Local", "LocalZone"),
    ],
)
def test_zone_types(zone: Zone, type_: str, name: str) -> None:
    """A zone's type is written as in the product's results."""
    assert (zone_type(zone), zone.name) == (type_, name)


def test_zones_that_are_always_there() -> None:
    """The Local Zone and the default zone; the default zone can be given settings."""
    plain = Expressway(zones=(DnsZone(name="DNS"),))
    assert plain.zone("LocalZone") == LocalZone()
    assert plain.zone("DefaultZone") == DefaultZone()
    assert plain.zone("DNS") == DnsZone(name="DNS")
    assert plain.zone("dns") is None
    strict = DefaultZone(authentication=AuthenticationMode.CHECK)
    assert Expressway(zones=(strict,)).zone("DefaultZone") == strict


def test_switches_are_truth_values() -> None:
    """On is true, Off is false."""
    assert (bool(OnOff.ON), bool(OnOff.OFF)) == (True, False)


def test_variables() -> None:
    """What patterns may name: domains one by one and together, addresses of both NICs, the system name."""
    system = System(name="expe", address_1="10.0.10.2", address_2="10.0.20.2", domains=["example.com", "example.net"])
    variables = Expressway(system=system).variables
    assert variables.get("localdomains") == ("example.com", "example.net")
    assert variables.get("localdomain2") == ("example.net",)
    assert variables.get("localdomain3") is None
    assert variables.get("ip") == variables.get("ipv4") == ("10.0.10.2", "10.0.20.2")
    assert (variables.get("ipv4_1"), variables.get("IPv4_2")) == (("10.0.10.2",), ("10.0.20.2",))
    assert variables.get("systemname") == ("expe",)
    assert Expressway().variables.get("ipv4_2") == ()


def test_defaults() -> None:
    """What a file need not say."""
    assert System().interworking is InterworkingMode.REGISTERED_ONLY
    assert (System().mtls_mode, System().mtls_port) == (OnOff.OFF, 5062)
    assert not DnsZone(name="a").preloaded_routes
    transform = Transform(priority=1, string="9")
    assert transform.pattern == Pattern(PatternType.PREFIX, "9", Behavior.STRIP)
