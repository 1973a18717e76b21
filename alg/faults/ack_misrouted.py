"""The ACK of a call goes astray: its Request-URI is replaced by the firewall's own address, or it is lost."""

from __future__ import annotations

from alg.config import parse_address, parse_port
from alg.errors import ConfigError
from alg.faults.base import Case, Fault, Parameter
from alg.rewrite import Edit
from alg.sip.message import summarise

_DROP = "drop"


class AckMisrouted(Fault):
    """The callee never sees the ACK, repeats its 200 and gives up after 32 s (RFC 3261 13.3.1.4)."""

    name = "ack-misrouted"
    title = "the Request-URI of an ACK names the firewall, or the ACK is dropped"
    source = "Cisco document 214282 (ASA, port 5062)"
    parameters = (Parameter("to", "ADDRESS+PORT that replaces the domain, or drop", _DROP),)

    def __post_init__(self) -> None:
        if self.settings["to"] != _DROP:
            self._target()

    def address_edits(self, case: Case, edits: list[Edit]) -> list[Edit]:
        """With another host in the Request-URI."""
        if self.settings["to"] == _DROP or not _is_ack(case):
            return edits
        data = case.message.data
        start = data.index(b" ") + 1
        stop = data.index(b" ", start)
        scheme, colon, rest = data[start:stop].partition(b":")
        user, at, _ = rest.rpartition(b"@")
        new = scheme + colon + user + at + self._target()
        return [edit for edit in edits if edit[0] >= stop] + [(start, stop, new, "Request-URI")]

    def leaves(self, case: Case, after: bytes) -> bytes:
        """Nothing, if ACKs are dropped."""
        return b"" if self.settings["to"] == _DROP and _is_ack(case) else after

    def _target(self) -> bytes:
        host, plus, port = self.settings["to"].partition("+")
        if not plus:
            raise ConfigError(f"{self.name}: to={self.settings['to']}: neither ADDRESS+PORT nor {_DROP}")
        address = parse_address(host, f"{self.name}: to")
        return f"{address}:{parse_port(port, f'{self.name}: to')}".encode()


def _is_ack(case: Case) -> bool:
    return summarise(case.message.data).method == "ACK"
