"""What a flow does once a message is held: acknowledged to its sender by us, and ours to deliver."""

from __future__ import annotations

from alg.direction import Direction
from alg.tcp.rto import RetransmissionLimits
from alg.tcp.stream import FlowLimits
from tests.tcp.dialogue import SACK_PERMITTED, Dialogue
from tests.tcp.endpoint import FIN, RST, read

GROWN = "'grown by the box: grow\\n'"
"""`grow`, 5 bytes, as it leaves: 23 bytes."""


def holding(data: bytes = b"gro", **rest: int | bytes) -> Dialogue:
    """A connection whose inside has sent part of a message."""
    dialogue = Dialogue()
    dialogue.open(options=SACK_PERMITTED + b"\1\1", **rest)  # type: ignore[arg-type]
    assert dialogue.inside(data) == [f"< 0 ack {len(data)}"]
    return dialogue


def test_a_held_message_is_acknowledged_and_leaves_whole() -> None:
    """The sender goes on; the receiver gets the message when it is complete."""
    dialogue = holding()
    assert dialogue.records == ["spoofed-ack"]
    assert dialogue.flow.timer() is None
    assert dialogue.inside(b"w\n", at=3) == [f"> 0 ack 0 {GROWN}"]
    assert dialogue.outside(ack=23) == ["< 0 ack 5"]
    assert dialogue.flow.timer() is None


def test_what_we_acknowledged_we_send_again() -> None:
    """RFC 6298: after a second, after two more; then the receiver has it."""
    dialogue = holding()
    dialogue.inside(b"w\n", at=3)
    assert dialogue.wait(1.0) == [f"> 0 ack 0 {GROWN}"]
    assert dialogue.wait(2.0) == [f"> 0 ack 0 {GROWN}"]
    assert dialogue.flow.timer() == 7.0
    assert dialogue.outside(ack=23) == ["< 0 ack 5"]
    assert dialogue.flow.timer() is None


def test_a_path_that_is_narrower() -> None:
    """What we have acknowledged leaves again at once, in segments that fit; the sender would not send it again."""
    dialogue = holding(mss=30)
    dialogue.inside(b"w\n", at=3)
    assert dialogue.narrow(20) == ["> 0 ack 0 'grown by the box: gr'", "> 20 ack 0 'ow\\n'"]
    assert dialogue.narrow(20) == []
    assert dialogue.flow.timer() == 1.0
    assert dialogue.outside(ack=23) == ["< 0 ack 5"]
    assert dialogue.flow.timer() is None


def test_a_path_that_is_narrower_for_the_sender() -> None:
    """What it has not been acknowledged it sends again itself; it gets the same error."""
    dialogue = Dialogue()
    dialogue.open(mss=30)
    dialogue.inside(b"grow\n")
    assert dialogue.narrow(20) == []
    assert dialogue.inside(b"grow\n") == ["> 0 ack 0 'grown by the box: gr'", "> 20 ack 0 'ow\\n'"]


def test_the_sender_repeats_what_is_still_its_own() -> None:
    """The end of the message was not acknowledged by us; the message leaves again at its numbers."""
    dialogue = holding()
    dialogue.inside(b"w\n", at=3)
    assert dialogue.inside(b"w\n", at=3) == [f"> 0 ack 0 {GROWN}"]


def test_the_sender_may_miss_our_acknowledgment() -> None:
    """It gets it again, and nothing goes to the receiver."""
    dialogue = holding()
    assert dialogue.inside(b"gro") == ["< 0 ack 3"]


def test_acknowledgments_do_not_go_back() -> None:
    """The receiver knows less than the sender was told: what it says of that stays here."""
    dialogue = Dialogue()
    dialogue.open()
    assert dialogue.inside(b"abc\ngro") == ["> 0 ack 0 'abc\\n'", "< 0 ack 7"]
    assert dialogue.outside(ack=4) == []
    assert dialogue.outside(b"yes\n", ack=4) == ["< 0 ack 7 'yes\\n'"]
    assert dialogue.flow.timer() is None


def test_what_left_before_a_held_message_is_ours_too() -> None:
    """An acknowledgment is cumulative: with the held bytes we acknowledged those before them."""
    dialogue = Dialogue()
    dialogue.open()
    dialogue.inside(b"abc\ngro")
    assert dialogue.wait(1.0) == ["> 0 ack 0 'abc\\n'"]


