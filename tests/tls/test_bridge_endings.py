"""How a bridged connection ends: failures, closes and damage at any point; the far ends are Python's `ssl`."""

from __future__ import annotations

import pytest

from alg.tls.legs import CertificateShown, Ending, Failed, Leg, StreamEnded
from alg.tls.policy import (
    BridgePolicy,
    OnFailure,
    Present,
    ServerLegPolicy,
)
from tests.tls.far_ends import Rig, client, inspector, papers, server

both_versions = pytest.mark.parametrize("version", ["1.2", "1.3"])


def test_refusal_in_the_middle_of_the_clients_handshake() -> None:
    """Whichever comes first, the server's refusal or the client's Finished: the client sees the same end."""
    rig = refused_midway(BridgePolicy(server=ServerLegPolicy(Present.NONE)))
    assert rig.endings == [[], [Ending.FIN]]
    assert not rig.client.shaken
    rig.run()
    assert (rig.client.shaken, rig.client.ended) == (True, "close_notify")
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


def refused_midway(policy: BridgePolicy) -> Rig:
    """The server has refused, and the client has our whole flight."""
    rig = Rig(client("1.3"), server("1.3", papers().root), inspector(policy))
    rig.obey(rig.bridge.feed(Leg.CLIENT, rig.client.step()))
    rig.obey(rig.bridge.feed(Leg.SERVER, rig.server.step()))
    rig.obey(rig.bridge.feed(Leg.SERVER, rig.server.step()))
    assert rig.only(Failed, Leg.SERVER).reason == "tlsv13 alert certificate required"
    return rig


@pytest.mark.parametrize("how", ["eof", "lost", "close", "garbage"])
def test_client_that_goes_in_the_middle_of_its_handshake_after_a_refusal(how: str) -> None:
    """It has its ending then, and nothing more is read."""
    bridge = (rig := refused_midway(BridgePolicy(server=ServerLegPolicy(Present.NONE)))).bridge
    rig.obey(bridge.feed(Leg.CLIENT, bytes(9)) if how == "garbage" else getattr(bridge, how)(Leg.CLIENT))
    assert rig.endings[Leg.CLIENT] == ([] if how == "lost" else [Ending.FIN])
    assert bridge.feed(Leg.CLIENT, bytes(9)).events == []
    assert rig.endings[Leg.SERVER] == [Ending.FIN]


@pytest.mark.parametrize("how", [OnFailure.CLOSE, OnFailure.RESET])
def test_client_is_not_led_to_an_end_without_alert(how: OnFailure) -> None:
    """Where no alert is to be said, there is nothing to wait for."""
    rig = refused_midway(BridgePolicy(server=ServerLegPolicy(Present.NONE), other_leg=how))
    assert rig.endings[Leg.CLIENT] == [Ending.FIN if how is OnFailure.CLOSE else Ending.RESET]


GARBAGE = {
    "sip": (b"OPTIONS sip:a SIP/2.0\r\n\r\n", ""),
    "http": (b"GET / HTTP/1.1\r\n\r\n", "http request"),
    "sslv2": (
        bytes.fromhex(
            "802e0100020015000000100100800200800600400400800700c00800800500804142434445464748494a4b4c4d4e4f50"
        ),
        "",
    ),
    "zeros": (bytes(100), ""),
    "alert": (bytes.fromhex("15030300020228"), "unexpected message"),
    "endless record": (b"\x16\x03\x01\xff\xff" + bytes(70000), ""),
    "server hello": (bytes.fromhex("160303002a0200002600") + bytes(37), ""),
    "cut client hello": (bytes.fromhex("16030100050100000101"), ""),
}


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize("story", GARBAGE)
def test_garbage_from_the_client(story: str, piece: int) -> None:
    """What is no ClientHello never reaches the server, and ends the connection with OpenSSL's reason."""
    data, words = GARBAGE[story]
    rig = Rig(client(), server(), piece=piece)
    for place in range(0, len(data), piece):
        rig.obey(rig.bridge.feed(Leg.CLIENT, data[place : place + piece]))
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    assert words in rig.only(Failed, Leg.CLIENT).reason
    assert rig.server.raw == b""
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_garbage_from_the_server(piece: int) -> None:
    """A server that speaks no TLS is our leg's failure, and the client hears of it by an alert."""
    rig = Rig(client(), server(), piece=piece)
    rig.obey(rig.bridge.feed(Leg.CLIENT, rig.client.step()))
    for byte in b"SIP/2.0 400 Bad Request\r\n\r\n":
        rig.obey(rig.bridge.feed(Leg.SERVER, bytes([byte])))
    rig.client.step()
    assert rig.only(Failed, Leg.SERVER).reason == "wrong version number"
    assert "alert internal error" in rig.client.complaint


