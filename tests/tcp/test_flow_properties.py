"""Whatever the network does, the receiver gets the rewritten stream: the flow between two endpoints that are not ours.

Both directions at once; loss, duplication, reordering and segments cut anew at every retransmission; sequence numbers
around the wrap; slow readers and small windows; with and without SACK, timestamps and window scaling. The endpoints
assert that no number ever stands for two different bytes and that nothing is acknowledged that was not sent.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg, AlgConnection
from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.stream import FlowLimits, StreamRewriter
from tests.tcp.endpoint import Habits
from tests.tcp.network import Network, Weather
from tests.tcp.rewriter import LineRewriter, rewritten

DETERMINISTIC = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
HOLD_WINDOW = 3000

messages = st.builds(
    lambda kind, length: kind + b"x" * length + b"\n",
    st.sampled_from([b"g", b"G", b"s", b"t", b"p"]),
    st.integers(0, 800),
)
streams = st.builds(
    lambda lines, tail: b"".join(lines) + tail, st.lists(messages, max_size=9), st.sampled_from([b"", b"gx"])
)
habits = st.builds(
    Habits,
    isn=st.one_of(st.integers(2**32 - 3000, 2**32 - 1), st.integers(2**31 - 3000, 2**31), st.integers(0, 2**32 - 1)),
    mss=st.sampled_from([40, 100, 536, 1460]),
    scale=st.sampled_from([None, 0, 2, 7]),
    sack=st.booleans(),
    stamps=st.booleans(),
    buffer=st.sampled_from([300, 1000, 4000, 60000]),
    lazy=st.sampled_from([0.0, 0.5, 1.0]),
    whole=st.booleans(),
)
weathers = st.builds(
    Weather,
    loss=st.sampled_from([0.0, 0.1, 0.3]),
    doubling=st.sampled_from([0.0, 0.2]),
    jitter=st.sampled_from([0.0, 0.03, 0.3]),
)
seeds = st.integers(0, 2**16)


def deliver(
    rewriter: StreamRewriter, data: tuple[bytes, bytes], ends: tuple[Habits, Habits], weather: Weather, seed: int
) -> tuple[Network, tuple[bytes, bytes]]:
    """Run a connection to its end; what the outside and the inside received."""
    network = Network(TcpFlow(rewriter, FlowLimits(hold_window=HOLD_WINDOW)), data, ends, weather, seed)
    network.run()
    return network, (bytes(network.ends[1].received), bytes(network.ends[0].received))


@settings(DETERMINISTIC)
@given(st.tuples(streams, streams), st.tuples(habits, habits), weathers, seeds)
def test_the_receiver_gets_the_rewritten_stream(
    data: tuple[bytes, bytes], ends: tuple[Habits, Habits], weather: Weather, seed: int
) -> None:
    """All of it, once, in order, up to the FIN; and the flow keeps no more than messages and windows."""
    network, received = deliver(LineRewriter(), data, ends, weather, seed)
    assert received == (rewritten(data[0]), rewritten(data[1]))
    assert network.flow.finished or weather.loss
    longest = max(len(line) for stream in data for line in (*stream.split(b"\n"), *rewritten(stream).split(b"\n"))) + 1
    window = max(end.buffer for end in ends)
    assert network.most_buffered <= window + 2 * (longest + HOLD_WINDOW + 800)


def alg_connection() -> AlgConnection:
    """The real one, with a static mapping; outward messages grow by 2 bytes an address, inward they shrink."""
    config = AlgConfig(nat=NatConfig(maps=(AddressMap.parse("10.0.30.2=64.100.0.10"),)))
    return Alg(config).connection(keep_deltas=True)


def sip_message(address: bytes, number: int, vias: int, padding: int) -> bytes:
    """An INVITE with a body, from an address."""
    body = b"v=0\r\no=- 1 1 IN IP4 %s\r\ns=%s\r\nc=IN IP4 %s\r\nt=0 0\r\n" % (address, b"s" * padding, address)
    via = b"Via: SIP/2.0/TCP %s:5060;branch=z9hG4bK%d\r\n" % (address, number)
    head = b"INVITE sip:bob@example.com SIP/2.0\r\n%sContact: <sip:a@%s>\r\nCall-ID: %d\r\nContent-Length: %d\r\n\r\n"
    return head % (via * vias, address, number, len(body)) + body


def sip_streams(address: bytes) -> st.SearchStrategy[bytes]:
    """Messages, keep-alives, and perhaps an end in the middle of one."""
    message = st.builds(sip_message, st.just(address), st.integers(1, 99), st.integers(1, 12), st.integers(0, 900))
    pieces = st.lists(st.one_of(message, st.sampled_from([b"\r\n\r\n", b"\r\n"])), max_size=6)
    return st.builds(
        lambda parts, tail: b"".join(parts) + tail, pieces, st.sampled_from([b"", b"BYE sip:10.0.30.2 SI"])
    )


@settings(DETERMINISTIC)
@given(st.tuples(sip_streams(b"10.0.30.2"), sip_streams(b"64.100.0.10")), st.tuples(habits, habits), weathers, seeds)
def test_packets_and_streams_leave_the_alg_alike(
    data: tuple[bytes, bytes], ends: tuple[Habits, Habits], weather: Weather, seed: int
) -> None:
    """The real ALG between packets gives what it gives as a proxy that reads the whole stream at once."""
    _, received = deliver(alg_connection(), data, ends, weather, seed)
    proxy = alg_connection()
    for direction in Direction:
        expected = proxy.feed(direction, data[direction], now=0.0) + proxy.close(direction)
        assert received[direction] == expected


@settings(DETERMINISTIC)
@given(st.binary(max_size=3000), st.tuples(habits, habits), st.booleans())
def test_what_is_not_held_costs_no_time(text: bytes, ends: tuple[Habits, Habits], lines: bool) -> None:
    """Without loss nothing waits for a timer: a round trip is 40 ms, the shortest timeout 300 ms."""
    for end in ends:
        end.lazy, end.buffer, end.mss, end.whole = 0.0, 60000, 1460, True
    data = b"\n".join(b"g" + piece for piece in text.split(b"\n")) if lines else text
    network, received = deliver(LineRewriter(), (data, data), ends, Weather(), 0)
    assert received == (rewritten(data), rewritten(data))
    assert network.now < 0.5
