"""Rows on the real wire: tcpdump on loopback, tshark as the judge, `sipalg proxy` as the firewall of T4."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alg.edge.entrance import Address
from alg.tls.policy import TlsVersion
from harness.ca import Pki
from harness.peers.tls_findings import Outcome
from harness.peers.tls_rows import ROWS, Situation
from harness.peers.tls_stage import Surroundings, Way, run_row
from tests.conftest import StartProxy
from tests.harness.peers.capturing import Packet, captured, packets
from tests.harness.peers.middle import Middle
from tests.harness.peers.turning import Turned

Packets = list[Packet]

WARNING, FATAL = 1, 2
CLOSE_NOTIFY, CERTIFICATE_UNKNOWN, UNKNOWN_CA = 0, 46, 48
CLIENT_HELLO, CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 1, 11, 15, 16, 20
CHANGE_CIPHER_SPEC, ALERT = 20, 21
EXPRESSWAY, WEBEX, FIREWALL = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@dataclass
class Wire:
    """A run under capture."""

    turned: Turned
    pki: Pki
    folder: Path
    stack: ExitStack
    ports: list[int] = field(default_factory=list)

    def run(self, name: str, version: TlsVersion = TlsVersion.TLS_1_2, enders: int = 2) -> tuple[Outcome, Packets]:
        """A broken row, peer to peer; `enders` is how many addresses send FIN or RST."""

        def way(server: Address, situation: Situation) -> Address:
            self._capture([server[1]], enders)
            return server

        return self._run(name, False, version, way)

    def through_a_firewall(self, fixed: bool, version: TlsVersion) -> tuple[Outcome, Packets]:
        """T4, with a firewall in this process."""
        middle = Middle(self.turned)

        def way(server: Address, situation: Situation) -> Address:
            through = middle.way(server, situation)
            self._capture([server[1], through[1]], 4 if fixed else 3)
            return through

        self.stack.callback(middle.close)
        return self._run("T4", fixed, version, way)

    def through_a_process(self, start_proxy: StartProxy, own: Path) -> tuple[Outcome, Packets]:
        """T4 broken, with `sipalg proxy` as the firewall, whose own capture goes into a file."""

        def way(server: Address, situation: Situation) -> Address:
            inspect = [word for rule in situation.inspection for word in ("--tls-inspect", rule)]
            ends = ("--listen", f"{FIREWALL}:0", "--to", f"{server[0]}:{server[1]}")
            proxy = start_proxy(*ends, "--capture", str(own), *inspect)
            self._capture([server[1], proxy.port], 3)
            return FIREWALL, proxy.port

        return self._run("T4", False, TlsVersion.TLS_1_2, way)

    def _run(self, name: str, fixed: bool, version: TlsVersion, way: Way) -> tuple[Outcome, Packets]:
        keys = self.folder / "keys"
        with keys.open("wb", 0) as key_log, self.stack:
            around = Surroundings(version=version, pki=self.pki, way=way, key_log=key_log.write)
            run = self.turned.result(run_row(self.turned.reactor, ROWS[name], fixed, around))
        assert run.passed, run.reasons
        return run.outcome, packets(self.folder / "wire.pcap", self.ports, keys)

    def _capture(self, ports: list[int], enders: int) -> None:
        self.ports = ports
        self.stack.enter_context(captured(self.folder / "wire.pcap", ports, enders))


@pytest.fixture
def wire(turned: Turned, pki: Pki, tmp_path: Path) -> Wire:
    """For one run."""
    return Wire(turned, pki, tmp_path, ExitStack())


def place_of(seen: Packets, message: int, source: str) -> int:
    """Where somebody's handshake message is."""
    return next(at for at, each in enumerate(seen) if message in each.messages and each.source[0] == source)


def test_t1_the_alert_is_unknown_ca(wire: Wire) -> None:
    """From Expressway-E, right behind Webex's certificate; then FIN from both, and no reset."""
    _, seen = wire.run("T1")
    (alert,) = [each for each in seen if each.alerts]
    assert (alert.source[0], alert.alerts) == (EXPRESSWAY, ((FATAL, UNKNOWN_CA),))
    assert seen.index(alert) > place_of(seen, CERTIFICATE, WEBEX)
    assert CHANGE_CIPHER_SPEC not in [kind for each in seen for kind in each.contents if each.source[0] == EXPRESSWAY]
    assert [each.source[0] for each in seen if each.reset] == []
    assert {each.source[0] for each in seen if each.fin} == {EXPRESSWAY, WEBEX}


