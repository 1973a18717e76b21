"""Inspection of one connection: which bytes still go, which do not, and what is to be done.

The handshakes are Python's own; where a message begins is read from the record headers by a walk of the test's own.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alg.config import AddressMap
from alg.direction import Direction
from alg.tls.inspection import Inspection, Step
from alg.tls.rules import Rule
from alg.tls.sightings import Sender
from alg.trace import TlsRecord
from tests.tls.parties import Conversation, Papers, Transcript, cut

SNI = "sip.example.com"
SERVER, CLIENT = Sender.SERVER, Sender.CLIENT
POINTS_1_2 = {
    "client-hello": (CLIENT, (22, 1)),
    "server-hello": (SERVER, (22, 2)),
    "server-certificate": (SERVER, (22, 11)),
    "certificate-request": (SERVER, (22, 13)),
    "client-certificate": (CLIENT, (22, 11)),
    "client-finished": (CLIENT, (20, 1)),
    "application-data": (CLIENT, (23, None)),
}
"""Whose record it begins in, and that record's type and first byte; Finished is what follows the one with type 20."""


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Transcript]:
    """A connection with certificates on both sides in each version."""
    papers = Papers(tmp_path_factory.mktemp("papers"))
    return {
        version: Conversation(
            papers.client(version, "client"), papers.server(version, asks=ssl.CERT_REQUIRED), server_name=SNI
        ).transcript
        for version in ("1.2", "1.3")
    }


