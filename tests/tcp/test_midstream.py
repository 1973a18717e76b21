"""A connection that was open before the first packet came through."""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.midstream import begins_message
from alg.tcp.packet import TcpSegment
from tests.tcp.dialogue import Dialogue
from tests.tcp.endpoint import FIN, RST
from tests.tcp.rewriter import LineRewriter


def test_a_message_begins_with_a_whole_header_block() -> None:
    """As the framer asks of an unsynchronised stream."""
    assert begins_message(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
    assert begins_message(b"SIP/2.0 200 OK\r\nl: 5\r\n\r\nab")
    assert not begins_message(b"OPTIONS sip:a SIP/2.0\r\n")
    assert not begins_message(b"ody\r\nOPTIONS sip:a SIP/2.0\r\n\r\n")


def joined() -> Dialogue:
    """Joined inside a message: the tail of one, and its acknowledgment, went through."""
    dialogue = Dialogue()
    assert dialogue.inside(b"g tail of something\n") == ["> 0 ack 0 'g tail of something\\n'"]
    assert dialogue.outside(ack=20) == ["< 0 ack 20"]
    return dialogue


def test_nothing_is_touched_before_the_sender_was_quiet() -> None:
    """What begins like a message may be the retransmission of something that the receiver has in part."""
    dialogue = joined()
    assert dialogue.inside(b"g1\n", at=20) == ["> 20 ack 0 'g1\\n'"]


def test_a_message_after_quiet_is_rewritten() -> None:
    """The sender has shown its next number, the receiver has acknowledged it: nothing is under way."""
    dialogue = joined()
    assert dialogue.inside(at=20) == ["> 20 ack 0"]
    assert dialogue.inside(b"g1\n", at=20) == ["> 20 ack 0 'grown by the box: g1\\n'"]
    assert dialogue.outside(ack=41) == ["< 0 ack 23"]
    assert dialogue.inside(b"gro", at=23) == ["< 0 ack 26"]


def test_quiet_ends_with_the_next_byte() -> None:
    """A segment that begins no message makes everything uncertain again."""
    dialogue = joined()
    dialogue.inside(at=20)
    assert dialogue.inside(b"body\n", at=20) == ["> 20 ack 0 'body\\n'"]
    assert dialogue.inside(b"g1\n", at=25) == ["> 25 ack 0 'g1\\n'"]


def test_an_acknowledgment_that_lags_is_no_quiet() -> None:
    """Something is under way."""
    dialogue = Dialogue()
    dialogue.inside(b"tail\n")
    dialogue.inside(at=5)
    assert dialogue.inside(b"g1\n", at=5) == ["> 5 ack 0 'g1\\n'"]


def test_what_was_sent_before_is_repeated_untouched() -> None:
    """Even in one segment with what was rewritten."""
    dialogue = joined()
    dialogue.inside(at=20)
    dialogue.inside(b"g1\n", at=20)
    assert dialogue.inside(b"ng\n", at=17) == ["> 17 ack 0 'ng\\n'"]
    assert dialogue.inside(b"ng\ng1\n", at=17) == ["> 17 ack 0 'ng\\n'", "> 20 ack 0 'grown by the box: g1\\n'"]


def test_each_direction_by_itself() -> None:
    """The other one passes on, with its acknowledgments translated."""
    dialogue = joined()
    dialogue.inside(at=20)
    dialogue.inside(b"g1\n", at=20)
    assert dialogue.outside(b"yes g", ack=41) == ["< 0 ack 23 'yes g'"]
    assert dialogue.inside(b"def\n", at=27, ack=5) == ["> 41 ack 5", "< 5 ack 23"]


def test_close_and_reset_pass() -> None:
    """FIN both ways, then it is finished; so it is after a RST."""
    dialogue = joined()
    assert dialogue.inside(at=20, flags=FIN) == ["> 20 ack 0 FIN"]
    assert dialogue.outside(ack=21, flags=FIN) == ["< 0 ack 21 FIN"]
    assert dialogue.inside(at=21, ack=1) == ["> 21 ack 1"]
    assert dialogue.flow.finished
    dialogue = joined()
    assert dialogue.inside(at=20, ack=None, flags=RST) == ["> 20 RST"]
    assert dialogue.flow.finished


def test_a_receiver_that_is_never_seen_leaves_all_untouched() -> None:
    """Its packets take another path; nobody could be spoken for."""
    dialogue = Dialogue()
    packet = dialogue.packet(Direction.OUTWARD, b"", -1, None, 2, 5000)
    dialogue.flow.handle(Direction.OUTWARD, TcpSegment(packet), 0.0)
    assert dialogue.inside(b"g1\n") == ["> 0 ack 0 'g1\\n'"]
    assert dialogue.inside(b"g2\n", at=3) == ["> 3 ack 0 'g2\\n'"]


def test_the_default_boundary_is_that_of_sip() -> None:
    """Without another function, a SIP start line and header block."""
    dialogue = joined()
    dialogue.flow = TcpFlow(LineRewriter())
    dialogue.inside(b"tail\n")
    dialogue.outside(ack=5)
    dialogue.inside(at=5)
    assert dialogue.inside(b"s SIP/2.0\r\n\r\n", at=5)[0] == "> 5 ack 0 's SIP/2.0\\r\\n\\r\\n'"
    dialogue.inside(at=18)
    dialogue.outside(ack=18)
    dialogue.inside(at=18)
    assert dialogue.inside(b"s sip:abcdef SIP/2.0\r\n\r\n", at=18)[0] != "> 18 ack 0 's sip:abcdef SIP/2.0\\r\\n\\r\\n'"
