"""The hybrid connectivity test, step by step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred

from harness.scenarios.hybrid import connectivity as test
from harness.scenarios.hybrid.cast import Cast
from harness.scenarios.hybrid.ground import SIP_DESTINATION, Dial
from harness.scenarios.hybrid.parties import Played
from harness.scenarios.stage import Stage
from harness.sip.flow import Target
from harness.sip.resolve import Resolver
from tests.harness.peers.turning import Turned

ALL_GOOD = {
    **{test.DNS: "Successful", test.CONNECTING: "Successful", test.SOCKET: "Successful"},
    **{test.HANDSHAKE: "Successful", test.PING: "Successful", test.SYN: "answered"},
}
NOT_FROM_HERE = {test.HANDSHAKE: "Not performed", test.PING: "Not performed"}


class Checking:
    """A cast, and its Webex asked to test."""

    def __init__(self, turned: Turned, stage: Stage) -> None:
        self.turned = turned
        self.stage = stage
        self.cast: Cast | None = None

    def report(self, dial: Dial, destination: str = SIP_DESTINATION) -> test.Report:
        """Of a destination."""
        cast = self.cast = Cast(self.stage, dial)
        self.turned.result(Deferred.fromCoroutine(cast.open()))
        assert isinstance(cast.webex, Played)
        locate = Resolver(cast.questions, "TLS", ("TLS",))
        running = test.check_connectivity(cast.webex.peer, locate, destination, cast.watch.repeats)
        return self.turned.result(Deferred.fromCoroutine(running))

    def close(self) -> None:
        """Everything."""
        if self.cast is not None:
            self.turned.result(Deferred.fromCoroutine(self.cast.close()))


@pytest.fixture
def checking(turned: Turned, stage: Stage) -> Iterator[Checking]:
    """With nobody at work yet."""
    checking = Checking(turned, stage)
    yield checking
    checking.close()


def test_all_is_well(checking: Checking) -> None:
    """By name, and by address and port."""
    report = checking.report(Dial())
    assert report.results == ALL_GOOD
    assert report.targets == (Target("TLS", checking.stage.network.host(3), 5062),)


def test_an_address(checking: Checking) -> None:
    """Needs no SRV record."""
    assert checking.report(Dial(published=False), f"{checking.stage.network.host(3)}:5062").results == ALL_GOOD


def test_no_name(checking: Checking) -> None:
    """Nothing else is performed."""
    report = checking.report(Dial(published=False))
    assert report.targets == ()
    expected = {test.DNS: test.NO_NAME, test.CONNECTING: "Not performed", test.SOCKET: "Not performed"}
    assert report.results == {**NOT_FROM_HERE, **expected, test.SYN: "none"}


@pytest.mark.parametrize(
    ("dial", "syn"),
    [
        (Dial(mtls=False), "answered with RST"),
        (Dial(static_nat=True, blocked_inbound=True), "repeated and never answered"),
    ],
    ids=["closed", "blocked"],
)
def test_no_socket(checking: Checking, dial: Dial, syn: str) -> None:
    """The words are the same for both, only a capture tells them apart."""
    assert checking.report(dial).results == {
        **NOT_FROM_HERE,
        **{test.DNS: "Successful", test.CONNECTING: "Successful", test.SOCKET: test.NO_SOCKET, test.SYN: syn},
    }


def test_no_handshake(checking: Checking) -> None:
    """A port at which TLS fails."""
    report = checking.report(Dial(), f"{checking.stage.network.host(3)}:5060")
    assert (report.results[test.SOCKET], report.results[test.HANDSHAKE]) == ("Successful", "Failed")