def records(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, type and first byte of every record."""
    at = 0
    while at < len(stream):
        yield at, stream[at], stream[at + 5]
        at += 5 + int.from_bytes(stream[at + 3 : at + 5], "big")


def stream(talk: Transcript, sender: Sender) -> bytes:
    """All that one party sent."""
    return b"".join(data for who, data in talk if who is sender)


def place(talk: Transcript, point: str) -> tuple[Sender, int]:
    """Where a message begins in a TLS 1.2 connection: the offset of its record."""
    sender, (kind, first) = POINTS_1_2[point]
    found = [start for start, *what in records(stream(talk, sender)) if what[0] == kind and first in (None, what[1])]
    if point != "client-finished":
        return sender, found[0]
    return sender, next(start for start, *_ in records(stream(talk, sender)) if start > found[0])


class Run:
    """A transcript through an inspection; the client is inside."""

    def __init__(self, talk: Transcript, *rules: str, number: int = 1, maps: tuple[AddressMap, ...] = ()) -> None:
        self.inspection = Inspection([Rule.parse(rule) for rule in rules], Direction.OUTWARD, number, maps)
        self.passed = [b"", b""]
        self.strikes: list[Step] = []
        self.records: list[TlsRecord] = []
        for sender, data in talk:
            step = self.inspection.feed(Direction(sender), data)
            self.passed[sender] += step.forward
            self.records += step.records
            if step.rule is not None:
                self.strikes.append(step)

    @property
    def deeds(self) -> list[str]:
        """What was done, or left undone."""
        return [record.what for record in self.records if record.deed]


@pytest.mark.parametrize("size", [100_000, 61, 1])
@pytest.mark.parametrize("point", POINTS_1_2)
@pytest.mark.parametrize("mode", ["reset", "drop"])
def test_nothing_goes_from_the_named_message_on(talks: dict[str, Transcript], mode: str, point: str, size: int) -> None:
    """Before its record all went; what one read brings is cut there; what left before cannot be called back."""
    talk = talks["1.2"]
    sender, start = place(talk, point)
    run = Run(cut(talk, size), f"{mode}:{point}")
    assert run.deeds == [mode]
    assert len(run.strikes) == 1
    passed = run.passed[sender]
    assert stream(talk, sender).startswith(passed)
    if size == 100_000:
        assert len(passed) == start
    else:
        stop = next((at for at, *_ in records(stream(talk, sender)) if at > start), len(stream(talk, sender)))
        assert start <= len(passed) < stop
    assert stream(talk, sender.peer).startswith(run.passed[sender.peer])


def test_what_was_done_is_recorded(talks: dict[str, Transcript]) -> None:
    """The record names rule, point and sides."""
    run = Run(talks["1.2"], "reset:client-finished:inside:fin")
    (record,) = [record for record in run.records if record.deed]
    assert record.direction is Direction.OUTWARD
    assert record.details == {
        "rule": "reset:client-finished:inside:fin",
        "at": "client-finished",
        "towards": ["inside"],
        "elsewhere": "fin",
    }
    assert [record.what for record in run.records if not record.deed][:2] == ["client-hello", "server-hello"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "rules",
    [
        (),
        ("pass",),
        ("pass,sni=sip.*", "reset:client-finished"),
        ("reset:client-hello,sni=other.*",),
        ("reset:client-hello,nth=2",),
        ("reset:client-hello,direction=inward",),
        ("terminate,sni=other.*",),
        ("reset:after:1000000",),
    ],
)
def test_connections_that_no_rule_strikes_pass(
    talks: dict[str, Transcript], version: str, rules: tuple[str, ...]
) -> None:
    """Every byte, at once."""
    talk = talks[version]
    run = Run(talk, *rules)
    assert run.passed == [stream(talk, CLIENT), stream(talk, SERVER)]
    assert run.deeds == []


def test_limits_by_version(talks: dict[str, Transcript]) -> None:
    """A rule for 1.2 lets 1.3 pass, and the other way round."""
    for version, other in (("1.2", "1.3"), ("1.3", "1.2")):
        assert Run(talks[version], f"drop:client-finished,tls={version}").deeds == ["drop"]
        assert Run(talks[other], f"drop:client-finished,tls={version}").deeds == []


def test_finished_in_tls_1_3_by_record_order(talks: dict[str, Transcript]) -> None:
    """The client's first encrypted record, behind its ClientHello and the ChangeCipherSpec for middleboxes."""
    talk = talks["1.3"]
    first_encrypted = next(start for start, kind, _ in records(stream(talk, CLIENT)) if kind == 23)
    assert len(Run(talk, "reset:client-finished").passed[CLIENT]) == first_encrypted


@pytest.mark.parametrize(
    "point", ["server-certificate", "certificate-request", "client-certificate", "application-data"]
)
def test_points_that_tls_1_3_hides(talks: dict[str, Transcript], point: str) -> None:
    """The connection passes, and a record says why."""
    run = Run(talks["1.3"], f"reset:{point}")
    assert run.deeds == ["not-applied"]
    assert run.records[[record.deed for record in run.records].index(True)].details == {
        "rule": f"reset:{point}",
        "reason": f"{point} is encrypted in TLS 1.3",
    }
    assert run.passed[CLIENT] == stream(talks["1.3"], CLIENT)


@given(count=st.integers(0, 512), size=st.integers(1, 600))
def test_byte_counts(count: int, size: int) -> None:
    """Exactly so many bytes of a direction go, be they TLS or not."""
    data = bytes(range(256)) * 2
    run = Run(cut([(CLIENT, data)], size), f"reset:after:{count}")
    assert run.passed[CLIENT] == data[:count]
    assert "reset" in run.deeds


@pytest.mark.parametrize("size", [100_000, 61, 1])
def test_delay(talks: dict[str, Transcript], size: int) -> None:
    """The sender's bytes wait from the message on; those of the other do not, and nothing is lost."""
    talk = talks["1.2"]
    run = Run(cut(talk, size), "delay:server-certificate:5")
    assert run.deeds == ["delay"]
    assert run.passed[CLIENT] == stream(talk, CLIENT)
    assert run.passed[SERVER] != stream(talk, SERVER)
    assert run.passed[SERVER] + run.inspection.resume() == stream(talk, SERVER)
    assert run.inspection.feed(Direction.INWARD, b"more").forward == b"more"


@pytest.mark.parametrize("size", [100_000, 61, 1])
def test_termination_takes_over_at_the_client_hello(talks: dict[str, Transcript], size: int) -> None:
    """None of the client's bytes went on; all that came up to the ClientHello's end is handed over."""
    hello = talks["1.3"][0][1]
    inspection = Inspection([Rule.parse("terminate,sni=sip.*")], Direction.OUTWARD, 1)
    steps = [inspection.feed(Direction(sender), data) for sender, data in cut([(CLIENT, hello)], size)]
    assert [step.forward for step in steps] == [b""] * len(steps)
    assert [step.rule is not None for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[-1].withheld == hello


@pytest.mark.parametrize("garbage", [b"OPTIONS sip:a@b SIP/2.0\r\n", bytes(200), b"\x16\x03\x01\xff\xff" + bytes(99)])
@pytest.mark.parametrize("rule", ["terminate", "reset:client-hello", "alg-blind", "drop:server-hello"])
def test_what_is_no_tls_passes(rule: str, garbage: bytes) -> None:
    """In both directions, with one record that says why, and then nothing more is to be asked."""
    run = Run([(CLIENT, garbage[:3]), (CLIENT, garbage[3:]), (SERVER, garbage)], rule)
    assert run.passed == [garbage, garbage]
    assert run.deeds == ["not-tls"]
    assert run.inspection.idle


def test_a_client_hello_that_never_ends_is_given_back(talks: dict[str, Transcript]) -> None:
    """What was held for termination goes on unchanged when its sender stops."""
    part = talks["1.2"][0][1][:100]
    inspection = Inspection([Rule.parse("terminate")], Direction.OUTWARD, 1)
    assert inspection.feed(Direction.OUTWARD, part).forward == b""
    assert inspection.close(Direction.INWARD) == b""
    assert inspection.close(Direction.OUTWARD) == part
    assert inspection.close(Direction.OUTWARD) == b""


@given(st.lists(st.tuples(st.sampled_from(Sender), st.binary(max_size=50)), max_size=20))
def test_no_bytes_upset_it(talk: Transcript) -> None:
    """Whatever comes: with rules that never strike, nothing is lost."""
    for rule in ("pass", "drop:application-data,sni=never", "reset:after:100000"):
        run = Run(talk, rule)
        assert run.passed == [stream(talk, CLIENT), stream(talk, SERVER)]


def test_blind_fixups_keep_the_handshake_and_spoil_what_is_encrypted(tmp_path: Path) -> None:
    """Only payload of encrypted records changes, four bytes at a time, and every change is a record."""
    papers = Papers(tmp_path)
    talk = Conversation(papers.client("1.2"), papers.server("1.2")).transcript
    talk = [*talk, (CLIENT, b"\x17\x03\x03\x00\x0b" + b"aaa\x0a\x00\x1e\x02bbbb")]
    run = Run(talk, "alg-blind:32", maps=(AddressMap.parse("10.0.30.2=64.100.0.10"),))
    assert run.passed[SERVER] == stream(talk, SERVER)
    before, after = stream(talk, CLIENT), run.passed[CLIENT]
    assert after == before[:-8] + b"\x40\x64\x00\x0a" + b"bbbb"
    assert [record.span for record in run.records if record.deed] == [(len(before) - 8, len(before) - 4)]


def test_blind_fixups_of_the_other_direction(tmp_path: Path) -> None:
    """Inward, outside addresses become inside ones; bits that are not compared do not matter."""
    papers = Papers(tmp_path)
    talk = Conversation(papers.client("1.2"), papers.server("1.2")).transcript
    talk = [*talk, (SERVER, b"\x17\x03\x03\x00\x08" + b"zz\x40\x64\x77\x77zz")]
    run = Run(talk, "alg-blind:16", maps=(AddressMap.parse("10.0.30.2=64.100.0.10"),))
    assert run.passed[SERVER].endswith(b"zz\x0a\x00\x1e\x02zz")
    assert len(run.passed[SERVER]) == len(stream(talk, SERVER))
