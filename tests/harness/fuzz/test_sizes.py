"""Cases of a size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.direction import Direction
from alg.errors import ConfigError
from harness.fuzz.growing import PLACES
from harness.fuzz.segments import Every
from harness.fuzz.sizes import Message, Sizes, Tokens
from tests.harness.fuzz.messages import HERE

TARGET = ("127.0.0.1", 5060)
ALG = Alg(AlgConfig(NatConfig((AddressMap.parse("10.0.30.2=64.100.0.10"),))))


def sizes(grow: str = "header", method: str = "OPTIONS", sender: str | None = None) -> Sizes:
    """Cases that grow there."""
    return Sizes(Message.choose(method, None, TARGET, False, Tokens("0123456789"), sender), PLACES[grow])


def test_tokens_never_repeat() -> None:
    """And keep their length, so that sizes do not change with them."""
    tokens = Tokens("abcdefghij")
    made = [tokens.next() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {len(token) for token in made} == {16}


@pytest.mark.parametrize("port", [1, 999, 54321])
@pytest.mark.parametrize("grow", PLACES)
def test_the_smallest_can_be_sent_from_any_port(grow: str, port: int) -> None:
    """The port is in the message, whose size is the same all the same."""
    found = sizes(grow, "INVITE")
    size = found.smallest("127.0.0.1")
    assert len(found.case(size, 1).compose(("127.0.0.1", port)).data) == size


def test_two_probes_are_two_transactions() -> None:
    """A server must not take the second for a retransmission (RFC 3261 17.2.3)."""
    case = sizes().case(1000, 1)
    first, second = (case.compose(HERE).transactions[0] for _ in range(2))
    assert first.branch != second.branch
    assert first.call_id != second.call_id


def test_a_case_knows_its_segmentation() -> None:
    """By its number."""
    made = Sizes(sizes().message, PLACES["header"], Every, 0.5).case(1000, 300).compose(HERE)
    assert made.segmentation == Every(300)
    assert made.pause == 0.5


def test_another_sender() -> None:
    """The messages name the host that they are told to, and the connection's port."""
    data = sizes(sender="10.0.30.2").case(1000, 1).compose(HERE).data
    assert b"Via: SIP/2.0/TCP 10.0.30.2:54321;" in data
    assert b"127.0.0.1:54321" not in data


def test_the_small_message_is_of_the_same_method() -> None:
    """An endpoint that knows INVITE alone is healthy if it answers INVITE."""
    data = sizes(method="INVITE").message.small().compose(HERE).data
    assert data.startswith(b"INVITE ")
    assert len(data) < 500


def test_a_template_without_that_body(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SDP lines cannot be added to what has no SDP."""
    path = tmp_path_factory.mktemp("t") / "ping.sip"
    path.write_text(
        "OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/TCP x;branch=y\nFrom: x\nTo: x\nCall-ID: x\nCSeq: 1 OPTIONS\n\n"
    )
    with pytest.raises(ConfigError, match=r"^--grow: .*ping\.sip has no SDP body"):
        sizes("sdp-media", str(path)).smallest("127.0.0.1")
    assert len(sizes("via", str(path)).grown(700, HERE)) == 700


@given(st.sampled_from(sorted(PLACES)), st.integers(700, 30_000))
def test_the_largest_that_fits_behind_the_alg(grow: str, limit: int) -> None:
    """One byte more and it does not fit; the growth may depend on the size."""
    found = sizes(grow, "INVITE", "10.0.30.2")

    def behind(size: int) -> int:
        return len(ALG.connection().feed(Direction.OUTWARD, found.grown(size, ("10.0.30.2", 65535))))

    fits = found.largest_that_fits(limit, ALG, "10.0.30.2")
    assert behind(fits) <= limit < behind(fits + 1)
