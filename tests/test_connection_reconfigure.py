"""A new configuration for a standing connection: each direction takes it up at its next message boundary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import AlgConfig, Limits, NatConfig, parse_address
from alg.connection import Alg
from tests.helpers.feed import IN, OUT, UNMAPPED, Listener, alg_for, config_for, one_by_one, with_settings
from tests.helpers.reference import rewrite
from tests.helpers.strategies import MapList, cuts, map_lists, sip_messages
from tests.helpers.vector import STATIC

REQUEST = b"OPTIONS sip:10.0.30.2 SIP/2.0\r\nl: 0\r\n\r\n"
OLD_OUT = b"OPTIONS sip:64.100.0.10 SIP/2.0\r\nl: 0\r\n\r\n"
NEW_OUT = b"OPTIONS sip:198.51.100.7 SIP/2.0\r\nl: 0\r\n\r\n"
NEW = (("10.0.30.2", "198.51.100.7"),)


@pytest.mark.parametrize("place", range(len(REQUEST) + 1))
def test_new_maps_hold_from_the_next_message(place: int) -> None:
    """A message under way keeps the old mapping; the one after it, in the same segment, has the new one."""
    alg = alg_for(STATIC)
    connection = alg.connection()
    out = connection.feed(OUT, REQUEST + REQUEST[:place])
    alg.reconfigure(config_for(NEW))
    out += connection.feed(OUT, REQUEST[place:] + REQUEST + REQUEST)
    under_way = OLD_OUT if place else NEW_OUT
    assert out == OLD_OUT + under_way + NEW_OUT + NEW_OUT


def test_each_direction_has_its_own_boundary() -> None:
    """A message under way one way does not keep the other way from the new configuration."""
    alg = alg_for(STATIC)
    connection = alg.connection()
    connection.feed(OUT, REQUEST[:9])
    alg.reconfigure(config_for(NEW))
    assert connection.feed(IN, NEW_OUT + OLD_OUT) == REQUEST + OLD_OUT
    assert connection.feed(OUT, REQUEST[9:]) == OLD_OUT


@given(sip_messages(), st.lists(sip_messages(), max_size=2), map_lists(), map_lists(), st.data())
def test_any_message_under_way_keeps_its_configuration(
    first: bytes, others: list[bytes], old: MapList, new: MapList, data: st.DataObject
) -> None:
    """Wherever in a message the new maps come, it leaves by the old ones and all that follow by the new."""
    rest = b"".join(others)
    place = data.draw(st.integers(1, len(first) - 1))
    for pieces in ([first[place:] + rest], data.draw(cuts(first[place:] + rest))):
        alg = alg_for(old)
        connection = alg.connection()
        out = connection.feed(OUT, first[:place])
        alg.reconfigure(config_for(new))
        out += b"".join(connection.feed(OUT, piece) for piece in pieces) + connection.close(OUT)
        assert out == rewrite(first, old, "out") + rewrite(rest, new, "out")


@pytest.mark.parametrize("rest", [b"", REQUEST, REQUEST[:10], REQUEST + REQUEST[:-1], b"\r\n\r\n" + REQUEST[:10]])
@pytest.mark.parametrize("place", [1, 20, len(REQUEST) - 1])
def test_l4f_off_in_mid_message(place: int, rest: bytes) -> None:
    """The message under way is still rewritten; all that follows it in the same segment passes at once, untouched."""
    alg = alg_for(STATIC)
    connection = alg.connection()
    out = connection.feed(OUT, REQUEST[:place])
    alg.reconfigure(with_settings(alg, l4f=False))
    assert out + connection.feed(OUT, REQUEST[place:] + rest) == OLD_OUT + rest
    assert connection.held(OUT) == 0
    assert connection.feed(OUT, REQUEST) == REQUEST
    assert connection.close(OUT) == b""


FIVE = b"\r\n\r\n".join(
    [REQUEST, b"MESSAGE sip:a@example.com SIP/2.0\r\nl: 9\r\n\r\n\r\n\r\nSIP/2", REQUEST, REQUEST, b"\x00" + REQUEST]
)


@given(cuts(FIVE), st.lists(st.booleans(), min_size=20, max_size=20))
def test_switching_l4f_loses_nothing(pieces: list[bytes], states: list[bool]) -> None:
    """Off and on again, wherever the stream stands: no byte is lost, doubled or changed where nothing is mapped."""
    alg = alg_for(UNMAPPED)
    connection = alg.connection()
    out = b""
    for piece, state in zip(pieces, states, strict=False):
        out += connection.feed(OUT, piece)
        alg.reconfigure(with_settings(alg, l4f=state))
    assert out + connection.close(OUT) == FIVE


FOLDED_TO = b"INVITE sip:a@example.com SIP/2.0\r\nTo:\r\n <sip:10.0.30.2>\r\nContact: <sip:10.0.30.2>\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [REQUEST[:9], REQUEST[9:]],
        [REQUEST[:9], REQUEST[9:] + REQUEST],
        [FOLDED_TO[:34], FOLDED_TO[34:]],
        [FOLDED_TO[:40], FOLDED_TO[40:]],
        [b"OPTIONS sip:a SIP/2.0\r\nl: 41\r\n\r\n", b"c=IN IP4 10.0.30.2\r\n\r\n" + REQUEST],
        one_by_one(REQUEST + REQUEST),
    ],
)
def test_l4f_on_in_mid_stream_touches_nothing_in_doubt(pieces: list[bytes]) -> None:
    """Switched on inside a message, the ALG leaves the rest of it alone, and whatever shares a segment with it."""
    alg = alg_for(STATIC, l4f=False)
    connection = alg.connection()
    assert connection.feed(OUT, pieces[0]) == pieces[0]
    alg.reconfigure(with_settings(alg, l4f=True))
    for piece in pieces[1:]:
        assert connection.feed(OUT, piece) == piece


def test_l4f_on_in_mid_stream_finds_the_next_message() -> None:
    """A segment that begins with a whole header block is a boundary; from there on messages are rewritten again."""
    alg = alg_for(STATIC, l4f=False)
    connection = alg.connection()
    assert connection.feed(OUT, REQUEST + REQUEST[:9]) == REQUEST + REQUEST[:9]
    alg.reconfigure(with_settings(alg, l4f=True))
    assert connection.feed(OUT, REQUEST[9:]) == REQUEST[9:]
    assert connection.feed(OUT, b"\r\n\r\n" + REQUEST + REQUEST[:9]) == b"\r\n\r\n" + OLD_OUT
    assert connection.feed(OUT, REQUEST[9:]) == OLD_OUT


def test_l4f_off_and_on_ends_a_fallback() -> None:
    """A direction that fell back to passing bytes gets a second chance when the ALG is switched off and on."""
    alg = alg_for(STATIC)
    connection = alg.connection()
    assert connection.feed(OUT, b"\x00" + REQUEST) == b"\x00" + REQUEST
    alg.reconfigure(with_settings(alg, l4f=False))
    assert connection.feed(OUT, REQUEST) == REQUEST
    alg.reconfigure(with_settings(alg, l4f=True))
    assert connection.feed(OUT, REQUEST) == OLD_OUT


def test_a_port_that_becomes_a_sip_port() -> None:
    """`ip nat service sip tcp port 8000` takes hold of standing connections, and so does its removal."""
    alg = alg_for(STATIC)
    connection = alg.connection(frozenset({8000, 40000}))
    assert connection.feed(OUT, REQUEST) == REQUEST
    alg.reconfigure(with_settings(alg, sip_ports=frozenset({5060, 8000})))
    assert connection.feed(OUT, REQUEST) == OLD_OUT
    alg.reconfigure(with_settings(alg, sip_ports=frozenset({5060})))
    assert connection.feed(OUT, REQUEST) == REQUEST


def test_new_limits_hold_from_the_next_message() -> None:
    """A stricter limit does not hit the message under way."""
    alg = alg_for(STATIC)
    connection = alg.connection(sink=(listener := Listener()))
    connection.feed(OUT, REQUEST[:9])
    alg.reconfigure(with_settings(alg, limits=Limits(max_header_bytes=12)))
    assert connection.feed(OUT, REQUEST[9:]) == OLD_OUT
    assert connection.feed(OUT, REQUEST) == REQUEST
    assert listener.noted()[-1][2] == "header block exceeds max_header_bytes 12 (offset 12)"


def test_bindings_outlive_a_new_configuration() -> None:
    """A call goes on over the ports it got, although maps were added meanwhile."""
    pool = (parse_address("64.100.0.10", "pool"),)
    alg = Alg(AlgConfig(nat=NatConfig(pool=pool)))
    connection = alg.connection()
    connection.feed(OUT, b"OPTIONS sip:10.0.30.9:5070 SIP/2.0\r\n\r\n")
    before = connection.feed(OUT, b"OPTIONS sip:10.0.30.2:5070 SIP/2.0\r\n\r\n")
    assert before == b"OPTIONS sip:64.100.0.10:5072 SIP/2.0\r\n\r\n"
    maps = config_for((("10.0.30.7", "64.100.0.77"),)).nat.maps
    alg.reconfigure(with_settings(alg, nat=NatConfig(pool=pool, maps=maps)))
    assert connection.feed(OUT, b"OPTIONS sip:10.0.30.2:5070 SIP/2.0\r\n\r\n") == before
    assert connection.feed(IN, before) == b"OPTIONS sip:10.0.30.2:5070 SIP/2.0\r\n\r\n"
