"""Records and sinks."""

from __future__ import annotations

from alg.direction import Direction
from alg.sip.framing import Framed
from alg.trace import MessageRecord, Record, StreamRecord, tee

BEFORE = b"BYE sip:10.0.30.2 SIP/2.0\r\ni: c\r\nCSeq: 2 BYE\r\n\r\nx"
AFTER = BEFORE.replace(b"10.0.30.2", b"64.100.0.10")
REWRITE = Record("Request-URI", (8, 17), b"10.0.30.2", b"64.100.0.10", "address is mapped")
MESSAGE = MessageRecord(Direction.OUTWARD, 7, 9, AFTER, Framed(BEFORE, len(BEFORE) - 1, [], []), (REWRITE,))
HOLD = StreamRecord(Direction.OUTWARD, Record("hold", (0, 3), b"", b"", "3 bytes wait"))


def test_message_record_answers_for_its_message() -> None:
    """Sizes, growth and who-is-it of a message come from the message itself."""
    assert MESSAGE.before == BEFORE
    assert MESSAGE.header_size == len(BEFORE) - 1
    assert MESSAGE.growth == 2
    assert (MESSAGE.summary.title, MESSAGE.summary.call_id, MESSAGE.summary.cseq) == ("BYE", "c", "2 BYE")


def test_no_sink_is_none() -> None:
    """Without a listener the connection stays on its fast path."""
    assert tee() is None


def test_one_sink_is_itself() -> None:
    """One listener costs no detour."""
    heard: list[object] = []
    assert tee(heard.append) == heard.append


def test_every_sink_hears_everything_in_order() -> None:
    """The console, the event log and the debug text see the same."""
    one: list[object] = []
    two: list[object] = []
    spread = tee(one.append, two.append)
    assert spread is not None
    for record in (MESSAGE, HOLD, MESSAGE):
        spread(record)
    assert one == two == [MESSAGE, HOLD, MESSAGE]
