"""A SIP element's machinery, on which the peers are built.

From the bottom up; everything but the first line is fed bytes, messages and time by its caller:

- `transport` (`connection`, `udp`, `security`, `stream`): sockets. `Transport.listen`, `flow_to`, `taps`.
- `message`, `uri`, `via`, `sdp`: values that print as they were written. `parse(data)`, `Request.make(...)`,
  `Response.to_request(...)`; `first`, `values`, `put`, `push`, `pop`, `drop`, `with_body`. They raise SipSyntaxError
  and nothing else.
- `client`, `server`, `transactions`, `timers`: RFC 3261 17. `Timers.scaled(0.05)` for fast runs.
- `element`: `Element(reactor, ElementSettings(...))` joins them. `send(request, where, on_response, on_failed)`; its
  `core` decides about what comes (`Core.request_came`, `Core.ack_came`).
- `dialog`, `routing`, `digest`, `offer_answer`, `capabilities`: RFC 3261 12, RFC 7616, RFC 3264.
- `agent` (`exchange`, `call`, `registration`): a user agent, which is a core. `call`, `ask`, `register`, `on_call`,
  `handlers`.
- `proxying`: a stateful proxy, which is a core. Where a request goes is a function.
- `resolve`, `dns`: RFC 3263, and a name server to ask.

Conventions: `where` is a flow, or targets that are tried in turn, or None for where the message itself says. Expected
trouble is a value (`NoResponse`, `Ended`, `FlowFailed` in an errback of `flow_to` alone). Whoever wants to hear every
message, connection and malformed byte adds a `flow.Tap` to `element.transport.taps`.

A caller and a callee in one process:

    bob = Element(reactor)
    where = bob.transport.listen("TCP", ("127.0.0.1", 0))
    bob.core = Agent(bob, AgentSettings("sip:bob@example.com", audio_phone("127.0.0.1")))
    alice = Element(reactor)
    alice.core = agent = Agent(alice, AgentSettings("sip:alice@example.com", audio_phone("127.0.0.1")))
    call = agent.call("sip:bob@example.com", where=[Target("TCP", *where)])
    await call.established  # True
    call.hang_up()
    await call.ended  # Ended(End.HUNG_UP)
"""

from harness.sip.agent import Agent, AgentSettings, AnswerPolicy
from harness.sip.call import Call
from harness.sip.call_states import CallState, End, Ended
from harness.sip.capabilities import audio_phone, video_endpoint
from harness.sip.dns import NameServer, Zone
from harness.sip.element import Element, ElementSettings
from harness.sip.flow import Flow, FlowFailed, Loss, Tap, Target
from harness.sip.message import Request, Response
from harness.sip.proxying import Branch, Proxy, ProxySettings, Refuse
from harness.sip.resolve import Dns, Resolver, Service, locate_literal
from harness.sip.timers import Timers
from harness.sip.transport import TransportSettings

__all__ = [
    "Agent",
    "AgentSettings",
    "AnswerPolicy",
    "Branch",
    "Call",
    "CallState",
    "Dns",
    "Element",
    "ElementSettings",
    "End",
    "Ended",
    "Flow",
    "FlowFailed",
    "Loss",
    "NameServer",
    "Proxy",
    "ProxySettings",
    "Refuse",
    "Request",
    "Resolver",
    "Response",
    "Service",
    "Tap",
    "Target",
    "Timers",
    "TransportSettings",
    "Zone",
    "audio_phone",
    "locate_literal",
    "video_endpoint",
]
