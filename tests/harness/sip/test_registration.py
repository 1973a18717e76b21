"""Registering: in time, with a password, until it is stopped."""

from __future__ import annotations

from harness.sip.digest import Challenge, Credentials, proves
from harness.sip.message import Request, Response
from harness.sip.registration import Registration
from harness.sip.server import ServerTransaction
from tests.harness.sip.network import Network

PHONE, REGISTRAR = "192.0.2.1", "192.0.2.2"
WHO = Credentials("phone", "secret")


class Registrar:
    """Answers REGISTERs one after the other, the last answer again and again."""

    def __init__(self, network: Network, *answers: tuple[int, list[tuple[str, str]]]) -> None:
        self.asked: list[tuple[float, Request]] = []
        self.answers = list(answers)
        self.clock = network.clock
        network.agent(REGISTRAR).handlers["REGISTER"] = self.answer

    def answer(self, request: Request, transaction: ServerTransaction) -> None:
        """The next one."""
        self.asked.append((round(self.clock.seconds()), request))
        status, fields = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        transaction.respond(Response.to_request(request, status, "", fields, "tag"))

    @property
    def times(self) -> list[float]:
        """Seconds."""
        return [time for time, _ in self.asked]


def register(network: Network, expires: int = 100) -> Registration:
    """A phone registers."""
    phone = network.agent(PHONE, credentials=WHO)
    return phone.register(f"sip:{REGISTRAR}", expires)


def test_refreshed_in_time(network: Network) -> None:
    """At four fifths of what was granted, which may be less than what was asked for."""
    registrar = Registrar(
        network, (200, [("Contact", "<sip:a>;expires=500"), ("Contact", "<sip:user@192.0.2.1>;expires=50")])
    )
    registration = register(network)
    network.run(100)
    assert registration.granted == 50
    assert registrar.times == [0, 40, 80]
    requests = [request for _, request in registrar.asked]
    assert len({request.call_id for request in requests}) == 1
    assert [request.cseq.number - requests[0].cseq.number for request in requests] == [0, 1, 2]
    assert requests[0].to.uri == f"sip:user@{PHONE}"
    assert not requests[0].to.tag


def test_granted_by_expires(network: Network) -> None:
    """If Contact does not say."""
    registrar = Registrar(network, (200, [("Expires", "20")]))
    register(network)
    network.run(17)
    assert registrar.times == [0, 16]


def test_password(network: Network) -> None:
    """Asked for once for each REGISTER, proved each time."""
    challenge = Challenge("realm", "nonce")
    asked = (401, [("WWW-Authenticate", str(challenge))])
    registrar = Registrar(network, asked, (200, [("Expires", "3600")]))
    registration = register(network)
    network.run(1)
    assert registration.registered
    first, second = (request for _, request in registrar.asked)
    assert first.first("Authorization") is None
    proof = second.first("Authorization")
    assert proof is not None
    assert proves(proof, challenge, WHO, "REGISTER")
    assert second.cseq.number == first.cseq.number + 1


def test_wrong_password(network: Network) -> None:
    """Is asked for once more if the nonce was stale, and not for ever; tried again later."""
    stale = (401, [("WWW-Authenticate", str(Challenge("realm", "nonce", stale=True)))])
    registrar = Registrar(network, stale)
    registration = register(network)
    network.run(50)
    assert len(registrar.asked) == 3
    assert not registration.registered
    fresh = (401, [("WWW-Authenticate", str(Challenge("realm", "nonce")))])
    registrar.answers = [fresh]
    network.run(60)
    assert len(registrar.asked) == 5


def test_too_brief(network: Network) -> None:
    """423 says what is long enough (10.3)."""
    registrar = Registrar(network, (423, [("Min-Expires", "600")]), (200, [("Expires", "600")]))
    registration = register(network)
    network.run(1)
    assert [request.number("Expires") for _, request in registrar.asked] == [100, 600]
    assert registration.registered


def test_registrar_is_gone(network: Network) -> None:
    """Tried again after as long as it was to last."""
    registrar = Registrar(network, (503, []), (200, [("Expires", "100")]))
    registration = register(network)
    heard: list[object] = []
    registration.on_outcome = heard.append
    network.run(1)
    assert not registration.registered
    network.run(101)
    assert registrar.times == [0, 100]
    assert registration.registered
    assert len(heard) == 2


def test_stop(network: Network) -> None:
    """Expires 0, and nothing more."""
    registrar = Registrar(network, (200, [("Expires", "10")]))
    registration = register(network)
    network.run(1)
    stopped = registration.stop()
    network.run(100)
    assert [request.number("Expires") for _, request in registrar.asked] == [100, 0]
    assert isinstance(stopped.result, Response)
    assert not registration.registered


def test_abandon(network: Network) -> None:
    """Says nothing."""
    registrar = Registrar(network, (200, [("Expires", "10")]))
    registration = register(network)
    network.run(1)
    registration.abandon()
    network.run(100)
    assert len(registrar.asked) == 1


def test_contacts_that_cannot_be_read(network: Network) -> None:
    """Leave what Expires says."""
    Registrar(network, (200, [("Contact", "<sip:a"), ("Expires", "30")]))
    registration = register(network)
    network.run(1)
    assert registration.granted == 30


def test_nothing_is_refreshed_without_the_element(network: Network) -> None:
    """Its timer ends with it, also if the REGISTER was on its way."""
    registrar = Registrar(network, (200, [("Expires", "20")]))
    register(network)
    network.run(1)
    assert network.close() == []
    network.run(100)
    assert registrar.times == [0]
