"""Messages of hybrid calls that CUCM does not read (seed 003, both directions, problem 2), in three places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.peers.cucm_settings import DEFAULT_SIZES, RECOMMENDED_SIZE, EarlyOffer
from harness.scenarios.hybrid.acts import call_in, call_out
from harness.scenarios.hybrid.cast import TRACE
from harness.scenarios.hybrid.declaring import WORKS, declared
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.hybrid.legs import CUCM, WEBEX
from harness.scenarios.hybrid.seeing import (
    A_PORT,
    ACK,
    ANSWER,
    ANSWERED,
    AUDIO,
    DECLINE,
    FROM_CUCM,
    NEVER,
    NOTHING,
    OPTIONS,
    RESET,
    SIZE,
)
from harness.scenarios.scenario import Scenario, says, says_nothing_of

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
    "SIPTcp - Ignoring large message from ",
    f"Only allow up to {_LIMIT} bytes. Resetting connection.",
)
_LOOK: Final = (
    "The SDL trace of CUCM has the one line that names the cause. On Expressway-C: a large message to CUCM, a reset, "
    "and the same again whenever it is repeated; but OPTIONS, which is small, CUCM answers."
)
_RST: Final = "tcp.flags.reset == 1"


def _dial(size: int, early_offer: EarlyOffer) -> Dial:
    """A conference; by the limit of CUCM, in bytes."""
    dial = Dial()
    cucm = replace(
        dial.cucm,
        sip_max_incoming_message_size=size,
        early_offer=early_offer,
        allow_presentation_sharing_using_bfcp=True,
    )
    return replace(dial, cucm=cucm, webex=replace(dial.webex, locus_participants=8))


_EARLY, _DELAYED = EarlyOffer.BEST_EFFORT, EarlyOffer.DISABLED
_TOO_LARGE: Final[Mapping[str, str]] = {OPTIONS: ANSWERED, SIZE: f"over {_LIMIT} bytes", RESET: "yes", ACK: NEVER}
_DECLINED: Final = says("Expressway-E", "|SIP/2.0 603 Decline")
_GOOD: Final[Mapping[str, str]] = {
    **WORKS,
    **{OPTIONS: ANSWERED, SIZE: f"over {_LIMIT} bytes", RESET: "no", AUDIO: A_PORT},
}
_RESETS: Final = (
    f"In the failure it resets the TCP connection on which more than {_LIMIT} bytes come in one message, and answers "
    "smaller ones such as OPTIONS; in the cure it reads all"
)
_LARGE_INVITE: Final = 4500
"""Bytes where Webex sends it: both Expressways add some 880."""
_LARGE_OK: Final = 6000
"""Bytes where Webex sends it: both Expressways take some 440 off."""
_CALLED: Final = {
    CUCM: _RESETS,
    WEBEX: f"Its 200 has at least {_LARGE_OK} bytes, as each Expressway takes its Via and Record-Routes off",
}
_NO_RESET: Final = says_nothing_of(TRACE, "Resetting connection.")

SCENARIOS: Final[tuple[Scenario, ...]] = (
    declared(
        "B2-inbound",
        "cucm-message-limit-inbound",
        "an INVITE from Webex is larger than what CUCM reads",
        source=_SOURCE,
        happens=f"{_CAUSE} So it does with Webex's INVITE, which has grown on its way by the Vias and Record-Routes of "
        "both Expressways. No phone rings, and the caller is told 408.",
        look=f"{_LOOK} The INVITE never gets a SIP answer.",
        wireshark=_RST,
        cure=_CURE,
        act=call_in,
        broken=_dial(_LIMIT, _DELAYED),
        fixed=_dial(RECOMMENDED_SIZE, _DELAYED),
        failure={**_TOO_LARGE, FROM_CUCM: NOTHING, ANSWER: "408 Request Timeout"},
        success={**_GOOD, FROM_CUCM: "200 OK"},
        asks={
            CUCM: _RESETS,
            WEBEX: f"Its INVITE has at least {_LARGE_INVITE} bytes, so that behind both Expressways it has more than "
            f"{_LIMIT}",
        },
        log=_TRACE,
        log_of=TRACE,
        cured=(_NO_RESET,),
    ),
    declared(
        "B2-early",
        "cucm-message-limit-early-offer",
        "Webex's answer in its 200 is larger than what CUCM reads",
        source=_SOURCE,
        happens=f"{_CAUSE} So it does with the 200 to its own INVITE, which had an offer. No ACK ever reaches Webex, "
        "which gives up after 21 s.",
        look=f"{_LOOK} The 200 is repeated and never acknowledged; then the Expressway-E receives `603 Decline`.",
        wireshark=_RST,
        cure=_CURE,
        act=call_out,
        broken=_dial(_LIMIT, _EARLY),
        fixed=_dial(RECOMMENDED_SIZE, _EARLY),
        failure={**_TOO_LARGE, DECLINE: "603 Decline"},
        success=_GOOD,
        asks=_CALLED,
        log=_TRACE,
        log_of=TRACE,
        more=(_DECLINED,),
        cured=(_NO_RESET,),
    ),
    declared(
        "B2-delayed",
        "cucm-message-limit-delayed-offer",
        "Webex's offer in its 200 is larger than what CUCM reads",
        source=_SOURCE,
        happens=f"{_CAUSE} So it does with the 200 to its own INVITE, which had no offer: the 200 has Webex's, with "
        "all its codecs. No ACK ever reaches Webex, which gives up after 21 s.",
        look=f"{_LOOK} The 200 is repeated and never acknowledged; then the Expressway-E receives `603 Decline`.",
        wireshark=_RST,
        cure=_CURE,
        act=call_out,
        broken=_dial(_LIMIT, _DELAYED),
        fixed=_dial(RECOMMENDED_SIZE, _DELAYED),
        failure={**_TOO_LARGE, DECLINE: "603 Decline"},
        success=_GOOD,
        asks=_CALLED,
        log=_TRACE,
        log_of=TRACE,
        more=(_DECLINED,),
        cured=(_NO_RESET,),
    ),
)
"""In the order of the guide, which shows the log of the last."""
