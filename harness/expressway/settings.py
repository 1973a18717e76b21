"""What is configured on an Expressway, as tables of a TOML file.

Keys and values are the product's: those of `xConfiguration` without the path in front, so that
`Zones Zone 6 DNS SIP TLS Verify Mode: "On"` is `"SIP TLS Verify Mode" = "On"` in a `[[zone]]` of type DNS. Call policy
rules, which xConfiguration does not show, have the names of the web page. A zone has the settings of its type only.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta, field

from harness.expressway.patterns import Behavior, Pattern, PatternType, Variables

Text = Annotated[str, Meta(min_length=1)]
Priority = Annotated[int, Meta(ge=1, le=65534)]
Port = Annotated[int, Meta(ge=0, le=65535)]
"""0 is any free one, where something listens."""

LOCAL_ZONE = "LocalZone"
DEFAULT_ZONE = "DefaultZone"


class OnOff(Enum):
    """A switch."""

    ON = "On"
    OFF = "Off"

    def __bool__(self) -> bool:
        return self is OnOff.ON


class State(Enum):
    """Whether a rule counts."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class Transport(Enum):
    """What SIP is carried by."""

    TCP = "TCP"
    TLS = "TLS"


class Protocol(Enum):
    """Of a search."""

    SIP = "SIP"
    H323 = "H323"


class InterworkingMode(Enum):
    """Which zones are searched with the other protocol too, once the alias was not found with its own."""

    ON = "On"
    OFF = "Off"
    REGISTERED_ONLY = "RegisteredOnly"
    """The Local Zone; all, if the request comes from there."""


class AuthenticationMode(Enum):
    """When a request that comes in through a zone counts as authenticated."""

    CHECK = "CheckCredentials"
    DO_NOT_CHECK = "DoNotCheckCredentials"
    TREAT_AS_AUTHENTICATED = "TreatAsAuthenticated"


class RuleProtocol(Enum):
    """Which requests a search rule is for."""

    ANY = "Any"
    SIP = "SIP"
    H323 = "H323"


class RuleSource(Enum):
    """Which requests a search rule is for."""

    ANY = "Any"
    ALL_ZONES = "AllZones"
    """Locally registered devices, neighbor and traversal zones."""
    LOCAL_ZONE = "LocalZone"
    NAMED = "Named"


class RuleMode(Enum):
    """Which aliases a search rule is for."""

    ALIAS_PATTERN_MATCH = "AliasPatternMatch"
    ANY_ALIAS = "AnyAlias"
    """Any that is no IP address."""
    ANY_IP_ADDRESS = "AnyIPAddress"


class Progress(Enum):
    """On successful match."""

    CONTINUE = "Continue"
    STOP = "Stop"
    """No rule of a higher priority number is considered, found or not."""


class YesNo(Enum):
    """An answer."""

    YES = "Yes"
    NO = "No"


class PolicyMode(Enum):
    """Where call policy comes from."""

    OFF = "Off"
    LOCAL_CPL = "LocalCPL"


class SourceType(Enum):
    """What a call policy rule knows a caller by."""

    FROM_ADDRESS = "From address"
    ZONE = "Zone"


class Callers(Enum):
    """Whom a call policy rule with a From address applies to."""

    AUTHENTICATED = "Authenticated callers"
    UNAUTHENTICATED = "Unauthenticated callers"


