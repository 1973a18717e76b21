"""A connection that was open before the first packet came through."""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.flow import TcpFlow
from alg.tcp.midstream import begins_message
from alg.tcp.packet import TcpSegment
from tests.tcp.dialogue import Dialogue
from tests.tcp.endpoint import FIN, RST, SYN
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


def test_a_message_where_all_is_acknowledged_is_rewritten() -> None:
    """A sender may never be heard without data: it acknowledges with its answers."""
    dialogue = joined()
    assert dialogue.inside(b"g1\n", at=20) == ["> 20 ack 0 'grown by the box: g1\\n'"]
    assert dialogue.outside(ack=41) == ["< 0 ack 23"]
    assert dialogue.inside(b"g2\n", at=23) == ["> 41 ack 0 'grown by the box: g2\\n'"]


def test_requests_and_answers_that_acknowledge_each_other() -> None:
    """What passes first shows both sides' numbers; from the second request on, both directions are rewritten."""
    dialogue = Dialogue()
    assert dialogue.inside(b"g1\n") == ["> 0 ack 0 'g1\\n'"]
    assert dialogue.outside(b"s answer\n", ack=3) == ["< 0 ack 3 's answer\\n'"]
    assert dialogue.inside(b"g2\n", at=3, ack=9) == ["> 3 ack 9 'grown by the box: g2\\n'"]
    assert dialogue.outside(b"s answer\n", at=9, ack=24) == ["< 9 ack 6 's an\\n'"]
    assert dialogue.inside(b"g3\n", at=6, ack=14) == ["> 24 ack 18 'grown by the box: g3\\n'"]


def test_the_first_segment_is_never_certain() -> None:
    """It may be the retransmission of something that the receiver has in part, whose acknowledgment was lost."""
    dialogue = Dialogue()
    assert dialogue.outside(ack=0) == ["< 0 ack 0"]
    assert dialogue.inside(b"g1\n") == ["> 0 ack 0 'g1\\n'"]


def test_a_repetition_of_what_passed_is_untouched() -> None:
    """It was lost behind us, or its acknowledgment was; as a message it has left before."""
    dialogue = joined()
    dialogue.inside(b"body\n", at=20)
    dialogue.inside(b"g1\n", at=25)
    assert dialogue.outside(ack=25) == ["< 0 ack 25"]
    assert dialogue.inside(b"g1\n", at=25) == ["> 25 ack 0 'g1\\n'"]
    assert dialogue.inside(b"g1\ng2\n", at=25) == ["> 25 ack 0 'g1\\ng2\\n'"]
    dialogue.outside(ack=31)
    assert dialogue.inside(b"g3\n", at=31) == ["> 31 ack 0 'grown by the box: g3\\n'"]


def test_a_receiver_that_has_more_than_we_saw() -> None:
    """Its SACK blocks show what the sender has sent before we looked (RFC 2018 3); all that passes."""
    dialogue = joined()
    assert dialogue.outside(ack=20, sack=(23, 27)) == ["< 0 ack 20 sack 23-27"]
    assert dialogue.inside(b"g1\n", at=20) == ["> 20 ack 0 'g1\\n'"]
    dialogue.outside(ack=27)
    assert dialogue.inside(b"g3\n", at=27) == ["> 27 ack 0 'grown by the box: g3\\n'"]


def test_a_block_that_was_received_twice_shows_nothing_new() -> None:
    """A duplicate SACK (RFC 2883) is about what was acknowledged."""
    dialogue = joined()
    assert dialogue.outside(ack=20, sack=(0, 20)) == ["< 0 ack 20 sack 0-20"]
    assert dialogue.inside(b"g1\n", at=20) == ["> 20 ack 0 'grown by the box: g1\\n'"]


def test_a_message_after_quiet_is_rewritten() -> None:
    """The sender has shown its next number without data, the receiver has acknowledged it: nothing is under way."""
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


def test_a_receiver_that_lags_when_it_is_first_heard() -> None:
    """What was under way to it before we looked is not acknowledged by us, and nothing is taken up meanwhile."""
    dialogue = Dialogue()
    dialogue.outside(at=40, ack=20)
    dialogue.inside(at=20, ack=30)
    dialogue.inside(b"gro", at=20, ack=30)
    assert dialogue.inside(b"w\n", at=23, ack=30)[-1] == "> 20 ack 30 'grown by the box: grow\\n'"
    assert dialogue.wait(1.0) == ["> 20 ack 30 'grown by the box: grow\\n'"]
    assert dialogue.outside(b"g1\n", at=40, ack=20) == ["< 40 ack 23 'g1\\n'"]


def test_one_syn_alone_may_come_late() -> None:
    """A repeated answer to a SYN that passed before we looked: data may have passed as well."""
    dialogue = Dialogue()
    dialogue.say(Direction.INWARD, b"", at=-1, flags=SYN)
    assert dialogue.inside(at=20) == ["> 20 ack 0"]
    assert dialogue.inside(b"abc\n", at=20) == ["> 20 ack 0 'abc\\n'"]
    assert dialogue.outside(b"g1\n", ack=24) == ["< 0 ack 24 'g1\\n'"]


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


def test_acknowledgments_that_are_lost_behind_the_boundary() -> None:
    """The sender repeats all from before it, message by message or in segments that span it: the same bytes leave."""
    dialogue = joined()
    dialogue.inside(b"g1\n", at=20)
    dialogue.inside(b"s2345\n", at=23)
    tail, first = "> 0 ack 0 'g tail of something\\n'", "> 20 ack 0 'grown by the box: g1\\n'"
    assert dialogue.outside(ack=45) == ["< 0 ack 29"]
    dialogue.inside(b"g3\n", at=29)
    assert dialogue.inside(b"g tail of something\n") == [tail]
    assert dialogue.outside(ack=45)[-1] == "< 0 ack 29"
    assert dialogue.inside(b"g tail of something\ng1\n")[0] == tail
    assert dialogue.inside(b"ing\ng1\ns2345\ng3\n", at=16) == [
        "> 16 ack 0 'ing\\n'",
        "> 45 ack 0 'grown by the box: g3\\n'",
    ]
    dialogue = joined()
    dialogue.inside(b"g1\n", at=20)
    assert dialogue.inside(b"g tail of something\ng1\n") == [tail, first]
    assert dialogue.outside(ack=20) == ["< 0 ack 20"]
    assert dialogue.inside(b"g1\n", at=20) == [first]


def test_a_held_message_at_the_boundary() -> None:
    """Acknowledged by us, it is ours alone; what the sender repeats of before still passes."""
    dialogue = joined()
    assert dialogue.inside(b"gro", at=20) == ["< 0 ack 23"]
    assert dialogue.inside(b"ng\ngro", at=17)[0] == "> 17 ack 0 'ng\\n'"
    assert dialogue.inside(b"w\n", at=23) == ["> 20 ack 0 'grown by the box: grow\\n'"]
    assert dialogue.outside(ack=20) == ["< 0 ack 23"]
    assert dialogue.wait(1.0) == ["> 20 ack 0 'grown by the box: grow\\n'"]
    assert dialogue.outside(ack=43) == ["< 0 ack 25"]


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


def test_our_acknowledgment_stands_behind_a_fin_that_passed() -> None:
    """Before it, it would be an old one, which its receiver drops with all it says (RFC 9293 3.10.7.4)."""
    dialogue = joined()
    dialogue.inside(b"end", at=20, flags=FIN)
    dialogue.outside(at=0, ack=24)
    assert dialogue.outside(b"gro", ack=24) == ["> 24 ack 3"]


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
