"""Captured connections that are not whole: bytes that are missing, segments that are cut, beginnings unseen."""

from __future__ import annotations

from alg.tcp.retold_stream import REMEMBERED
from tests.tcp.captured import GROWN, Capture, opened
from tests.tcp.endpoint import FIN, SYN


def test_bytes_that_the_capture_lacks() -> None:
    """The receiver has them: what was held leaves, and all passes until a message is certain to begin."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.inside(b"gb", at=3) == []
    assert capture.outside(ack=20) == ["< 0 ack 21"]
    assert capture.inside(b"zz\n", at=20) == ["> 21 ack 0 'gb'", "> 38 ack 0 'zz\\n'"]
    assert capture.records == ["gap"]
    assert capture.inside(b"gy\n", at=23) == ["> 41 ack 0 'gy\\n'"]
    assert capture.outside(ack=26) == ["< 0 ack 44"]
    assert capture.inside(b"gx\n", at=26) == [f"> 44 ack 0 '{GROWN}gx\\n'"]
    assert capture.outside(ack=29) == ["< 0 ack 65"]
    assert capture.inside(b"gy\n", at=23) == ["> 41 ack 0 'gy\\n'"]
    assert capture.inside(b"gy\ngx\n", at=23) == ["> 41 ack 0 'gy\\n'", f"> 44 ack 0 '{GROWN}gx\\n'"]


def test_a_message_behind_what_the_capture_lacks() -> None:
    """The receiver has all before it and no more: the boundary is certain at once."""
    capture = opened()
    assert capture.inside(b"gb") == []
    assert capture.outside(ack=20) == []
    assert capture.inside(b"gz\n", at=20) == ["> 0 ack 0 'gb'", f"> 20 ack 0 '{GROWN}gz\\n'"]
    assert capture.inside(b"gb", at=23) == []
    assert capture.inside(b"c\n", at=25) == [f"> 41 ack 0 '{GROWN}gbc\\n'"]


def test_bytes_that_the_capture_lacks_before_others() -> None:
    """An acknowledgment tells that they will not come: what waited leaves before it."""
    capture = opened()
    assert capture.inside(b"ab", at=3) == []
    assert capture.inside(b"cd", at=9) == []
    assert capture.inside(at=11, flags=FIN) == []
    assert capture.retold.held == 4
    assert capture.outside(ack=12) == ["> 3 ack 0 'ab'", "> 9 ack 0 'cd'", "> 11 ack 0 FIN", "< 0 ack 12"]
    assert capture.retold.held == 0


def test_a_segment_that_is_cut() -> None:
    """It keeps its place and its payload; the ALG cannot look beyond it before the next message is certain."""
    capture = opened()
    capture.inside(b"ga\ngb")
    assert capture.cut(b"c\0\0", at=5) == ["> 21 ack 0 'gb'", "> 23 ack 0 'c\\x00\\x00'"]
    assert capture.inside(b"gd\n", at=8) == ["> 26 ack 0 'gd\\n'"]
    assert capture.cut(b"g\0\0", at=11) == ["> 29 ack 0 'g\\x00\\x00'"]
    assert capture.outside(ack=14) == ["< 0 ack 32"]


def test_a_repetition_that_is_cut() -> None:
    """It disturbs nobody."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.cut(b"\0\0", at=1) == ["> 1 ack 0 '\\x00\\x00'"]
    assert capture.inside(b"gb\n", at=3) == [f"> 21 ack 0 '{GROWN}gb\\n'"]


def test_from_mid_stream() -> None:
    """Each direction passes until a message begins where the receiver has all that went before, and no more."""
    capture = Capture()
    assert capture.inside(b"gb\n", at=100, ack=500) == ["> 100 ack 500 'gb\\n'"]
    assert capture.inside(b"gc\n", at=103, ack=500) == ["> 103 ack 500 'gc\\n'"]
    assert capture.outside(b"xa\n", at=500, ack=103) == ["< 500 ack 103 'xa\\n'"]
    assert capture.inside(b"gc\n", at=103, ack=503) == ["> 103 ack 503 'gc\\n'"]
    assert capture.inside(b"gd\n", at=106, ack=503) == ["> 106 ack 503 'gd\\n'"]
    assert capture.outside(at=503, ack=109) == ["< 503 ack 109"]
    assert capture.inside(b"ge\n", at=109, ack=503) == [f"> 109 ack 503 '{GROWN}ge\\n'"]
    assert capture.outside(b"gf\n", at=503, ack=112) == [f"< 503 ack 130 '{GROWN}gf\\n'"]