class Action(Enum):
    """What a call policy rule does with a call."""

    ALLOW = "Allow"
    REJECT = "Reject"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table whose keys are all known."""


class System(_Table, frozen=True, kw_only=True):
    """`[system]`"""

    name: Text = field(name="SystemUnit Name", default="expressway")
    """The host name in its log."""
    address_1: str = field(name="Ethernet 1 IP V4 Address", default="127.0.0.1")
    address_2: str = field(name="Ethernet 2 IP V4 Address", default="")
    """Empty with a single NIC."""
    static_nat_mode: OnOff = field(name="Ethernet 1 IP V4 StaticNAT Mode", default=OnOff.OFF)
    static_nat_address: str = field(name="Ethernet 1 IP V4 StaticNAT Address", default="")
    """What it is called outside: in Via and Record-Route of what leaves through a DNS zone or the default zone."""
    domains: list[Text] = field(name="SIP Domains", default=[])
    """Those that %localdomains% stands for. An Expressway-E has none."""
    registrations: list[Text] = field(name="Registrations", default=[])
    """Aliases that are found in the Local Zone."""
    interworking: InterworkingMode = field(name="Interworking Mode", default=InterworkingMode.REGISTERED_ONLY)
    tcp_mode: OnOff = field(name="SIP TCP Mode", default=OnOff.ON)
    tcp_port: Port = field(name="SIP TCP Port", default=5060)
    tls_mode: OnOff = field(name="SIP TLS Mode", default=OnOff.ON)
    tls_port: Port = field(name="SIP TLS Port", default=5061)
    mtls_mode: OnOff = field(name="SIP MTLS Mode", default=OnOff.OFF)
    """Off: nobody listens on the mutual TLS port."""
    mtls_port: Port = field(name="SIP MTLS Port", default=5062)


class _SipZone(_Table, frozen=True, kw_only=True, tag_field="Type"):
    """What zones of all types that can be configured have."""

    preloaded_routes: OnOff = field(name="SIP PreloadedSipRoutes Accept", default=OnOff.OFF)
    """Off: an INVITE whose Route names somebody else is rejected."""
    parameter_preservation: OnOff = field(name="SIP ParameterPreservation Mode", default=OnOff.OFF)
    """Off: the B2BUA rewrites Contact, and drops parameters such as call-type=squared."""
    authentication: AuthenticationMode = field(name="Authentication Mode", default=AuthenticationMode.DO_NOT_CHECK)


class _NamedZone(_SipZone, frozen=True, kw_only=True):
    name: Text = field(name="Name")
    hop_count: Annotated[int, Meta(ge=1, le=255)] = field(name="HopCount", default=15)
    tls_verify: OnOff = field(name="SIP TLS Verify Mode", default=OnOff.OFF)


class _PeerZone(_NamedZone, frozen=True, kw_only=True):
    transport: Transport = field(name="SIP Transport", default=Transport.TLS)
    port: Port = field(name="SIP Port", default=7001)


class TraversalClientZone(_PeerZone, frozen=True, kw_only=True, tag="TraversalClient"):
    """`[[zone]]` of an Expressway-C towards an Expressway-E."""

    peers: list[Text] = field(name="Peer Address", default=[])


class TraversalServerZone(_PeerZone, frozen=True, kw_only=True, tag="TraversalServer"):
    """`[[zone]]` of an Expressway-E, to which the Expressway-C connects."""

    tls_subject: str = field(name="SIP TLS Verify Subject Name", default="")


class NeighborZone(_PeerZone, frozen=True, kw_only=True, tag="Neighbor"):
    """`[[zone]]` towards a CUCM cluster or another Expressway."""

    peers: list[Text] = field(name="Peer Address", default=[])
    port: Port = field(name="SIP Port", default=5061)


class DnsZone(_NamedZone, frozen=True, kw_only=True, tag="DNS"):
    """`[[zone]]` for whatever DNS finds."""

    tls_subject: str = field(name="SIP TLS Verify Subject Name", default="")
    """What the certificate of the other side has to name."""
    inbound_classification: OnOff = field(name="SIP TLS Verify InboundClassification", default=OnOff.OFF)
    """On: a mutual TLS connection that shows this name comes in through this zone."""
    dns_override: OnOff = field(name="SIP DnsOverride Override", default=OnOff.OFF)
    dns_override_name: str = field(name="SIP DnsOverride Name", default="")
    """The domain that is looked up instead of that of the request URI."""
    default_transport: Transport = field(name="SIP Default Transport", default=Transport.TLS)


class DefaultZone(_SipZone, frozen=True, kw_only=True, tag="Default"):
    """`[[zone]]` through which everything comes in that belongs to no other one. It is always there."""

    name = DEFAULT_ZONE


class LocalZone(msgspec.Struct, frozen=True):
    """Whatever is registered here. It is always there, and nothing of it is configured."""

    name = LOCAL_ZONE


ConfiguredZone = TraversalClientZone | TraversalServerZone | NeighborZone | DnsZone | DefaultZone
Zone = ConfiguredZone | LocalZone


class Transform(_Table, frozen=True, kw_only=True):
    """`[[transform]]`: changes an alias before any search."""

    priority: Priority = field(name="Priority")
    """Its own; the lowest number is tried first."""
    description: str = field(name="Description", default="")
    type: PatternType = field(name="Pattern Type", default=PatternType.PREFIX)
    string: str = field(name="Pattern String", default="")
    behavior: Behavior = field(name="Pattern Behavior", default=Behavior.STRIP)
    replace: str = field(name="Pattern Replace", default="")
    state: State = field(name="State", default=State.ENABLED)

    @property
    def pattern(self) -> Pattern:
        """What it matches, and what it does."""
        return Pattern(self.type, self.string, self.behavior, self.replace)


class Policy(_Table, frozen=True, kw_only=True):
    """`[policy]`"""

    mode: PolicyMode = field(name="AdministratorPolicy Mode", default=PolicyMode.LOCAL_CPL)
    """Local CPL without rules allows every call."""


class PolicyRule(_Table, frozen=True, kw_only=True):
    """`[[policy_rule]]`: the first that matches allows or rejects a call."""

    source_type: SourceType = field(name="Source type", default=SourceType.FROM_ADDRESS)
    zone: str = field(name="Originating zone", default="")
    """With source type Zone."""
    callers: Callers = field(name="Rule applies to", default=Callers.UNAUTHENTICATED)
    """With source type From address."""
    source: str = field(name="Source pattern", default="")
    """A regular expression; empty for all callers of that kind."""
    destination: Text = field(name="Destination pattern")
    """A regular expression."""
    action: Action = field(name="Action", default=Action.ALLOW)


class SearchRule(_Table, frozen=True, kw_only=True):
    """`[[search_rule]]`: where an alias is searched for."""

    name: Text = field(name="Name")
    description: str = field(name="Description", default="")
    priority: Priority = field(name="Priority", default=100)
    """The lowest number first; several rules may share one."""
    protocol: RuleProtocol = field(name="Protocol", default=RuleProtocol.ANY)
    source_mode: RuleSource = field(name="Source Mode", default=RuleSource.ANY)
    source_name: str = field(name="Source Name", default="")
    """With source mode Named."""
    authentication: YesNo = field(name="Authentication", default=YesNo.NO)
    """Yes: request must be authenticated."""
    mode: RuleMode = field(name="Mode", default=RuleMode.ANY_ALIAS)
    type: PatternType = field(name="Pattern Type", default=PatternType.PREFIX)
    string: str = field(name="Pattern String", default="")
    behavior: Behavior = field(name="Pattern Behavior", default=Behavior.STRIP)
    replace: str = field(name="Pattern Replace", default="")
    progress: Progress = field(name="Progress", default=Progress.CONTINUE)
    target: Text = field(name="Target Name")
    state: State = field(name="State", default=State.ENABLED)

    @property
    def pattern(self) -> Pattern:
        """What it matches, and what it does; counts in mode AliasPatternMatch only."""
        return Pattern(self.type, self.string, self.behavior, self.replace)


class Expressway(msgspec.Struct, frozen=True, kw_only=True):
    """One Expressway: everything that decides where a call goes. Made by `harness.expressway.loading`."""

    system: System = System()
    zones: tuple[ConfiguredZone, ...] = ()
    transforms: tuple[Transform, ...] = ()
    policy: Policy = Policy()
    policy_rules: tuple[PolicyRule, ...] = ()
    search_rules: tuple[SearchRule, ...] = ()

    def zone(self, name: str) -> Zone | None:
        """The zone of a name, also the Local Zone and the default zone; None if there is none."""
        built_in: tuple[Zone, ...] = (LocalZone(), DefaultZone())
        return next((zone for zone in (*self.zones, *built_in) if zone.name == name), None)

    @property
    def variables(self) -> Variables:
        """What `%name%` in a pattern stands for."""
        system = self.system
        addresses = tuple(address for address in (system.address_1, system.address_2) if address)
        numbered = {f"localdomain{number}": (domain,) for number, domain in enumerate(system.domains, 1)}
        values = {
            "ip": addresses,
            "ipv4": addresses,
            "ipv4_1": addresses[:1],
            "ipv4_2": addresses[1:],
            "localdomains": tuple(system.domains),
            "systemname": (system.name,),
        }
        return Variables(tuple((values | numbered).items()))


def zone_type(zone: Zone) -> str:
    """The type of a zone as the product writes it."""
    return "Local" if isinstance(zone, LocalZone) else str(zone.__struct_config__.tag)
