"""TLS under SIP: against the standard library's, in memory and on sockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import pytest
from OpenSSL import SSL

from harness.sip.flow import FlowFailed, Loss, Target
from harness.sip.security import Ending, Plain, Tls, tls
from tests.harness.conftest import Pki
from tests.harness.peers.turning import Turned
from tests.harness.sip.samples import request, response
from tests.harness.sip.sockets import HOST, Node, dial

ENDS = (("192.0.2.1", 1), ("192.0.2.2", 2))


def server_context(pki: Pki, mutual: bool = False) -> SSL.Context:
    """A server's, by OpenSSL."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate_chain_file(str(pki.server))
    context.use_privatekey_file(str(pki.server))
    if mutual:
        context.load_verify_locations(str(pki.ca))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *judged: bool(judged[-1]))
    return context


def client_context(pki: Pki, trusts: bool = True) -> SSL.Context:
    """A client's, which verifies."""
    context = SSL.Context(SSL.TLS_METHOD)
    if trusts:
        context.load_verify_locations(str(pki.ca))
    context.set_verify(SSL.VERIFY_PEER, lambda *judged: bool(judged[-1]))
    return context


class Library:
    """The other end, by the standard library."""

    def __init__(self, pki: Pki) -> None:
        context = ssl.create_default_context(cafile=str(pki.ca))
        context.check_hostname = True
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.end = context.wrap_bio(self.incoming, self.outgoing, server_hostname="target.example")

    def shake(self, layer: Tls) -> None:
        """Until both are through."""
        for _ in range(5):
            with suppress(ssl.SSLWantReadError):
                self.end.do_handshake()
            self.incoming.write(layer.feed(self.outgoing.read()).send)
            if layer.up:
                self.end.do_handshake()
                return


def test_against_the_standard_library(pki: Pki) -> None:
    """Clear text both ways, and a goodbye in order."""
    layer = Tls(server_context(pki), True)
    assert layer.opened(*ENDS).send == b""
    library = Library(pki)
    library.shake(layer)
    library.end.write(b"OPTIONS")
    assert layer.feed(library.outgoing.read()).clear == b"OPTIONS"
    library.incoming.write(layer.write(b"SIP/2.0").send)
    assert library.end.read() == b"SIP/2.0"
    goodbye = layer.hang_up()
    assert goodbye.ending is Ending.CLOSE
    library.incoming.write(goodbye.send)
    assert library.end.read() == b"" or library.end.pending() == 0


def test_garbage(pki: Pki) -> None:
    """Is a failure, with an alert to be sent; behind it nothing happens any more."""
    layer = Tls(server_context(pki), True)
    step = layer.feed(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
    assert step.ending is Ending.CLOSE
    assert step.failure
    assert not layer.up
    assert layer.feed(b"more").send == b""
    layer.lost(Loss.EOF)


def test_plain() -> None:
    """Changes nothing."""
    layer = Plain()
    assert (layer.opened(*ENDS).send, layer.feed(b"a").clear, layer.write(b"b").send) == (b"", b"a", b"b")
    assert layer.hang_up().ending is Ending.CLOSE
    layer.lost(Loss.EOF)


@pytest.fixture
def nodes(turned: Turned, pki: Pki) -> Iterator[tuple[Node, Node, Target]]:
    """One that trusts, and one that is trusted."""
    alice, bob = Node(turned, tls(None, client_context(pki))), Node(turned)
    address = bob.transport.listen("TLS", (HOST, 0), tls(server_context(pki), None))
    yield alice, bob, Target("TLS", *address, "target.example")
    alice.close()
    bob.close()


def test_on_sockets(nodes: tuple[Node, Node, Target]) -> None:
    """A request and its response over one connection."""
    alice, bob, target = nodes
    flow = alice.flow(target)
    flow.send(request("OPTIONS"))
    (asked,) = bob.got(1)
    bob.messages[0][1].send(response(asked, 200))
    alice.got(1)
    assert flow.kind == bob.messages[0][1].kind == "TLS"
    assert alice.flow(target) is flow


def test_not_trusted(turned: Turned, pki: Pki, nodes: tuple[Node, Node, Target]) -> None:
    """Who waits for the connection is told why there is none; so is the other side."""
    _, bob, target = nodes
    stranger = Node(turned, tls(None, client_context(pki, trusts=False)))
    with pytest.raises(FlowFailed, match="certificate verify failed"):
        stranger.flow(target)
    turned.until("both know", lambda: bool(bob.losses))
    assert stranger.losses == bob.losses == [Loss.TLS]
    stranger.close()


def test_no_tls(nodes: tuple[Node, Node, Target]) -> None:
    """Who does not speak TLS to a TLS port is gone soon."""
    _, bob, target = nodes
    with dial(target.address) as client:
        client.sendall(request("OPTIONS").to_bytes())
        bob.turned.until("it is gone", lambda: bool(bob.losses))
    assert bob.losses == [Loss.TLS]
    assert bob.messages == []


@pytest.mark.parametrize("rude", [True, False])
def test_no_answer_to_hello(turned: Turned, pki: Pki, rude: bool) -> None:
    """A server that closes in the middle of the handshake, or says nothing, is a failure and no connection."""
    alice, bob = Node(turned, tls(None, client_context(pki)), connect_timeout=0.3), Node(turned)
    with socket.create_server((HOST, 0)) as silent:
        address = bob.transport.listen("TCP", (HOST, 0)) if rude else silent.getsockname()
        with pytest.raises(FlowFailed) as caught:
            alice.flow(Target("TLS", *address, "target.example"))
    assert caught.value.loss is (Loss.EOF if rude else Loss.TIMEOUT)
    alice.close()
    bob.close()