def test_server_that_speaks_first() -> None:
    """What a server says unasked is held against it when its leg opens."""
    rig = Rig(client(), server())
    rig.obey(rig.bridge.feed(Leg.SERVER, b"220 ready\r\n"))
    rig.run()
    assert rig.only(Failed, Leg.SERVER).reason == "wrong version number"


@pytest.mark.parametrize(("how", "ending"), [(OnFailure.CLOSE, Ending.FIN), (OnFailure.RESET, Ending.RESET)])
@pytest.mark.parametrize("leg", Leg)
def test_end_without_an_alert(how: OnFailure, ending: Ending, leg: Leg) -> None:
    """A leg that is to be closed or reset is sent no alert, be it the failed one or the other."""
    failed, other = (how, OnFailure.ALERT) if leg is Leg.SERVER else (OnFailure.ALERT, how)
    policy = BridgePolicy(server=ServerLegPolicy(trust=papers().firewall.chain), failed_leg=failed, other_leg=other)
    rig = Rig(client(), server(), inspector(policy)).run()
    assert rig.of(Failed, Leg.SERVER)
    assert rig.endings[leg] == [ending]
    assert rig.alerts(leg, sent=True) == []
    assert rig.alerts(leg.other, sent=True) == ["unknown_ca" if leg is Leg.CLIENT else "internal_error"]
    assert rig.ends[leg].ended == ("reset" if how is OnFailure.RESET else "")
    assert "EOF" in rig.ends[leg].complaint or how is OnFailure.RESET


@pytest.mark.parametrize(
    ("how", "seen"), [(OnFailure.ALERT, "close_notify"), (OnFailure.CLOSE, "eof"), (OnFailure.RESET, "reset")]
)
def test_failure_when_both_legs_are_up(how: OnFailure, seen: str) -> None:
    """Clear text that came before the failure still arrives; then the other leg ends as configured."""
    rig = Rig(client(), server(), inspector(BridgePolicy(other_leg=how))).run()
    rig.client.say(b"OPTIONS")
    rig.obey(rig.bridge.feed(Leg.CLIENT, rig.client.step() + bytes.fromhex("1703030020") + bytes(32)))
    rig.run()
    assert rig.server.received == b"OPTIONS"
    assert rig.only(Failed, Leg.CLIENT).reason == "decryption failed or bad record mac"
    assert rig.alerts(Leg.CLIENT, sent=True) == ["bad_record_mac"]
    assert rig.server.ended == seen


@both_versions
def test_close_is_passed_on(version: str) -> None:
    """Close_notify arrives as such, and what the other side still says does, too."""
    rig = Rig(client(version), server(version)).run()
    rig.client.say_goodbye()
    rig.run(until=lambda: rig.server.ended != "")
    assert rig.server.ended == "close_notify"
    assert rig.endings == [[], [Ending.FIN]]
    rig.server.say(b"BYE")
    rig.server.say_goodbye()
    rig.obey(rig.bridge.feed(Leg.SERVER, rig.server.step()))
    assert rig.of(StreamEnded) == [StreamEnded(Leg.CLIENT, True), StreamEnded(Leg.SERVER, True)]
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]
    assert rig.client.tls.read() == b"BYE"


@both_versions
@pytest.mark.parametrize("leg", Leg)
def test_truncation_is_passed_on(version: str, leg: Leg) -> None:
    """A stream that ends without close_notify ends so on the other leg; an answer that is under way still arrives."""
    rig = Rig(client(version), server(version)).run()
    end, other = rig.ends[leg], rig.ends[leg.other]
    end.say(b"half a message")
    rig.obey(rig.bridge.feed(leg, end.step()))
    other.say(b"the answer")
    under_way = other.step()
    rig.obey(rig.bridge.eof(leg))
    other.step()
    assert (other.received, other.ended) == (b"half a message", "eof")
    assert rig.only(StreamEnded, leg).clean is False
    rig.obey(rig.bridge.feed(leg.other, under_way))
    rig.obey(rig.bridge.close(leg))
    end.step()
    assert (end.received, end.ended) == (b"the answer", "close_notify")
    assert not rig.of(Failed)


def test_fin_behind_close_notify_is_nothing_new() -> None:
    """TCP ends after TLS has; that is told once."""
    rig = Rig(client(), server()).run()
    rig.client.say_goodbye()
    rig.run()
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    assert rig.of(StreamEnded) == [StreamEnded(Leg.CLIENT, True)]


@pytest.mark.parametrize("leg", Leg)
def test_reset_is_passed_on(leg: Leg) -> None:
    """Once both legs are up, a leg that is lost takes the other one with it."""
    rig = Rig(client(), server()).run()
    rig.obey(rig.bridge.lost(leg))
    assert rig.only(Failed, leg).reason == "connection reset"
    assert rig.endings[leg.other] == [Ending.RESET]
    assert rig.bridge.send(leg.other, b"late").to_send == [b"", b""]


