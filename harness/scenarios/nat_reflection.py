"""Phone services over Mobile and Remote Access fail behind a firewall that reflects (seed 000 to 002): cures of it."""

from __future__ import annotations

from functools import partial
from typing import Final

from harness.scenarios.reflection.ground import Setting, Way
from harness.scenarios.reflection.names import (
    ACCESS,
    APPARENT,
    ATTEMPTS,
    CALL,
    COMES,
    CORE,
    CUCM,
    FORWARDED,
    INSIDE,
    NEVER,
    NONE,
    OF_CORE,
    OF_FIREWALL,
    OUTSIDE,
    REGISTER,
    SERVICE,
    STANDS,
    TOPOLOGY,
    WARNING,
    ZONE,
)
from harness.scenarios.reflection.parts import parts
from harness.scenarios.reflection.play import perform
from harness.scenarios.scenario import Scenario, Sign, fact, says, says_nothing_of

_SOURCE: Final = "Cisco, MRA phone services failing due to source IP translation over NAT reflection"
_HAPPENS: Final = (
    "Expressway-C connects to the public address of the Expressway-E, and the firewall reflects that; it translates "
    "the source as well. A phone's REGISTER makes the Expressway-E ask the Expressway-C with a SERVICE, whose Route is "
    "the address that the connection came from. The Expressway-C does not know itself by it, tries to connect there, "
    "and answers 408. The REGISTER never goes on."
)
_LOOK: Final = (
    "Users can log in and have no phone services. On the Expressway-C: a SERVICE whose Route is an address of the "
    "firewall, TCP Connecting and TCP Connection Failed to it, 408 with its own address in the Warning. In a capture "
    "there: four SYN, each answered by RST; the same connection has other ends on the Expressway-E."
)
_SYN: Final = (
    "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.src == 10.0.30.2 && ip.dst == 64.100.0.10 && tcp.dstport != 7003"
)
_TIMEOUT: Final = "408 Request Timeout"
_FAILED: Final = 'Detail="TCP Connection Failed"'
_LOG: Final = ('Detail="TCP Connecting"', _FAILED, "Sending Response Code=408, Method=SERVICE")


_FAILURE: Final = (
    fact(APPARENT, OF_FIREWALL, ZONE),
    fact(SERVICE, _TIMEOUT, ZONE),
    fact(WARNING, f'399 {INSIDE}:5061 "Request Timeout"', ZONE),
    fact(ATTEMPTS, "4, all refused", CORE),
    fact(FORWARDED, NEVER, ZONE),
    fact(REGISTER, _TIMEOUT, ACCESS),
    *(says(INSIDE, line) for line in _LOG),
    says(OUTSIDE, ";apparent;ds;lr>"),
)


def _success(setting: Setting) -> tuple[Sign, ...]:
    """What an ALG has made of the Route is seen behind it alone."""
    return (
        fact(APPARENT, OF_CORE, CORE if setting.alg else ZONE),
        fact(SERVICE, "200 OK", ZONE),
        fact(ATTEMPTS, NONE, CORE),
        fact(FORWARDED, COMES, ZONE),
        fact(REGISTER, "200 OK", ACCESS),
        fact(CALL, STANDS, CUCM, ACCESS),
        says_nothing_of(INSIDE, _FAILED),
    )


def _scenario(name: str, title: str, cure: str, broken: Setting, fixed: Setting, happens: str = _HAPPENS) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=happens,
        look=_LOOK,
        wireshark=_SYN,
        cure=cure,
        observe=partial(perform, {False: broken, True: fixed}),
        failure=_FAILURE,
        success=_success(fixed),
        log=_LOG,
        parts=parts(broken.kind),
    )


SCENARIOS: Final = (
    _scenario(
        "nat-reflection",
        "a firewall translates the source of reflected connections, and Expressway-C does not know itself any more",
        "Do not translate the source of connections from the Expressway-C to the Expressway-E. The Route then has the "
        "Expressway-C's own address.",
        Setting(Way.TRANSLATED),
        Setting(Way.UNTRANSLATED),
    ),
    _scenario(
        "nat-reflection-dual-nic",
        "the same, cured by an Expressway-E with two NICs, which needs no reflection",
        "Give the Expressway-E a second NIC on the inner side, and have the Expressway-C connect to that; a firewall "
        "between them must not translate the source either.",
        Setting(Way.TRANSLATED),
        Setting(Way.DUAL_NIC),
    ),
    _scenario(
        "nat-reflection-tcp",
        "the same over plain TCP, where an ALG that does it right can repair the Route",
        "Have the firewall's ALG look at the port of the traversal zone (here `--sip-port 7003`): it turns the "
        "apparent address in the Route back into the Expressway-C's own. Over TLS no ALG can.",
        Setting(Way.TRANSLATED, kind="TCP"),
        Setting(Way.TRANSLATED, kind="TCP", alg=True),
        f"{_HAPPENS} The traversal zone is over TCP, so that the firewall could see what it breaks; it does not look.",
    ),
)
"""One failure, three cures."""
