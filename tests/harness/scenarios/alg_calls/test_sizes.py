"""INVITEs around a limit, between addresses of any length."""

from __future__ import annotations

import pytest

from alg.errors import ConfigError
from harness.scenarios.alg_calls import sizes
from harness.scenarios.alg_calls.ground import Ground

LIMIT = 5000
CALLER = "10.9.8.2", 5060


def ground(callee: str, callee_inside: str = "10.9.8.103", outside: str = "10.9.8.102") -> Ground:
    """With addresses of any lengths."""
    return Ground(CALLER, outside, (callee, 5060), callee_inside)


@pytest.mark.parametrize(
    ("callee", "inside"),
    [("10.9.8.203", 4990), ("192.168.100.200", 4990), ("10.0.30.5", 4999), ("10.0.0.1", 4999), ("10.9.8.20", 4999)],
)
def test_sizes(callee: str, inside: int) -> None:
    """Within the limit inside, beyond it outside: six addresses of the caller get longer by two, and two of the
    callee have another length.
    """
    place = ground(callee)
    grows = 6 * 2 + 2 * (len(callee) - len("10.9.8.103"))
    assert sizes.within(LIMIT, grows, place) == inside < LIMIT
    assert inside + grows > LIMIT


def test_where_it_cannot_grow() -> None:
    """The error says what is too short."""
    with pytest.raises(
        ConfigError, match=r"--peer callee=10.1.1.1:5060: .* 192.168.100.103, .* by -4 bytes.*--network"
    ):
        sizes.within(LIMIT, -4, ground("10.1.1.1", "192.168.100.103"))


@pytest.mark.parametrize(("outside", "shrinking"), [("10.9.8.102", False), ("1.9.8.2", True)])
def test_an_address_of_the_wrong_length(outside: str, shrinking: bool) -> None:
    """A caller that is somebody else's may have one; the error says which way it has to differ."""
    sizes.require_growth(ground("10.9.8.203", outside=outside), shrinking)
    what = "longer" if shrinking else "shorter"
    with pytest.raises(ConfigError, match=rf"--peer caller=10.9.8.2:5060: is 10.9.8.3 outside, .*{what} than that"):
        sizes.require_growth(ground("10.9.8.203", outside="10.9.8.3"), shrinking)


@pytest.mark.parametrize("callee", ["198.51.100.200", "10.0.30.5"])
def test_the_growth_that_is_foretold(callee: str) -> None:
    """It is that of the addresses, counted by hand; Call-ID keeps its own, and Content-Length gets a digit more."""
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 10.9.8.2",
        "s=-",
        "c=IN IP4 10.9.8.2",
        "t=0 0",
        "m=audio 4000 RTP/AVP 8",
        "a=ptime:20",
    )
    body = "\r\n".join((*lines, ""))
    head = (
        "INVITE sip:10.9.8.103 SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.8.2;branch=z9hG4bK1\r\nTo: <sip:10.9.8.103>\r\n"
        "From: <sip:a@10.9.8.2>;tag=1\r\nContact: <sip:a@10.9.8.2>\r\nCall-ID: 1@10.9.8.2\r\nCSeq: 1 INVITE\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert 100 - 2 * 2 <= len(body) < 100
    expected = 5 * 2 + 2 * (len(callee) - len("10.9.8.103")) + 1
    assert sizes.growth((head + body).encode(), ground(callee)) == expected
