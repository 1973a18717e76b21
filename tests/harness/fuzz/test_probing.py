"""One probe after the other, against servers that refuse in every way."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from itertools import accumulate

import pytest

from alg.config import AddressMap, AlgConfig, NatConfig
from alg.connection import Alg
from alg.edge.entrance import Address
from harness.fuzz.classification import Kind
from harness.fuzz.drafts import Body, Sender
from harness.fuzz.exchange import Transaction
from harness.fuzz.growing import PLACES, natural
from harness.fuzz.probing import RECOVERY, Case, Clock, Manner, Pacer, Probe, Prober
from harness.fuzz.segments import At, Every
from harness.fuzz.sizes import Message, Sizes, Tokens
from harness.fuzz.target import Target, TlsOptions
from tests.harness.conftest import Pki, StartServer
from tests.harness.fuzz.messages import draft_for
from tests.harness.fuzz.probers import NONCE, message_for, prober_for, sizes_for, target_of
from tests.harness.fuzz.servers import respond
from tests.helpers.system import PATIENCE, eventually

LIMIT = 1000


@pytest.mark.parametrize(
    ("refuses", "label"),
    [
        ("reset", "reset"),
        ("closed", "closed"),
        ("silent", "silent"),
        ("garbled", "garbled"),
        ("513", "rejected 513"),
        ("400", "rejected 400"),
    ],
)
def test_each_refusal_has_its_class(start_server: StartServer, refuses: str, label: str) -> None:
    """One byte past the limit; the health check finds the server well."""
    server = start_server(LIMIT, refuses=refuses)
    with closing(prober_for(server, timeout=0.3 if refuses == "silent" else 5.0)) as prober:
        good, bad = (prober.run(sizes_for(server).case(size, 1)) for size in (LIMIT, LIMIT + 1))
    assert good.outcome.label == "accepted 200"
    assert good.health is None
    assert bad.outcome.label == label
    assert bad.health is not None
    assert bad.health.alive
    assert bad.health.detail == "accepted 200"
    assert [len(message) for message in server.seen[:2]] == [LIMIT, LIMIT + 1]
    assert prober.probes == 2


def test_what_was_sent_is_kept(start_server: StartServer) -> None:
    """The bytes, where they were cut, when each segment left, what came back and when."""
    server = start_server()
    sizes = sizes_for(server, segmentation=lambda number: At((100, 200)), pause=0.02)
    with closing(prober_for(server)) as prober:
        outcome = prober.run(sizes.case(700, 1)).outcome
    assert server.seen == [outcome.sent]
    assert outcome.cuts == (100, 200)
    first, second, third = outcome.sent_at
    assert first + 0.02 <= second
    assert second + 0.02 <= third
    assert b"".join(data for _, data in outcome.received).startswith(b"SIP/2.0 200 OK\r\n")
    assert outcome.received[0][0] >= third
    assert outcome.seconds >= 0.04


def test_segments_are_read_one_by_one(start_server: StartServer) -> None:
    """With a pause between, so is what the server reads: it finds no byte of a segment that has not left."""
    server = start_server()
    sizes = sizes_for(server, segmentation=lambda number: Every(150), pause=0.05)
    with closing(prober_for(server)) as prober:
        assert prober.run(sizes.case(700, 1)).outcome.accepted
    ends = set(accumulate(server.reads))
    assert ends <= {150, 300, 450, 600, 700}
    assert len(ends) > 1


def test_a_call_leaves_nothing_behind(start_server: StartServer) -> None:
    """INVITE, ACK and BYE, and the connection closed."""
    server = start_server()
    with closing(prober_for(server, "INVITE")) as prober:
        assert prober.run(sizes_for(server, method="INVITE").case(2000, 1)).outcome.accepted
        eventually("all three have come", lambda: len(server.seen) == 3)
    assert [message.partition(b" ")[0] for message in server.seen] == [b"INVITE", b"ACK", b"BYE"]
    eventually("no connection is left", lambda: server.open == 0)


@pytest.mark.parametrize("refuses", ["reset", "closed", "513", "silent"])
def test_no_connection_is_left_open(start_server: StartServer, refuses: str) -> None:
    """Accepted or refused, the server sees the end of each."""
    server = start_server(LIMIT, refuses=refuses)
    with closing(prober_for(server, timeout=0.2)) as prober:
        for size in (LIMIT, LIMIT + 1):
            prober.run(sizes_for(server).case(size, 1))
    eventually("no connection is left", lambda: server.open == 0)
    assert server.connections == 3


def test_one_connection_for_many(start_server: StartServer) -> None:
    """As long as probes are accepted; what is refused ends it."""
    server = start_server(LIMIT, refuses="513")
    sizes = sizes_for(server)
    with closing(prober_for(server, reuse=True)) as prober:
        for size in (400, 500, 600):
            assert prober.run(sizes.case(size, 1)).outcome.accepted
        assert server.connections == 1
        assert not prober.run(sizes.case(LIMIT + 1, 1)).outcome.accepted
        assert prober.run(sizes.case(400, 1)).outcome.accepted
    assert server.connections == 3
    eventually("no connection is left", lambda: server.open == 0)


def test_a_connection_that_ended_meanwhile_is_not_used() -> None:
    """A server that closes after each answer is asked on new connections, and has refused nothing."""
    answered = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                lines = request.split(b"\r\n\r\n")[0].split(b"\r\n")
                kept = [line for line in lines if line[:3] in (b"Via", b"Fro", b"To:", b"Cal", b"CSe")]
                connection.sendall(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]))
                answered.append(request)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        target = Target(listener.getsockname(), "127.0.0.1")
        message = Message.choose("OPTIONS", None, target.address, False, Tokens(NONCE))
        with closing(Prober(target, Manner(reuse=True, rate=50.0), message.small())) as prober:
            for _ in range(3):
                assert prober.run(Sizes(message, PLACES["header"]).case(500, 1)).outcome.accepted
        listener.shutdown(socket.SHUT_RDWR)
    assert len(answered) == 3


def test_a_crash_is_told(start_server: StartServer) -> None:
    """A server that does not survive what it refuses: the health check says so, after a few tries."""
    server = start_server(LIMIT, mortal=True)
    waits: list[float] = []
    clock = Clock(sleep=waits.append)
    message = message_for(server)
    with closing(Prober(target_of(server), Manner(), message.small(), clock)) as prober:
        trial = prober.run(Sizes(message, PLACES["header"]).case(LIMIT + 1, 1))
        after = prober.run(Sizes(message, PLACES["header"]).case(LIMIT, 1))
    assert trial.outcome.kind is Kind.CLOSED
    assert trial.health is not None
    assert (trial.alive, trial.health.tries) == (False, len(RECOVERY))
    assert trial.health.detail == "refused Connection refused"
    assert not trial.absent
    assert [wait for wait in waits if wait in RECOVERY] == list(RECOVERY) * 2
    assert (after.outcome.kind, after.alive, after.absent) == (Kind.REFUSED, False, True)


def test_a_server_that_comes_back_is_sent_the_probe_again(start_server: StartServer) -> None:
    """A probe that met nobody says nothing about its size; that nobody was there is told."""
    server = start_server(LIMIT)
    port = server.port
    server.close()
    revived = []

    def revive(seconds: float) -> None:
        if not revived:
            revived.append(start_server(LIMIT, port=port))

    message = message_for(server)
    with closing(Prober(target_of(server), Manner(), message.small(), Clock(sleep=revive))) as prober:
        trial = prober.run(Sizes(message, PLACES["header"]).case(LIMIT, 1))
    assert trial.outcome.label == "accepted 200"
    assert trial.absent


def test_a_server_that_stops_reading() -> None:
    """The time limit holds for sending too."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        target = Target(listener.getsockname(), "127.0.0.1")
        message = Message.choose("OPTIONS", None, target.address, False, Tokens(NONCE))
        clock = Clock(sleep=lambda seconds: None)
        with closing(Prober(target, Manner(timeout=0.1), message.small(), clock)) as prober:
            trial = prober.run(Sizes(message, PLACES["header"], lambda number: Every(1 << 20)).case(16 << 20, 1))
    assert trial.outcome.kind is Kind.SILENT
    assert "stopped reading" in trial.outcome.detail


