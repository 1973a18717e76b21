"""Header blocks: which hits become edits, whatever was remembered of messages before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.direction import Direction
from alg.nat.table import NatTable
from alg.profiles import COMPLETE
from alg.rewrite import Edit, apply_edits
from alg.sip.headers import HeaderTranslator
from tests.helpers.feed import DIRECTIONS, IN, OUT, config_for
from tests.helpers.reference import rewrite
from tests.helpers.strategies import MapList, directions, map_lists
from tests.helpers.strategies_header import header_fields, start_lines
from tests.helpers.vector import APPARENT, SIGNALLING, STATIC, in_request


class Block:
    """A translator with its table, as one ALG has it."""

    def __init__(self, pairs: MapList | tuple[tuple[str, str], ...], rules: frozenset[str] = COMPLETE.headers) -> None:
        self.table = NatTable(config_for(pairs).nat)
        self.translator = HeaderTranslator(self.table, rules)

    def edits(self, message: bytes, direction: Direction = OUT) -> list[Edit]:
        """The edits of the message's header block in order."""
        body = message.index(b"\r\n\r\n") + 4
        return sorted(self.translator.edits(message, self.table.find[direction](message), body, direction))

    def rewritten(self, message: bytes, direction: Direction = OUT) -> bytes:
        """The message after them."""
        return apply_edits(message, self.edits(message, direction))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A header block without a body."""
    fields = draw(st.lists(header_fields, min_size=1, max_size=4))
    return draw(start_lines) + b"".join(fields) + b"\r\n"


@given(st.lists(st.tuples(requests(), directions()), min_size=1, max_size=4), map_lists())
def test_what_is_remembered_is_never_wrong(messages: list[tuple[bytes, str]], maps: MapList) -> None:
    """Any sequence of messages, both ways and twice over, is rewritten as each of them alone by the judge."""
    shared = Block(maps)
    for message, direction in messages * 2:
        assert shared.rewritten(message, DIRECTIONS[direction]) == rewrite(message, maps, direction)


REMEMBERED = b"Contact: <sip:ann@10.0.30.2:5060;transport=tcp>"


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (b"Contact: <sip:ann@10.0.30.2:5060;transport=tcp", False),
        (b"Contact: <sip:ann@10.0.30.2:50600;x>", True),
        (b"Contact: <sip:ann@10.0.30.2:506000;x>", False),
        (b"Contact: <sip:ann@10.0.30.2:5060x>", False),
        (b"Contact: <sip:ann@10.0.30.2>", True),
        (b"Contact: <sip:ann@10.0.30.21>", False),
        (b"Contact: <sip:ann@10.0.30.2.example.com>", False),
        (b"Contact: <sip:10.0.30.2;a@example.com>", False),
        (b"Contact: <sip:10.0.30.2;a=b;c=d;e=f>", True),
        (b"Contact: sip:ann@10.0.30.2", True),
        (b"Contact: sip:ann@10.0.30.2<", False),
        (b"Contact: sip:ann@10.0.30.2>", False),
        (b"Contact: <sip:ann@10.0.30.2", False),
        (b"Contact: <sip:ann@10.0.30.2 x>", True),
        (b"Contact-X: <sip:ann@10.0.30.2>", False),
        (b"X: y\r\n Contact: <sip:ann@10.0.30.2>", False),
        (b'Contact: "\r\n <sip:ann@10.0.30.2>"', False),
        (b"Contact:\r\n <sip:ann@10.0.30.2>", True),
        (b"Contact: <sip:ann\r\n @10.0.30.2>", False),
    ],
)
def test_near_misses_of_what_is_remembered(line: bytes, changed: bool) -> None:
    """A line that begins like one met before is judged by its own end, before it and after it."""
    block = Block(STATIC)
    for message in (
        in_request(line),
        in_request(REMEMBERED),
        in_request(line),
        in_request(REMEMBERED + b", " + line[9:]),
    ):
        block.edits(message)
    assert bool(block.edits(in_request(line))) is changed
    assert bool(Block(STATIC).edits(in_request(line))) is changed


@pytest.mark.parametrize("fold", [b"\r\n <sip:10.0.30.2>", b"\r\n\t<sip:10.0.30.2>;x"])
def test_folded_line_belongs_to_its_field(fold: bytes) -> None:
    """The same folded line is a host under Contact and none under Subject, whichever came first."""
    for names in ((b"Contact:", b"Subject:"), (b"Subject:", b"Contact:"), (b'Contact: "', b"Contact:")):
        block = Block(STATIC)
        for name in names * 2:
            assert bool(block.edits(in_request(name + fold))) is (name == b"Contact:")


def test_both_directions_are_remembered_apart() -> None:
    """An address that is inside one way may be nobody the other way."""
    block = Block(STATIC)
    message = in_request(REMEMBERED)
    assert block.edits(message)
    assert block.edits(message, IN) == []
    assert block.edits(message)


def test_request_line_is_not_a_header_line() -> None:
    """A request line is not confused with a header field that reads alike."""
    block = Block(STATIC)
    assert block.rewritten(b"To: <sip:10.0.30.2> SIP/2.0\r\n\r\n") == b"To: <sip:10.0.30.2> SIP/2.0\r\n\r\n"
    assert block.edits(b"OPTIONS x SIP/2.0\r\nTo: <sip:10.0.30.2> SIP/2.0\r\n\r\n") != []
    assert block.edits(b"OPTIONS x SIP/2.0\r\nOPTIONS sip:10.0.30.2 SIP/2.0\r\n\r\n") == []


def test_memory_is_bounded() -> None:
    """Ten thousand callers with names of their own do not fill the memory, and all are rewritten."""
    block = Block(STATIC)
    for number in range(10_000):
        message = b"BYE sip:a SIP/2.0\r\nTo: <sip:%d@10.0.30.2>\r\n\r\n" % number
        assert len(block.edits(message)) == 1
    assert max(len(answers) for answers in block.translator._answers) <= 8192


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        (b"Via: SIP/2.0/TCP 10.0.30.2;received=10.0.30.2;maddr=10.0.30.2", ["Via", "Via received", "Via maddr"]),
        (b"Route: <sip:10.0.30.2;maddr=10.0.30.2>, <sip:10.0.30.2>", ["Route", "Route maddr", "Route"]),
        (b"f: sip:10.0.30.2", ["From"]),
    ],
)
def test_rules_are_named_in_full(line: bytes, rules: list[str]) -> None:
    """The log says Contact for `m`, and what of a Via it was."""
    assert [edit[3] for edit in Block(STATIC).edits(in_request(line))] == rules


@pytest.mark.parametrize("name", sorted(COMPLETE.headers - {"Request-URI"}))
def test_field_that_is_not_enabled_stays(name: str) -> None:
    """An ALG that does not know a field leaves it alone, in every spelling, and only it."""
    value = b"SIP/2.0/TCP 10.0.30.2" if name == "Via" else b"<sip:10.0.30.2>"
    message = in_request(name.encode() + b": " + value + b"\r\n" + name.upper().encode() + b" :" + value)
    assert len(Block(STATIC).edits(message)) == 2
    assert Block(STATIC, COMPLETE.headers - {name}).edits(message) == []
    assert len(Block(STATIC, frozenset({name})).edits(message)) == 2


def test_ports_are_written_where_the_mapping_changes_them() -> None:
    """A default port that is mapped to another one appears; a port that stays is not written."""
    line = b"Route: <sip:10.0.30.2;lr>, <sip:10.0.30.2:5060>, <sip:10.0.30.2:5061>"
    assert Block(SIGNALLING).rewritten(in_request(line)) == in_request(
        b"Route: <sip:64.100.0.10:5080;lr>, <sip:64.100.0.10:5080>, <sip:10.0.30.2:5061>"
    )


def test_field_incident() -> None:
    """The Route that Expressway-E writes behind NAT reflection comes back as the address that C knows as its own."""
    line = b"Route: <sip:64.100.0.10:4401;transport=tls;apparent;ds;lr>,<sip:127.0.0.1:22210;transport=tcp;vcs-cate;lr>"
    out = Block(APPARENT).rewritten(in_request(line), IN)
    assert out == in_request(line.replace(b"64.100.0.10:4401", b"10.0.30.2:27901"))