def test_server_that_cannot_be_reached() -> None:
    """The client, which has greeted, is told by an alert; it waits for no certificate in vain."""
    rig = Rig(client(), server())
    rig.obey(rig.bridge.feed(Leg.CLIENT, rig.client.step()))
    rig.obey(rig.bridge.lost(Leg.SERVER, "connection refused"))
    rig.client.step()
    assert "alert internal error" in rig.client.complaint
    assert rig.only(Failed, Leg.SERVER).reason == "connection refused"


def test_client_that_goes_before_it_greets() -> None:
    """Nothing was said: no alert, no ClientHello, FIN on both legs."""
    rig = Rig(client(), server())
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    assert rig.only(Failed, Leg.CLIENT).reason == "unexpected eof while reading"
    assert (rig.client.raw, rig.server.raw) == (b"", b"")
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


def test_client_that_goes_while_the_server_waits_for_its_certificate() -> None:
    """The suspended server leg ends with an alert."""
    rig = Rig(client("1.3", papers().client), server("1.3", papers().firewall))
    rig.run(until=lambda: bool(rig.of(CertificateShown)))
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    rig.server.step()
    assert "alert internal error" in rig.server.complaint


def test_client_that_is_cut_before_the_server_leg_is_up() -> None:
    """Without close_notify there is nothing to carry to the end; the server leg is given up."""
    rig = Rig(client("1.2", papers().client), server("1.2", papers().firewall))
    while not rig.client.shaken:
        for leg in (Leg.SERVER, Leg.CLIENT, Leg.CLIENT):
            rig.obey(rig.bridge.feed(leg, rig.ends[leg].step()))
    rig.obey(rig.bridge.eof(Leg.CLIENT))
    assert rig.only(Failed, Leg.CLIENT).reason == "unexpected eof while reading"
    assert rig.endings == [[Ending.FIN], [Ending.FIN]]


def test_server_that_goes_while_its_leg_waits() -> None:
    """Nobody reads a suspended leg, and yet its end is noticed."""
    rig = Rig(client("1.3", papers().client), server("1.3", papers().firewall))
    rig.run(until=lambda: bool(rig.of(CertificateShown)))
    rig.obey(rig.bridge.eof(Leg.SERVER))
    assert rig.only(Failed, Leg.SERVER).reason == "unexpected eof while reading"
    assert rig.run().client.ended == "close_notify"


@pytest.mark.parametrize("gone", ["eof", "lost", "close"])
@pytest.mark.parametrize("leg", Leg)
@both_versions
def test_end_at_any_point(version: str, leg: Leg, gone: str) -> None:
    """Wherever in its bytes a peer goes away, both legs have their ending, and nothing is raised."""
    made, policy = (client(version, papers().client), server(version, papers().firewall)), inspector()
    said = sum(len(data) for data in transcript(Rig(*made, policy))[leg])
    for point in range(0, said, 61):
        rig = Rig(*made, policy)
        left = point
        while True:
            pieces = [end.step() for end in rig.ends]
            pieces[leg], left = pieces[leg][:left], left - len(pieces[leg])
            for place, data in zip(Leg, pieces, strict=True):
                rig.obey(rig.bridge.feed(place, data))
            if left <= 0:
                break
        rig.obey(getattr(rig.bridge, gone)(leg))
        rig.obey(rig.bridge.close(leg))
        rig.obey(rig.bridge.close(leg.other))
        assert rig.endings[leg.other], point
        assert rig.bridge.feed(leg.other, b"late").to_send == [b"", b""]


def transcript(rig: Rig) -> list[list[bytes]]:
    """What each far end says of a handshake and a request."""
    said: list[list[bytes]] = [[], []]
    feed = rig.bridge.feed
    for leg in (Leg.CLIENT, Leg.SERVER) * 6:
        data = rig.ends[leg].step()
        said[leg].append(data)
        rig.obey(feed(leg, data))
    assert rig.bridge.up
    return said


@both_versions
@pytest.mark.parametrize("leg", Leg)
def test_damage_at_any_point(version: str, leg: Leg) -> None:
    """A bit that flips on the way ends the connection or does no harm; nothing is raised, no leg is left open."""
    made, policy = (client(version, papers().client), server(version, papers().firewall)), inspector()
    for point in range(3, 3000, 83):
        rig = Rig(*made, policy)
        seen = 0
        for place in (Leg.CLIENT, Leg.SERVER) * 6:
            data = bytearray(rig.ends[place].step())
            if place is leg:
                if seen <= point < seen + len(data):
                    data[point - seen] ^= 1 << point % 8
                seen += len(data)
            rig.obey(rig.bridge.feed(place, bytes(data)))
        if not rig.of(Failed):
            for place in Leg:
                rig.obey(rig.bridge.eof(place))
        assert all(rig.endings), point