def test_through_the_alg(start_server: StartServer) -> None:
    """The server sees the outside address and the grown message; the answer finds its way back."""
    server = start_server()
    alg = Alg(AlgConfig(NatConfig((AddressMap.parse("10.0.30.2=64.100.0.10"),))))
    message = Message.choose("INVITE", None, ("127.0.0.1", server.port), False, Tokens(NONCE), "10.0.30.2")
    manner = Manner(rate=5000.0)
    with closing(Prober(target_of(server), manner, message.small(), alg=alg)) as prober:
        outcome = prober.run(Sizes(message, PLACES["header"]).case(700, 1)).outcome
    assert outcome.accepted
    assert len(outcome.sent) > 700
    eventually("the call is over", lambda: len(server.seen) == 3)
    for message_seen in server.seen:
        assert b"10.0.30.2" not in message_seen
        assert b"64.100.0.10" in message_seen


def test_mutual_tls(start_server: StartServer, pki: Pki) -> None:
    """Sizes are those of the message, whatever TLS adds."""
    server = start_server(LIMIT, context=pki.server_context(mutual=True))
    tls = TlsOptions(str(pki.client), None, str(pki.ca), verify=True)
    with closing(prober_for(server, tls=tls)) as prober:
        sizes = sizes_for(server)
        assert prober.run(sizes.case(LIMIT, 1)).outcome.accepted
        assert prober.run(sizes.case(LIMIT + 1, 1)).outcome.kind is Kind.CLOSED


