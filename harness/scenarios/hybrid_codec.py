"""No common codec in hybrid calls (seed 003, both directions, problem 1), in the three places where it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.peers.cucm_settings import RECOMMENDED_SIZE, EarlyOffer, Region
from harness.scenarios.hybrid.acts import call_in, call_out
from harness.scenarios.hybrid.declaring import WORKS, declared
from harness.scenarios.hybrid.ground import Dial
from harness.scenarios.hybrid.legs import CUCM, WEBEX
from harness.scenarios.hybrid.seeing import (
    A_PORT,
    ACK,
    ANSWER,
    ARRIVES,
    AUDIO,
    CODECS,
    CRYPTO,
    ENDING,
    FROM_CUCM,
    G729_ALONE,
    NOTHING,
    SUITE,
    WITHOUT_G729,
)
from harness.scenarios.scenario import Scenario

_SOURCE: Final = "Cisco, Troubleshoot Webex Hybrid Call Service Connect: both directions, problem 1"
_CURE: Final = (
    "Give the trunk of the Expressway-C a device pool whose region relationship allows more than 8 kbps: from 64 kbps "
    "on it has G.722 and G.711, from 256 kbps on AAC-LD."
)
_CAUSE: Final = (
    "The region relationship of the trunk and the calling line allows 8 kbps, which is G.729 (payload 18) alone. "
    "Webex has G.711, G.722 and AAC-LD."
)
_CAUSE_47: Final = "Q.850;cause=47"
_BYE_47: Final = f"BYE, Reason: {_CAUSE_47}"
_BYE_FILTER: Final = 'sip.Method == "BYE" && sip.Reason contains "cause=47"'


def _dial(bit_rate: int, early_offer: EarlyOffer) -> Dial:
    """By what the region allows, in kbit/s."""
    dial, region = Dial(), Region(bit_rate)
    cucm = replace(dial.cucm, sip_max_incoming_message_size=RECOMMENDED_SIZE, region=region, early_offer=early_offer)
    return replace(dial, cucm=cucm)


_EARLY, _DELAYED = EarlyOffer.BEST_EFFORT, EarlyOffer.DISABLED
_TOO_LITTLE, _ENOUGH = 8, 256
_NOT_ACCEPTABLE: Final = "488 Not Acceptable Here"
_BY_CUCM: Final = {CODECS: G729_ALONE, CRYPTO: "yes"}
_BY_WEBEX: Final = {CODECS: WITHOUT_G729, CRYPTO: "yes"}
"""Offers in which nothing is wrong but the codecs."""
_SECURE: Final = f"Audio is `RTP/SAVP` with `a=crypto:1 {SUITE} inline:...` in offers and answers (SDES)"
_OF_WEBEX: Final = f"{_SECURE}; the codecs are G.711, G.722 or AAC-LD, without G.729"
_OF_CUCM: Final = (
    f"{_SECURE}; the only codec is G.729 in the failure, for want of which the call ends with `Reason: {_CAUSE_47}`, "
    "and G.711 or G.722 are among them in the cure"
)
_GOOD: Final[Mapping[str, str]] = {**WORKS, AUDIO: A_PORT}

SCENARIOS: Final[tuple[Scenario, ...]] = (
    declared(
        "B1-early",
        "no-common-codec-early-offer",
        "CUCM offers G.729 alone, and Webex answers with audio port 0",
        source=_SOURCE,
        happens=f"{_CAUSE} The INVITE offers G.729, the 200 refuses the audio stream and takes the video. CUCM "
        "acknowledges it and hangs up at once.",
        look="In the log of the Expressway-E: `m=audio 0 RTP/SAVP *` in the 200 from Webex, then ACK, then BYE whose "
        f"User-Agent is Cisco-CUCM, with `Reason: {_CAUSE_47}`.",
        wireshark=_BYE_FILTER,
        cure=_CURE,
        act=call_out,
        broken=_dial(_TOO_LITTLE, _EARLY),
        fixed=_dial(_ENOUGH, _EARLY),
        failure={**_BY_CUCM, ANSWER: "200 OK", AUDIO: "0 RTP/SAVP", ACK: ARRIVES, ENDING: _BYE_47},
        success={**_GOOD, ENDING: "BYE"},
        log=("m=audio 0 RTP/SAVP *", f"Reason: {_CAUSE_47}"),
        worded_by=(WEBEX,),
        asks={
            CUCM: f"{_OF_CUCM}. Its INVITE has an offer",
            WEBEX: f"{_OF_WEBEX}. In the failure its 200 has audio port 0, such as `m=audio 0 RTP/SAVP *`",
        },
    ),
    declared(
        "B1-delayed",
        "no-common-codec-delayed-offer",
        "Webex offers its codecs in its 200, and CUCM, which may use G.729 alone, hangs up",
        source=_SOURCE,
        happens=f"{_CAUSE} The INVITE has no session description, the 200 has Webex's offer. The ACK refuses its "
        "audio, and a BYE follows.",
        look="The 200 from Webex has all its audio codecs; the ACK has `m=audio 0`, and right behind it comes BYE with "
        f"`Reason: {_CAUSE_47}`. Nothing that Webex has sent is wrong.",
        wireshark=_BYE_FILTER,
        cure=_CURE,
        act=call_out,
        broken=_dial(_TOO_LITTLE, _DELAYED),
        fixed=_dial(_ENOUGH, _DELAYED),
        failure={**_BY_WEBEX, ANSWER: "200 OK", AUDIO: "0 RTP/SAVP", ACK: ARRIVES, ENDING: _BYE_47},
        success={**_GOOD, ENDING: "BYE"},
        log=(f"Reason: {_CAUSE_47}",),
        asks={
            CUCM: f"{_OF_CUCM}. Its INVITE has no offer; its ACK has the answer, with audio port 0 in the failure",
            WEBEX: f"{_OF_WEBEX}. The offer is in its 200",
        },
    ),
    declared(
        "B1-inbound",
        "no-common-codec-inbound",
        "Webex calls, and CUCM, which may use G.729 alone, refuses its offer",
        source=_SOURCE,
        happens=f"{_CAUSE} CUCM answers the INVITE from Webex with 488. No phone rings.",
        look=f"`488 Not Acceptable Media` with `Reason: {_CAUSE_47}` goes all the way back to Webex, and its origin is "
        "CUCM: its Server or User-Agent says so, and Expressway-C received it.",
        wireshark="sip.Status-Code == 488",
        cure=_CURE,
        act=call_in,
        broken=_dial(_TOO_LITTLE, _DELAYED),
        fixed=_dial(_ENOUGH, _DELAYED),
        failure={
            **{**_BY_WEBEX, ANSWER: _NOT_ACCEPTABLE, FROM_CUCM: _NOT_ACCEPTABLE, AUDIO: NOTHING},
            ENDING: f"{_NOT_ACCEPTABLE}, Reason: {_CAUSE_47}",
        },
        success={**_GOOD, FROM_CUCM: "200 OK", ENDING: NOTHING},
        log=("Code=488, Method=INVITE", f"Reason: {_CAUSE_47}"),
        asks={
            CUCM: f"{_OF_CUCM}: with 488, whatever its reason phrase",
            WEBEX: f"{_OF_WEBEX}. Its INVITE has the offer",
        },
    ),
)
"""The one whose log the guide shows comes first."""