@pytest.mark.parametrize("name", ["T2", "T6"])
def test_t2_and_t6_the_reset_is_expressways(wire: Wire, name: str) -> None:
    """RST right behind Webex's certificate, no alert, and nothing else of Expressway-E's in between."""
    _, seen = wire.run(name, enders=1)
    (reset,) = [each for each in seen if each.reset]
    assert reset.source[0] == EXPRESSWAY
    shown = place_of(seen, CERTIFICATE, WEBEX)
    assert [each.contents for each in seen[shown + 1 :] if each.source[0] == EXPRESSWAY and each.contents] == []
    assert [each for each in seen if each.alerts or ALERT in each.contents] == []


@pytest.mark.parametrize("name", ["T3", "T7"])
def test_t3_and_t7_one_certificate_and_certificate_unknown(wire: Wire, name: str) -> None:
    """Expressway-E's leaf alone, then Webex's alert."""
    _, seen = wire.run(name)
    shown = seen[place_of(seen, CERTIFICATE, EXPRESSWAY)]
    assert shown.certificates == 1
    (alert,) = [each for each in seen if each.alerts]
    assert (alert.source[0], alert.alerts) == (WEBEX, ((FATAL, CERTIFICATE_UNKNOWN),))
    assert [each for each in seen if each.reset] == []


def test_t5_the_whole_chain_and_certificate_unknown(wire: Wire) -> None:
    """Three certificates, and Webex's alert all the same."""
    _, seen = wire.run("T5")
    assert seen[place_of(seen, CERTIFICATE, EXPRESSWAY)].certificates == 3
    assert [(each.source[0], each.alerts) for each in seen if each.alerts] == [(WEBEX, ((FATAL, CERTIFICATE_UNKNOWN),))]


@pytest.mark.parametrize(("name", "sender", "description"), [("T1", EXPRESSWAY, 48), ("T7", WEBEX, 46)])
def test_the_alert_in_tls_1_3(wire: Wire, name: str, sender: str, description: int) -> None:
    """Decrypted where it is encrypted: the same alert as in TLS 1.2."""
    _, seen = wire.run(name, TlsVersion.TLS_1_3)
    assert [(each.source[0], each.alerts) for each in seen if each.alerts] == [(sender, ((FATAL, description),))]


def test_t4_on_both_sides_of_the_firewall(wire: Wire, start_proxy: StartProxy, tmp_path: Path) -> None:
    """Inside a RST as if from Webex behind the client's last flight; outside none, only silence; no alert anywhere."""
    result, seen = wire.through_a_process(start_proxy, tmp_path / "own.pcapng")
    check_the_ends(result, seen)
    mine = [each for each in seen if each.source == result.inside.local]
    assert [message for each in mine for message in each.messages] == [
        CLIENT_HELLO,
        *(CERTIFICATE, CLIENT_KEY_EXCHANGE, CERTIFICATE_VERIFY),
        FINISHED,
    ]
    assert CHANGE_CIPHER_SPEC in [each for each in mine if each.contents][-1].contents
    own = packets(tmp_path / "own.pcapng", wire.ports)
    assert [each.interface for each in own if each.reset] == ["inside"]
    assert 'Detail="No SSL error available, probably remote disconnect"' in result.log_inside
    assert 'Detail="TCP Connection Closed" Reason="Got EOF on socket"' in result.log_inside


def test_t4_in_tls_1_3(wire: Wire) -> None:
    """The same, at the first record of the client's last flight."""
    result, seen = wire.through_a_firewall(False, TlsVersion.TLS_1_3)
    check_the_ends(result, seen)
    assert 'Detail="No SSL error available, probably remote disconnect"' in result.log_inside


def check_the_ends(result: Outcome, seen: Packets) -> None:
    """The one reset, from whom Expressway-E takes for Webex, is the last it hears; Webex hears nothing, and leaves."""
    inside = [each for each in seen if EXPRESSWAY in (each.source[0], each.destination[0])]
    outside = [each for each in seen if WEBEX in (each.source[0], each.destination[0])]
    assert len(inside) + len(outside) == len(seen)
    (reset,) = [each for each in seen if each.reset]
    assert (reset.source, reset.destination) == (result.inside.remote, result.inside.local)
    assert reset is inside[-1]
    assert [each for each in seen if each.alerts or ALERT in each.contents] == []
    assert next(each for each in outside if each.fin).source == result.outside.local


def test_t4_without_the_inspection(wire: Wire) -> None:
    """No reset on either side of the firewall, no alert but the two goodbyes; SIP crosses."""
    result, seen = wire.through_a_firewall(True, TlsVersion.TLS_1_2)
    assert result.succeeded
    assert [each for each in seen if each.reset] == []
    assert {alert for each in seen for alert in each.alerts} == {(WARNING, CLOSE_NOTIFY)}
