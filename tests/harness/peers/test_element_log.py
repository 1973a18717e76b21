"""The log of an element."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from harness.expressway.log.diagnostic import DiagnosticLog
from harness.peers.element_log import ElementLog
from harness.sip.flow import Target
from tests.edge.sockets import free_port_pair
from tests.harness.peers.sparring import HOST, Opponent
from tests.harness.peers.turning import Turned


def test_what_it_tells(turned: Turned) -> None:
    """Connections with who made them first, messages with both ends, failures, and how connections end."""
    one, other, sink = Opponent.make(turned), Opponent.make(turned), io.StringIO()
    log = ElementLog(DiagnosticLog(sink, "expc", lambda: datetime.now(UTC)))
    one.agent.element.transport.taps.append(log)
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", *other.at)]))
    (here,) = one.agent.element.transport.connections
    nobody = free_port_pair(HOST)
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", HOST, nobody)]))
    other.close(turned)
    turned.until("the end", lambda: "Closed" in sink.getvalue())
    said = sink.getvalue()
    ends = f'Src-ip="{here.local[0]}" Src-port="{here.local[1]}" Dst-ip="{other.at[0]}" Dst-port="{other.at[1]}"'
    for detail in ("TCP Connecting", "TCP Connection Established", "TCP Connection Closed"):
        assert f'{ends} Detail="{detail}"' in said
    assert 'Reason="Got EOF on socket"' in said
    assert f'Dst-ip="{HOST}" Dst-port="{nobody}" Detail="TCP Connection Failed"' in said
    assert 'Detail="Sending Request Method=OPTIONS' in said
    assert 'Detail="Receive Response Code=200, Method=OPTIONS' in said
    one.close(turned)


def test_who_is_connected_to(turned: Turned) -> None:
    """Names the other one first, who made the connection."""
    one, other, sink = Opponent.make(turned), Opponent.make(turned), io.StringIO()
    log = ElementLog(DiagnosticLog(sink, "expe", lambda: datetime.now(UTC)))
    other.agent.element.transport.taps.append(log)
    turned.result(one.agent.ask("OPTIONS", "sip:a@example.com", where=[Target("TCP", *other.at)]))
    assert f'Dst-port="{other.at[1]}" Detail="TCP Connection Established"' in sink.getvalue()
    one.close(turned)
    other.close(turned)