def test_a_client_that_the_server_does_not_know(start_server: StartServer, pki: Pki) -> None:
    """The alert is named. With TLS 1.3 it comes after our handshake, so it counts as the end of the connection."""
    server = start_server(context=pki.server_context(mutual=True))
    with closing(prober_for(server, tls=TlsOptions(str(pki.stranger)))) as prober:
        outcome = prober.run(sizes_for(server).case(LIMIT, 1)).outcome
    assert outcome.kind in (Kind.CLOSED, Kind.REFUSED, Kind.RESET)
    assert "unknown ca" in outcome.detail or outcome.kind is Kind.RESET


def test_two_messages_in_one_segment(start_server: StartServer) -> None:
    """Both are awaited."""
    server = start_server()
    messages = [natural(draft_for("OPTIONS", "header", Sender(("127.0.0.1", 1), f"{index:016}"))) for index in (1, 2)]
    probe = Probe(b"".join(messages), tuple(Transaction.of(message) for message in messages))
    with closing(prober_for(server)) as prober:
        assert prober.run(Case("both", lambda here: probe)).outcome.accepted
    assert server.seen == messages


def test_the_rate_is_kept() -> None:
    """By a clock that is told: four in a burst, half a second apart."""
    now, waits = [100.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pacer = Pacer(2.0, Clock(lambda: now[0], sleep))
    for _ in range(4):
        pacer.wait()
    assert waits == [0.5, 0.5, 0.5]
    now[0] += 7
    pacer.wait()
    assert waits == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("cut", [40, 200])
def test_nothing_is_said_in_the_middle_of_a_message(start_server: StartServer, cut: int) -> None:
    """The first call is answered while the second INVITE is half sent: its ACK and BYE come behind that."""
    server = start_server()
    message = message_for(server, "INVITE")

    def compose(here: Address) -> Probe:
        first, second = (natural(message.draft(Body.PLAIN, here)) for _ in range(2))
        both = Transaction.of(first), Transaction.of(second)
        return Probe(first + second, both, At((len(first) + cut,)), 0.05)

    with closing(prober_for(server, "INVITE")) as prober:
        trial = prober.run(Case("two calls", compose))
    assert trial.outcome.accepted
    seen = [message.partition(b" ")[0] for message in server.seen]
    assert seen[:2] == [b"INVITE", b"INVITE"]
    assert sorted(seen[2:]) == [b"ACK", b"ACK", b"BYE", b"BYE"]


def test_a_connection_is_not_used_in_the_middle_of_a_message() -> None:
    """Somebody who answers before he has read everything gets the next probe on another connection."""
    opened: list[bytes] = []
    message = natural(draft_for("OPTIONS", "header"))

    def hasty(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with closing(connection):
                held = b""
                while not held.endswith(b"early"):
                    held += connection.recv(1)
                opened.append(held)
                connection.sendall(respond(message, b"200 OK"))
                connection.recv(65536)

    cut = len(message) + 5
    probe = Probe(message + b"early" + bytes(1000), (Transaction.of(message),), At((cut,)), 60.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hasty, args=(listener,), daemon=True)
        thread.start()
        target = Target(listener.getsockname(), "127.0.0.1")
        with closing(Prober(target, Manner(timeout=PATIENCE, reuse=True), Case("", lambda here: probe))) as prober:
            assert [prober.run(Case("", lambda here: probe)).outcome.kind for _ in range(2)] == [Kind.ACCEPTED] * 2
        thread.join(PATIENCE)
    assert opened == [message + b"early"] * 2
