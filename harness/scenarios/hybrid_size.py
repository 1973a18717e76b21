"""Messages of hybrid calls that CUCM does not read (seed 003, both directions, problem 2), in three places."""

from __future__ import annotations

from functools import partial
from typing import Final

from harness.peers.cucm_settings import DEFAULT_SIZES, RECOMMENDED_SIZE, CucmSettings, EarlyOffer
from harness.peers.webex import WebexSettings
from harness.scenarios.hybrid.play import (
    A_PORT,
    ACK,
    ANSWER,
    AUDIO,
    BYE,
    DECLINE,
    FROM_CUCM,
    NEVER,
    NOTHING,
    OUTSIDE,
    RESET,
    SIZE,
    TOPOLOGY,
    TRACE,
    WEBEX,
    WEBEX_PART,
    Setting,
    perform,
)
from harness.scenarios.scenario import Scenario, fact, says, says_nothing_of

_SOURCE: Final = "Cisco, Troubleshoot Webex Hybrid Call Service Connect: both directions, problem 2"
_LIMIT: Final = DEFAULT_SIZES["8.6"]
_CURE: Final = (
    f"Raise SIP Max Incoming Message Size to {RECOMMENDED_SIZE} (System > Service Parameters > Cisco CallManager > "
    "Advanced) on every node that runs Cisco CallManager."
)
_CAUSE: Final = (
    f"This CUCM was upgraded from 8.6 or earlier and has kept its `SIP Max Incoming Message Size` of {_LIMIT} bytes. "
    "What is larger it reads up to there; then it resets the TCP connection, and answers nothing."
)
_TRACE: Final = (
    f"SIPTcp - SdlRead bufferLen={_LIMIT}",
    "httpish_msg_process_network_msg: Content Length ",
    "ccsip_process_network_message: process_network_msg: not complete",
    f":[5060]. Only allow up to {_LIMIT} bytes. Resetting connection.",
)
_LOOK: Final = (
    "The SDL trace of CUCM has the one line that names the cause. On Expressway-C: a large message to CUCM, a reset, "
    "and the same again whenever it is repeated."
)
_RST: Final = "tcp.flags.reset == 1"
_CONFERENCE: Final = WebexSettings(locus_participants=8)


def _forms(early_offer: EarlyOffer, webex: WebexSettings, inbound: bool = False) -> dict[bool, Setting]:
    """By whether the limit was raised."""

    def form(size: int) -> Setting:
        cucm = CucmSettings(
            sip_max_incoming_message_size=size,
            early_offer=early_offer,
            allow_presentation_sharing_using_bfcp=True,
        )
        return Setting(cucm, webex, inbound)

    return {False: form(_LIMIT), True: form(RECOMMENDED_SIZE)}


_TOO_LARGE: Final = (
    fact(SIZE, f"over {_LIMIT} bytes"),
    fact(RESET, "yes"),
    fact(ACK, NEVER),
    *(says(TRACE, line) for line in _TRACE),
)
_NEVER_ACKNOWLEDGED: Final = (
    *_TOO_LARGE,
    fact(DECLINE, "603 Decline", WEBEX),
    says(OUTSIDE, "|SIP/2.0 603 Decline", WEBEX),
)
_WORKS: Final = (
    fact(SIZE, f"over {_LIMIT} bytes"),
    fact(RESET, "no"),
    fact(ANSWER, "200 OK"),
    fact(AUDIO, A_PORT),
    fact(ACK, "arrives"),
    fact(BYE, "200 OK"),
    says_nothing_of(TRACE, "Resetting connection."),
)

SCENARIOS: Final = (
    Scenario(
        name="cucm-message-limit-inbound",
        title="an INVITE from Webex is larger than what CUCM reads",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} So it does with Webex's INVITE, which has grown on its way by the Vias and Record-Routes of "
        "both Expressways. No phone rings, and the caller is told 408.",
        look=f"{_LOOK} The INVITE never gets a SIP answer.",
        wireshark=_RST,
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.DISABLED, _CONFERENCE, inbound=True)),
        failure=(*_TOO_LARGE, fact(FROM_CUCM, NOTHING), fact(ANSWER, "408 Request Timeout")),
        success=(*_WORKS, fact(FROM_CUCM, "200 OK")),
        log=_TRACE,
        label="B2-inbound",
    ),
    Scenario(
        name="cucm-message-limit-early-offer",
        title="Webex's answer in its 200 is larger than what CUCM reads",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} So it does with the 200 to its own INVITE, which had an offer. No ACK ever reaches Webex, "
        "which gives up after 21 s.",
        look=f"{_LOOK} The 200 is repeated and never acknowledged; then the Expressway-E receives `603 Decline`.",
        wireshark=_RST,
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.BEST_EFFORT, _CONFERENCE)),
        failure=_NEVER_ACKNOWLEDGED,
        success=_WORKS,
        log=(*_TRACE, "SIP/2.0 603 Decline"),
        label="B2-early",
        parts=(WEBEX_PART,),
    ),
    Scenario(
        name="cucm-message-limit-delayed-offer",
        title="Webex's offer in its 200 is larger than what CUCM reads",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} So it does with the 200 to its own INVITE, which had no offer: the 200 has Webex's, with "
        "all its codecs. No ACK ever reaches Webex, which gives up after 21 s.",
        look=f"{_LOOK} The 200 is repeated and never acknowledged; then the Expressway-E receives `603 Decline`.",
        wireshark=_RST,
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.DISABLED, _CONFERENCE)),
        failure=_NEVER_ACKNOWLEDGED,
        success=_WORKS,
        log=(*_TRACE, "SIP/2.0 603 Decline"),
        label="B2",
    ),
)
"""In the order of the guide; the one whose log it shows has its label alone."""