def test_three_duplicates_bring_the_missing_segment() -> None:
    """Without waiting for the timer (RFC 5681 3.2)."""
    dialogue = Dialogue()
    dialogue.open(mss=30)
    dialogue.inside(b"g" + b"x" * 20)
    out = dialogue.inside(b"\n", at=21)
    assert [line[:8] for line in out] == ["> 0 ack ", "> 30 ack"]
    assert dialogue.outside() == []
    assert dialogue.outside() == []
    assert dialogue.outside() == out[:1]
    assert dialogue.outside() == []


def outward(transcript: list[str]) -> int:
    """How many segments left outward."""
    return sum(line.startswith(">") for line in transcript)


def test_a_release_starts_slowly_and_a_timeout_starts_over() -> None:
    """Ten segments at first (RFC 6928), one after a timeout, more with each acknowledgment (RFC 5681 3.1)."""
    dialogue = Dialogue()
    dialogue.open(mss=100, window=60000)
    dialogue.inside(b"p" * 1000, window=60000)
    dialogue.inside(b"p" * 1000, at=1000, window=60000)
    dialogue.inside(b"p" * 1000, at=2000, window=60000)
    assert outward(dialogue.inside(b"\n", at=3000)) == 10
    assert outward(dialogue.outside(ack=200, window=60000)) == 4
    assert outward(dialogue.wait(1.0)) == 1
    assert outward(dialogue.outside(ack=300, window=60000)) == 2
    assert outward(dialogue.outside(ack=1400, window=60000)) == 13
    assert all(len(read(packet).payload) in (0, 100) for packet in dialogue.packets)


def test_round_trips_are_measured() -> None:
    """A slow path gets a longer timeout (RFC 6298 2.2)."""
    dialogue = holding()
    dialogue.inside(b"w\n", at=3)
    dialogue.now = 0.8
    dialogue.outside(ack=23)
    dialogue.inside(b"gro", at=5)
    dialogue.inside(b"w\n", at=8)
    deadline = dialogue.flow.timer()
    assert deadline is not None
    assert round(deadline - dialogue.now, 3) == 2.4


def test_a_receiver_that_never_answers_ends_the_connection() -> None:
    """The sender was told that its bytes arrived; a reset is the honest answer."""
    limits = FlowLimits(retransmission=RetransmissionLimits(attempts=2))
    dialogue = Dialogue(limits=limits)
    dialogue.open()
    dialogue.inside(b"gro")
    dialogue.inside(b"w\n", at=3)
    dialogue.wait(1.0)
    dialogue.wait(2.0)
    assert dialogue.wait(4.0) == ["> 0 ack 0 RST", "< 0 ack 3 RST"]
    assert dialogue.records[-1] == "gave-up"
    assert dialogue.flow.finished
    assert dialogue.flow.timer() is None


def test_a_closed_window_is_probed_for_as_long_as_it_answers() -> None:
    """RFC 9293 3.8.6.1: one byte at a time, and the connection stays."""
    limits = FlowLimits(retransmission=RetransmissionLimits(attempts=2))
    dialogue = Dialogue(limits=limits)
    dialogue.open(window=10)
    dialogue.inside(b"gro")
    assert dialogue.inside(b"w\n", at=3) == ["> 0 ack 0 'grown by t'"]
    assert dialogue.outside(ack=10, window=0) == []
    for _ in range(9):
        deadline = dialogue.flow.timer()
        assert deadline is not None
        assert dialogue.wait(deadline - dialogue.now) == ["> 10 ack 0 'h'"]
        assert dialogue.outside(ack=10, window=0) == []
    assert dialogue.outside(ack=10, window=100)[0] == "> 10 ack 0 'he box: grow\\n'"


