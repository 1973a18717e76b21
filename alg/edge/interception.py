"""How the kernel hands connections to a transparent proxy: nftables rules, a policy route, and local addresses.

Strategy: what is to be intercepted comes in, command lines come out; whoever prints them and whoever runs them use the
same. Each proxy has a table, a mark and a routing table of its own, numbered by its port. Every command line may run
again, so that installing after a crash leaves no more than installing once.

What is intercepted: connections to the SIP ports of other machines, and every connection to an address that stands for
inside ones, since a binding may have any port. Those addresses become the router's (it answers ARP for them, and media
doors can listen there), by routes of a metric that nobody else has.

TPROXY hands a connection over as it is; REDIRECT translates its destination, and conntrack remembers the original one
(Linux, Documentation/networking/tproxy.rst). What arrives for a server leg that has somebody else's address is marked
and routed to us in both. With REDIRECT it must not be tracked: with the client's address its numbers are those of the
client's own connection, which conntrack would translate once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_FIRST_NUMBER = 100_000
"""Above ports and the reserved routing tables (253-255)."""
_PREFERENCE = 1000
"""Of the policy route: before the main routing table (32766)."""
_SYN = "tcp flags & (fin | syn | rst | ack) == syn"
_OWN_SOCKET = "meta l4proto tcp socket transparent 1"


class Method(Enum):
    """How the kernel intercepts."""

    TPROXY = "tproxy"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run."""

    words: tuple[str, ...]
    stdin: str = ""
    may_fail: bool = False
    """It fails if it finds its work done."""

    @classmethod
    def ip(cls, line: str, may_fail: bool = False) -> Command:
        """One of iproute2's."""
        return cls(("ip", *line.split()), may_fail=may_fail)

    def __str__(self) -> str:
        """As a shell takes it."""
        line = " ".join(self.words)
        if self.stdin:
            return f"{line} <<'EOF'\n{self.stdin}EOF"
        return f"{line} 2>/dev/null || true" if self.may_fail else line


@dataclass(frozen=True, slots=True)
class Interception:
    """What one listening socket is to get."""

    method: Method
    listen: tuple[str, int]
    """Address and port of the proxy."""
    ports: tuple[int, ...]
    """SIP ports."""
    outside: tuple[str, ...] = ()
    """Addresses that stand for inside ones."""

    @property
    def number(self) -> int:
        """Packet mark, routing table and metric of what is ours."""
        return _FIRST_NUMBER + self.listen[1]

    @property
    def table(self) -> str:
        """The nftables table."""
        return f"ip sipalg_{self.listen[1]}"

    def install(self) -> Iterator[Command]:
        """What starts the interception."""
        number = self.number
        yield Command(("nft", "-f", "-"), self.ruleset())
        yield Command.ip(f"rule add pref {_PREFERENCE} fwmark {number} lookup {number}", may_fail=True)
        yield Command.ip(f"route replace local 0.0.0.0/0 dev lo table {number}")
        yield Command.ip(f"route flush table local metric {number}")
        for address in self.outside:
            yield Command.ip(f"route replace local {address} dev lo table local metric {number}")

    def remove(self) -> Iterator[Command]:
        """What ends it, whether or not all of it is there."""
        number = self.number
        yield Command(("nft", "delete", "table", *self.table.split()), may_fail=True)
        yield Command.ip(f"rule del pref {_PREFERENCE} fwmark {number} lookup {number}", may_fail=True)
        yield Command.ip(f"route flush table {number}", may_fail=True)
        yield Command.ip(f"route flush table local metric {number}")

    def script(self) -> str:
        """All of it for a shell."""
        install = "\n".join(map(str, self.install()))
        remove = "\n".join(f"# {command}" for command in self.remove())
        return f"{install}\n\n# to remove it:\n{remove}\n"

    def ruleset(self) -> str:
        """The nftables table, in place of any of that name (`nft -f` is one transaction)."""
        chains = self._tproxy_chains() if self.method is Method.TPROXY else self._redirect_chains()
        parts = [*self._outside_set(), *chains]
        body = "\n".join(f"    {line}" for part in parts for line in part)
        return f"table {self.table}\ndelete table {self.table}\ntable {self.table} {{\n{body}\n}}\n"

    def _tproxy_chains(self) -> Iterator[list[str]]:
        """A SYN is looked at first: one that finds a connection in TIME_WAIT is a new connection."""
        host, port = self.listen
        deed = f"tproxy to {_unless_any(host)}:{port} meta mark set {self.number} accept"
        yield _chain(
            "prerouting",
            "filter hook prerouting priority mangle",
            'iif "lo" accept',
            *(f"{_SYN} {match} {deed}" for match in self._matches()),
            f"{_OWN_SOCKET} meta mark set {self.number} accept",
        )

    def _redirect_chains(self) -> Iterator[list[str]]:
        host, port = self.listen
        deed = f"dnat to {host}:{port}" if _unless_any(host) else f"redirect to :{port}"
        yield _chain(
            "returning",
            "filter hook prerouting priority raw",
            f"{_OWN_SOCKET} meta mark set {self.number} notrack accept",
        )
        yield _chain("leaving", "filter hook output priority raw", f"{_OWN_SOCKET} notrack")
        yield _chain(
            "prerouting",
            "nat hook prerouting priority dstnat",
            'iif "lo" accept',
            *(f"{match} {deed}" for match in self._matches()),
        )

    def _matches(self) -> Iterator[str]:
        if self.outside:
            yield "ip daddr @outside meta l4proto tcp"
        yield f"tcp dport {{ {', '.join(map(str, self.ports))} }} fib daddr type != local"

    def _outside_set(self) -> Iterator[list[str]]:
        if self.outside:
            elements = ", ".join(self.outside)
            yield ["set outside {", "    type ipv4_addr", f"    elements = {{ {elements} }}", "}"]


def _chain(name: str, hook: str, *rules: str) -> list[str]:
    return [f"chain {name} {{", f"    type {hook}; policy accept;", *(f"    {rule}" for rule in rules), "}"]


def _unless_any(host: str) -> str:
    return "" if host == "0.0.0.0" else host
