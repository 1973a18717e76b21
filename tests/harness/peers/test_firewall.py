"""A firewall between plain sockets: what it captures, in the eyes of tshark, and what its rules do to TLS."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from alg.edge.entrance import Address
from alg.errors import ConfigError
from harness.capture.capture_file import SYNTHESISED
from harness.peers.firewall import Firewall
from tests.harness.peers.capturing import packets
from tests.harness.peers.ends import now
from tests.harness.peers.turning import Turned
from tests.helpers.captures import file_comment

HELLO = bytes.fromhex("16 0301 002f 01 00002b 0303" + "11" * 32 + "00 0002 c02f 01 00 0000")  # fmt: skip
ANYWHERE = ("127.0.0.4", 0)


@pytest.fixture
def make(turned: Turned) -> Iterator[Callable[..., Firewall]]:
    """Makes firewalls, which are closed when the test is over."""
    made: list[Firewall] = []

    def build(*rules: str, clock: Callable[[], datetime] = now) -> Firewall:
        made.append(Firewall(turned.reactor, rules, clock))
        return made[-1]

    yield build
    for firewall in made:
        turned.result(Deferred.fromCoroutine(firewall.close()))


def cross(turned: Turned, listener: socket.socket, through: Address, data: bytes) -> bytes:
    """Connect, say something, hang up; what arrives on the other side."""

    def talk() -> bytes:
        with socket.create_connection(through, 10, ("127.0.0.2", 0)) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(10)
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                received = b"".join(iter(lambda: server.recv(4096), b""))
                server.shutdown(socket.SHUT_WR)
                client.settimeout(10)
                assert client.recv(1) == b""
                return received

    return turned.meanwhile(talk)


def listening() -> socket.socket:
    """On the other side."""
    listener = socket.create_server(("127.0.0.3", 0))
    listener.settimeout(10)
    return listener


@pytest.mark.parametrize(("inbound", "sides"), [(True, ("outside", "inside")), (False, ("inside", "outside"))])
def test_each_side_is_captured_on_its_interface(
    turned: Turned, make: Callable[..., Firewall], tmp_path: Path, inbound: bool, sides: tuple[str, str]
) -> None:
    """Who connects is outside if it is inbound; both legs are there from the SYN to the FIN, with what crossed."""
    firewall = make()
    with closing(listening()) as listener:
        target = listener.getsockname()
        through = firewall.open(ANYWHERE, target, inbound)
        assert cross(turned, listener, through, HELLO) == HELLO
    file = tmp_path / "crossed.pcapng"
    file.write_bytes(firewall.capture)
    assert file_comment(file) == SYNTHESISED
    seen = packets(file, [target[1], through[1]])
    by_side = {
        "client": {each.interface for each in seen if "127.0.0.2" in (each.source[0], each.destination[0])},
        "server": {each.interface for each in seen if target in (each.source, each.destination)},
    }
    assert by_side == {"client": {sides[0]}, "server": {sides[1]}}
    assert [each.interface for each in seen if 1 in each.messages] == list(sides)
    assert sorted(each.interface for each in seen if each.fin) == ["inside", "inside", "outside", "outside"]


def test_packets_are_stamped_by_the_clock(turned: Turned, make: Callable[..., Firewall], tmp_path: Path) -> None:
    """Not by that of the machine."""
    then = datetime(2017, 6, 13, 18, 31, 38, tzinfo=UTC)
    firewall = make(clock=lambda: then)
    with closing(listening()) as listener:
        through = firewall.open(ANYWHERE, listener.getsockname(), False)
        cross(turned, listener, through, HELLO)
    file = tmp_path / "crossed.pcapng"
    file.write_bytes(firewall.capture)
    times = [each.time for each in packets(file, [through[1]])]
    assert times
    assert all(then <= time < then + timedelta(seconds=1) for time in times)


def test_a_rule_that_resets(turned: Turned, make: Callable[..., Firewall], tmp_path: Path) -> None:
    """The inside alone is reset, and the capture has the RST there alone."""
    firewall = make("reset:client-hello:inside")
    with closing(listening()) as listener:
        through = firewall.open(ANYWHERE, listener.getsockname(), False)

        def talk() -> int | None:
            with socket.create_connection(through, 10, ("127.0.0.2", 0)) as client:
                client.sendall(HELLO)
                try:
                    return len(client.recv(1))
                except ConnectionResetError as error:
                    return error.errno

        assert turned.meanwhile(talk) == errno.ECONNRESET
    file = tmp_path / "reset.pcapng"
    file.write_bytes(firewall.capture)
    assert [each.interface for each in packets(file, [through[1]]) if each.reset] == ["inside"]


def test_what_is_closed_is_no_more(turned: Turned, make: Callable[..., Firewall]) -> None:
    """Nobody listens there."""
    firewall = make()
    through = firewall.open(ANYWHERE, ("127.0.0.3", 9), True)
    turned.result(Deferred.fromCoroutine(firewall.close()))
    with socket.socket() as client:
        assert client.connect_ex(through) == errno.ECONNREFUSED


def test_what_cannot_be(turned: Turned, make: Callable[..., Firewall]) -> None:
    """A rule that is none, and an address that is not of this machine."""
    with pytest.raises(ConfigError, match="reset:lunch"):
        make("reset:lunch")
    with pytest.raises(CannotListenError):
        make().open(("192.0.2.1", 0), ("127.0.0.3", 9), True)


def test_to_either_side_it_is_one_address(turned: Turned, make: Callable[..., Firewall]) -> None:
    """Connections leave from where they came in, with a port of their own."""
    with closing(listening()) as listener:
        through = make().open(ANYWHERE, listener.getsockname(), True)

        def meet() -> Address:
            with socket.create_connection(through, 10), listener.accept()[0] as server:
                peer: Address = server.getpeername()
                return peer

        assert turned.meanwhile(meet)[0] == "127.0.0.4"


def test_a_target_that_is_not_reached(turned: Turned, make: Callable[..., Firewall]) -> None:
    """It is known why, and whoever connected is reset."""
    firewall = make()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.3", 0))
        through = firewall.open(ANYWHERE, deaf.getsockname(), True)

        def try_it() -> None:
            with pytest.raises(ConnectionResetError), socket.create_connection(through, 10) as client:
                client.recv(1)

        turned.meanwhile(try_it)
    assert firewall.refusals == ["Connection was refused by other side: 111: Connection refused"]
