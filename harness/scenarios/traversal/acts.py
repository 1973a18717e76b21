"""What happens in a scenario of calls between Webex and on-premises, and the facts that come of it.

Strategy: an act places a call from one end to the other, has it answered, acknowledged and hung up, and tells what each
end saw. The same act is performed with the fault and with the cure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from harness.peers.cucm import Cucm
from harness.peers.webex import CALL_TYPE, Webex
from harness.scenarios.scenario import Observation
from harness.scenarios.stage import Stage
from harness.scenarios.traversal import ground
from harness.scenarios.traversal.cast import CUCM, WEBEX, Cast
from harness.scenarios.traversal.connectivity import NO_CONNECTION, SYN, check_connectivity
from harness.scenarios.traversal.endpoints import Endpoint
from harness.scenarios.traversal.ground import Dial
from harness.sip.call import Call
from harness.sip.call_states import CallState
from harness.sip.message import Message, Response
from harness.sip.resolve import Resolver

ANSWER: Final = "answer to INVITE"
WARNING: Final = "Warning in the answer"
ACK: Final = "ACK at the callee"
BYE: Final = "answer to the caller's BYE"
FORWARDED: Final = "forwarded by both Expressways"
AT_EXPC, AT_CUCM, AT_WEBEX = "INVITE at Expressway-C", "INVITE at CUCM", "INVITE at Webex"
CONNECTIONS: Final = "connections from Webex at Expressway-E"
PARAMETER_IN: Final = "call-type at Expressway-E"
PARAMETER_BETWEEN: Final = "call-type between the Expressways"
PARAMETER_OUT: Final = "call-type at CUCM"
TOASTS: Final = "notifications in the callee's app"
TRIED: Final = "SYN that was repeated and never answered"
ARRIVES, NEVER, NONE = "arrives", "never arrives", "none"
_PATIENCE: Final = 8.0
"""Seconds for the answer to an INVITE: several addresses may have to be tried."""
_LAG: Final = 6.0
"""Seconds for what follows an answer at once."""

Act = Callable[[Cast], Awaitable[None]]
AnyEndpoint = Endpoint[Webex] | Endpoint[Cucm]


async def perform(forms: Mapping[bool, Dial], act: Act, stage: Stage, fixed: bool) -> Observation:
    """An act from start to end, in one of its forms."""
    cast = Cast(stage, forms[fixed])
    try:
        await cast.open()
        await act(cast)
    finally:
        await cast.close()
    strangers = tuple(name for name, peer in ((WEBEX, cast.webex), (CUCM, cast.cucm)) if peer is None)
    return Observation(dict(cast.facts), cast.logs, strangers)


async def call_in(cast: Cast) -> None:
    """Webex calls a phone: the Route names the cluster, the Request-URI the phone."""
    webex, facts = cast.webex, cast.facts
    assert webex is not None, "Webex calls"
    resolver = Resolver(cast.questions, "TLS", ("TLS",))
    report = await check_connectivity(webex.peer, resolver, ground.SIP_DESTINATION, cast.repeats)
    facts |= report.results
    facts[ANSWER] = "no INVITE is sent"
    if report.targets and report.results[SYN] != "answered":
        facts[ANSWER] = NO_CONNECTION
    elif report.targets:
        routes = [f"<sip:{ground.CLUSTER};lr>"]
        call = webex.peer.call(f"sip:{ground.BOB}", report.targets, routes)
        await _through(cast, webex, call, cast.cucm)
    facts[AT_EXPC] = ARRIVES if cast.at_expc.requests("INVITE", sent=False) else NEVER
    facts[AT_CUCM] = ARRIVES if cast.at_expc.requests("INVITE", sent=True) else NEVER
    facts[CONNECTIONS] = "some" if ground.MTLS in cast.at_expe.accepted else NONE


async def call_out(cast: Cast) -> None:
    """A phone calls Webex: CUCM sends the call to Expressway-C."""
    assert cast.cucm is not None, "CUCM calls"
    call = cast.cucm.peer.call(f"sip:{ground.ALICE}", [cast.trunk])
    await _through(cast, cast.cucm, call, cast.webex)
    cast.facts[AT_WEBEX] = ARRIVES if cast.at_expe.requests("INVITE", sent=True) else NEVER
    cast.facts[TRIED] = ", ".join(cast.unanswered) or NONE


async def call_in_with_fork(cast: Cast) -> None:
    """As `call_in`; CUCM rings the phone, and the app through Webex, which is to know the call as its own."""
    toasts = [1]
    webex, cucm = cast.webex, cast.cucm
    assert webex is not None, "Webex calls"

    def notify(call: Call) -> None:
        """Of the fork: one notification more, unless Webex knows the call."""
        if _squared(call.request):
            call.reject(603)
        else:
            toasts[0] += 1
            call.ring()

    def fork(call: Call) -> None:
        """The phone rings, and the remote destination of the same user."""
        assert cucm is not None, "answers"
        call.ring()
        host, port = cast.ground.cucm
        parameter = f";{'='.join(CALL_TYPE)}" if _squared(call.request) else ""
        contact = ("Contact", f"<sip:bob@{host}:{port};transport=tcp>{parameter}")
        second = cucm.agent.call(f"sip:{ground.BOB_AT_WEBEX}", where=[cast.trunk], fields=[contact])
        cast.later(pick_up(second, call))

    async def pick_up(second: Call, first: Call) -> None:
        """The phone is picked up once the app has rung, or has not."""
        await cast.until(lambda: second.state is not CallState.CALLING, _PATIENCE)
        second.hang_up()
        first.answer()

    webex.agent.on_call = notify
    if cucm is not None:
        cucm.agent.on_call = fork
    await call_in(cast)
    facts = cast.facts
    facts[PARAMETER_IN] = _parameters(cast.at_expe.requests("INVITE", sent=False)[:1])
    facts[PARAMETER_BETWEEN] = _parameters(cast.at_expe.requests("INVITE", sent=True)[:1])
    facts[PARAMETER_OUT] = _parameters(cast.at_expc.requests("INVITE", sent=True)[:1])
    facts[TOASTS] = str(toasts[0])


async def _through(cast: Cast, caller: AnyEndpoint, call: Call, callee: AnyEndpoint | None) -> None:
    """From the answer to the end; what happens in the dialog goes by its route set."""
    facts = cast.facts
    call.where = None
    await cast.until(lambda: call.established.called, _PATIENCE)
    final = next((each for each in call.responses if not each.provisional), None)
    if final is None:
        facts[ANSWER] = call.result.detail if call.result is not None else "no answer"
        return
    facts[ANSWER] = f"{final.status} {final.reason}"
    facts[WARNING] = _warning(final)
    if not final.success:
        return
    if callee is not None:
        acknowledged = await cast.until(lambda: any(each.acknowledged for each in callee.agent.calls), _LAG)
        facts[ACK] = ARRIVES if acknowledged else NEVER
    call.hang_up()
    await cast.until(lambda: call.ended.called, _LAG)
    answers = caller.messages.responses("BYE", sent=False)
    facts[BYE] = f"{answers[-1].status} {answers[-1].reason}" if answers else "no answer"
    facts[FORWARDED] = ", ".join(
        method
        for method in ("INVITE", "ACK", "BYE")
        if all(each.requests(method, sent=True) for each in (cast.at_expe, cast.at_expc))
    )


def _warning(response: Response) -> str:
    """Its text alone, since the address differs from one network to the next."""
    value = response.first("Warning")
    return NONE if value is None else value.partition('"')[2].rpartition('"')[0]


def _squared(message: Message) -> bool:
    contact = message.contact
    return contact is not None and contact.params.get(CALL_TYPE[0]) == CALL_TYPE[1]


def _parameters(messages: Sequence[Message]) -> str:
    """Of the Contact of the first message."""
    if not messages:
        return "no INVITE"
    return "squared" if _squared(messages[0]) else "gone"