def test_a_receiver_without_room_stops_the_sender() -> None:
    """Held bytes are not acknowledged, and the window's edge stays, until the receiver takes what it was sent."""
    dialogue = Dialogue(show_window=True)
    dialogue.open(window=10)
    assert dialogue.inside(b"g1\n", window=10) == ["> 0 ack 0 window 10 'grown by t'"]
    assert dialogue.inside(b"gro", at=3, window=10) == []
    assert dialogue.outside(ack=10, window=0) == ["< 0 ack 0 window 10"]
    assert dialogue.inside(b"more of it", at=6, window=10) == ["< 0 ack 0 window 10"]
    assert dialogue.flow.buffered(Direction.OUTWARD) == 11 + 3 + 5
    out = dialogue.outside(ack=10, window=100)
    assert out == ["> 10 ack 0 window 10 'he box: g1\\n'", "< 0 ack 11 window 65535"]


def test_acknowledgments_are_spoken_where_the_receiver_listens() -> None:
    """A segment outside its window is dropped with the acknowledgment in it (RFC 9293 3.10.7.4)."""
    dialogue = Dialogue()
    dialogue.open(window=10)
    dialogue.inside(b"gro")
    dialogue.inside(b"w\n", at=3)
    dialogue.outside(b"yes\n", ack=10, window=0)
    assert dialogue.inside(at=5, ack=4) == ["> 10 ack 4"]
    assert dialogue.inside(at=3, ack=4) == ["> 10 ack 4"]
    dialogue.wait(1.0)
    assert dialogue.inside(at=5, ack=4) == ["> 10 ack 4"]


def test_a_fin_releases_what_is_held() -> None:
    """Unchanged, and before it."""
    dialogue = holding()
    assert dialogue.inside(at=3, flags=FIN) == ["> 0 ack 0 FIN 'gro'"]
    assert dialogue.wait(1.0) == ["> 0 ack 0 FIN 'gro'"]
    assert dialogue.outside(ack=4) == ["< 0 ack 4"]
    assert dialogue.flow.timer() is None


def test_rst_behind_a_held_message() -> None:
    """Nothing of it was sent: the receiver expects the number where it would begin."""
    dialogue = holding()
    assert dialogue.inside(at=3, flags=RST) == ["> 0 ack 0 RST"]


def test_acknowledgments_go_out_while_data_is_held() -> None:
    """The other direction must not wait for this one."""
    dialogue = holding()
    dialogue.outside(b"yes\n")
    assert dialogue.inside(b"w", at=3, ack=4) == ["> 0 ack 4", "< 4 ack 4"]
    assert dialogue.inside(b"!", at=4, ack=4) == ["< 4 ack 5"]


def test_keep_alive_while_we_hold() -> None:
    """The receiver is asked, and the sender is answered by us: the receiver cannot confirm what it has not got."""
    dialogue = holding()
    assert dialogue.inside(at=2) == ["> -1 ack 0", "< 0 ack 3"]
    assert dialogue.inside(b"?", at=2) == ["> -1 ack 0", "< 0 ack 3"]


def test_what_is_held_is_given_away_at_the_end() -> None:
    """The sender will not send it again: it goes out once as it is, and is owed until it is acknowledged."""
    dialogue = holding()
    assert dialogue.release() == ["> 0 ack 0 'gro'"]
    assert dialogue.flow.owed() == 3
    assert dialogue.release() == []
    assert dialogue.outside(ack=3) == ["< 0 ack 3"]
    assert dialogue.flow.owed() == 0


def test_what_has_left_is_not_given_away_again() -> None:
    """Only what follows it."""
    dialogue = holding()
    assert dialogue.inside(b"w\nabc", at=3) == [f"> 0 ack 0 {GROWN}", "< 0 ack 8"]
    assert dialogue.release() == ["> 23 ack 0 'abc'"]
    assert dialogue.flow.owed() == 26


def test_no_more_is_given_away_than_there_is_room_for() -> None:
    """What the receiver would have to drop is owed, and lost."""
    dialogue = holding()
    dialogue.outside(window=25)
    assert dialogue.inside(b"w\nabc", at=3)[0] == f"> 0 ack 0 {GROWN}"
    assert dialogue.release() == ["> 23 ack 0 'ab'"]
    assert dialogue.release() == []
    assert dialogue.flow.owed() == 26


def test_nothing_is_given_away_of_what_was_reset() -> None:
    """Nobody wants it."""
    dialogue = holding()
    dialogue.outside(ack=0, flags=RST)
    assert dialogue.release() == []
    assert dialogue.flow.owed() == 0