def test_from_mid_stream_without_bare_acknowledgments() -> None:
    """Whoever saved only the packets of a protocol has none: those with data acknowledge as well."""
    capture = Capture()
    assert capture.inside(b"ga\n", at=100, ack=500) == ["> 100 ack 500 'ga\\n'"]
    assert capture.outside(b"gb\n", at=500, ack=103) == [f"< 500 ack 103 '{GROWN}gb\\n'"]
    assert capture.inside(b"gc\n", at=103, ack=503) == [f"> 103 ack 521 '{GROWN}gc\\n'"]


def test_a_gap_after_mid_stream() -> None:
    """Where a boundary was once certain there is none any more."""
    capture = Capture()
    capture.outside(at=500, ack=103)
    capture.inside(at=103, ack=500)
    assert capture.inside(b"gc\n", at=103, ack=500) == [f"> 103 ack 500 '{GROWN}gc\\n'"]
    assert capture.inside(b"gd\n", at=200, ack=500) == []
    assert capture.outside(at=500, ack=203) == ["> 218 ack 500 'gd\\n'", "< 500 ack 221"]
    assert capture.inside(b"gc\n", at=103, ack=500) == ["> 121 ack 500 'gc\\n'"]
    assert capture.inside(b"xe\n", at=203, ack=500) == ["> 221 ack 500 'xe\\n'"]
    assert capture.inside(b"gf\n", at=206, ack=500) == ["> 224 ack 500 'gf\\n'"]


def test_more_than_can_wait() -> None:
    """Nobody acknowledges anything, and an earlier segment never comes: at last, what waits leaves."""
    capture = Capture()
    capture.inside(at=-1, ack=None, flags=SYN)
    line = b"p" + b"x" * 49_998 + b"\n"
    count = REMEMBERED // len(line) + 1
    for number in range(count):
        assert capture.inside(line, at=3 + number * len(line)) == ([] if number else ["> 0 ack 0"])
    out = capture.inside(b"ga\n", at=3 + count * len(line))
    assert "".join(text[text.index("'") :] for text in out).count("x") == count * 49_998
    assert out[-1] == f"> {3 + count * len(line)} ack 0 'ga\\n'"


def test_one_direction_alone() -> None:
    """From its SYN on it is rewritten, though nobody is seen to answer."""
    capture = Capture()
    capture.inside(at=-1, ack=None, flags=SYN)
    assert capture.inside(b"ga\n", ack=0) == [f"> 0 ack 0 '{GROWN}ga\\n'"]
    assert capture.inside(b"gb\n", at=3, ack=900) == [f"> 21 ack 900 '{GROWN}gb\\n'"]


def test_data_in_a_syn() -> None:
    """It passes (RFC 7413), and what follows is taken up at the next certain boundary."""
    capture = Capture()
    assert capture.inside(b"ga\n", at=-1, ack=None, flags=SYN) == ["> -1 SYN 'ga\\n'"]
    assert capture.outside(at=-1, ack=3, flags=SYN) == ["< -1 ack 3 SYN"]
    assert capture.inside(at=3) == ["> 3 ack 0"]
    assert capture.inside(b"gb\n", at=3) == [f"> 3 ack 0 '{GROWN}gb\\n'"]


def test_a_syn_of_another_connection() -> None:
    """It passes by."""
    capture = opened()
    capture.inside(b"ga\n")
    assert capture.inside(at=7000, ack=None, flags=SYN) == ["> 7000 SYN"]
    assert capture.outside(ack=3) == ["< 0 ack 21"]
