"""No common codec in hybrid calls (seed 003, both directions, problem 1), in the three places where it shows."""

from __future__ import annotations

from functools import partial
from typing import Final

from harness.peers.cucm_settings import RECOMMENDED_SIZE, CucmSettings, EarlyOffer, Region
from harness.scenarios.hybrid.play import (
    A_PORT,
    ACK,
    ANSWER,
    AUDIO,
    BYE,
    CUCM_PART,
    ENDING,
    FROM_CUCM,
    NOTHING,
    TOPOLOGY,
    WEBEX_PART,
    Setting,
    perform,
)
from harness.scenarios.scenario import Scenario, fact

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


def _forms(early_offer: EarlyOffer, inbound: bool = False) -> dict[bool, Setting]:
    """By whether the region is the right one."""

    def form(region: Region) -> Setting:
        cucm = CucmSettings(sip_max_incoming_message_size=RECOMMENDED_SIZE, region=region, early_offer=early_offer)
        return Setting(cucm, inbound=inbound)

    return {False: form(Region(8)), True: form(Region(256))}


_WORKS: Final = (fact(ANSWER, "200 OK"), fact(AUDIO, A_PORT), fact(ACK, "arrives"), fact(BYE, "200 OK"))

SCENARIOS: Final = (
    Scenario(
        name="no-common-codec-early-offer",
        title="CUCM offers G.729 alone, and Webex answers with audio port 0",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} The INVITE offers G.729, the 200 refuses the audio stream and takes the video. CUCM "
        "acknowledges it and hangs up at once.",
        look="In the log of the Expressway-E: `m=audio 0 RTP/SAVP *` in the 200 from Webex, then ACK, then BYE whose "
        f"User-Agent is Cisco-CUCM, with `Reason: {_CAUSE_47}`.",
        wireshark=_BYE_FILTER,
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.BEST_EFFORT)),
        failure=(
            fact(ANSWER, "200 OK"),
            fact(AUDIO, "0 RTP/SAVP *"),
            fact(ACK, "arrives"),
            fact(ENDING, _BYE_47),
        ),
        success=(*_WORKS, fact(ENDING, "BYE")),
        log=("m=audio 0 RTP/SAVP *", f"Reason: {_CAUSE_47}"),
        label="B1",
        parts=(WEBEX_PART,),
    ),
    Scenario(
        name="no-common-codec-delayed-offer",
        title="Webex offers its codecs in its 200, and CUCM, which may use G.729 alone, hangs up",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} The INVITE has no session description, the 200 has Webex's offer. The ACK refuses its "
        "audio, and a BYE follows.",
        look="The 200 from Webex has all its audio codecs; the ACK has `m=audio 0`, and right behind it comes BYE with "
        f"`Reason: {_CAUSE_47}`. Nothing that Webex has sent is wrong.",
        wireshark=_BYE_FILTER,
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.DISABLED)),
        failure=(
            fact(ANSWER, "200 OK"),
            fact(AUDIO, "0 RTP/SAVP 107"),
            fact(ACK, "arrives"),
            fact(ENDING, _BYE_47),
        ),
        success=(*_WORKS, fact(ENDING, "BYE")),
        log=(f"Reason: {_CAUSE_47}",),
        label="B1-delayed",
    ),
    Scenario(
        name="no-common-codec-inbound",
        title="Webex calls, and CUCM, which may use G.729 alone, refuses its offer",
        source=_SOURCE,
        topology=TOPOLOGY,
        happens=f"{_CAUSE} CUCM answers the INVITE from Webex with 488. No phone rings.",
        look=f"`488 Not Acceptable Media` with `Reason: {_CAUSE_47}` goes all the way back to Webex, and its origin is "
        "CUCM: its Server or User-Agent says so, and Expressway-C received it.",
        wireshark="sip.Status-Code == 488",
        cure=_CURE,
        observe=partial(perform, _forms(EarlyOffer.DISABLED, inbound=True)),
        failure=(
            fact(ANSWER, "488 Not Acceptable Media"),
            fact(FROM_CUCM, "488 Not Acceptable Media"),
            fact(ENDING, f"488 Not Acceptable Media, Reason: {_CAUSE_47}"),
            fact(AUDIO, NOTHING),
        ),
        success=(*_WORKS, fact(FROM_CUCM, "200 OK"), fact(ENDING, NOTHING)),
        log=("Code=488, Method=INVITE", f"Reason: {_CAUSE_47}"),
        label="B1-inbound",
        parts=(CUCM_PART,),
    ),
)
"""The one whose log the guide shows first, with the guide's label alone."""
