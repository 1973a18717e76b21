"""How the kernel of a router hands packets to an inline ALG: policy routes, and who answers ARP for outside addresses.

Strategy: what comes from an inside network, and what goes to an address that stands for inside hosts, is routed into
the tun device; what comes out of it is routed by the main table. What the router itself says goes there only if it is
for such an address, as ICMP errors are. An outside address that the router has itself would be delivered to it, so its
local route makes way while we are here. A packet is routed before anybody asks whether a socket of the router's is its
receiver (early demultiplexing): one in TIME-WAIT, of a proxy that used the address before, would swallow it.

Everything is put back at the end. What a killed process left behind bears our mark, and is cleared before installing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from netaddr import IPAddress, IPNetwork

from alg.errors import ConfigError
from harness.system import run

_MARK = 209
"""Routing protocol number of what is ours; none of /etc/iproute2/rt_protos has it."""
_FIRST_PREFERENCE = 900
"""Of the policy rules: before the main table (32766)."""
_TABLE = 20900
_QUEUE = 2000
"""Packets that may wait in the device for us; the default of 500 is half a window of one fast connection."""
_SYSCTL = Path("/proc/sys/net/ipv4")


class InlineRoutes:
    """The routes of one tun device."""

    def __init__(self, device: str, inside: Iterable[IPNetwork], outside: Iterable[IPAddress]) -> None:
        self._device = device
        self._inside = [str(network.cidr) for network in inside]
        self._outside = sorted({str(address) for address in outside})
        self._sysctls: dict[Path, str] = {}

    def install(self) -> None:
        """Bring the device up and route packets into it; ConfigError if the system refuses, and nothing is left."""
        self._refuse_company()
        _clear()
        try:
            run(["ip", "link", "set", self._device, "txqueuelen", str(_QUEUE), "up"])
            self._set("ip_forward", "1")
            self._set("tcp_early_demux", "0")
            self._set("conf/all/rp_filter", "0")
            self._set(f"conf/{self._device}/rp_filter", "0")
            self._set(f"conf/{self._device}/accept_local", "1")
            _ip(f"route add default dev {self._device} table {_TABLE}")
            self._add_rules()
            for address in self._outside:
                self._answer_for(address)
        except ConfigError:
            self.remove()
            raise

    def remove(self) -> None:
        """Put everything back."""
        _clear()
        for path, value in self._sysctls.items():
            if path.exists():
                path.write_text(value, "ascii")
        self._sysctls.clear()

    def _refuse_company(self) -> None:
        """One router at a time: two would take each other's packets."""
        for rule in _rules():
            device = rule.get("iif")
            if device not in (None, "lo", self._device) and "iif_detached" not in rule:
                raise ConfigError(f"--install-routes: sipalg inline on {device} has its routes here already")

    def _add_rules(self) -> None:
        """In the order in which the kernel asks them."""
        selectors = [
            (f"iif {self._device}", "main"),
            *((f"to {address}", str(_TABLE)) for address in self._outside),
            ("iif lo", "main"),
            *((f"from {network}", str(_TABLE)) for network in self._inside),
        ]
        for preference, (selector, table) in enumerate(selectors, _FIRST_PREFERENCE):
            _ip(f"rule add pref {preference} {selector} lookup {table} protocol {_MARK}")

    def _answer_for(self, address: str) -> None:
        """Answer ARP on the links whose network holds the address, and do not take its packets for ourselves."""
        for link in _links():
            networks = [IPNetwork(f"{entry['local']}/{entry['prefixlen']}") for entry in link["addr_info"]]
            if any(IPAddress(address) in network for network in networks):
                self._set(f"neigh/{link['ifname']}/proxy_delay", "0")
                _ip(f"neigh replace proxy {address} dev {link['ifname']} protocol {_MARK}")
            if any(entry["local"] == address for entry in link["addr_info"]):
                _ip(f"route del local {address} table local")

    def _set(self, name: str, value: str) -> None:
        """Set a kernel parameter, remembering what it was."""
        path = _SYSCTL / name
        self._sysctls.setdefault(path, path.read_text("ascii").strip())
        path.write_text(value, "ascii")


def _clear() -> None:
    """Remove what is ours, also that of a process that was killed."""
    for rule in _rules():
        _ip(f"rule del pref {rule['priority']} protocol {_MARK}")
    for entry in _json("neigh show proxy"):
        if entry.get("protocol") == str(_MARK):
            _ip(f"neigh del proxy {entry['dst']} dev {entry['dev']}")
    for link in _links():
        for entry in link["addr_info"]:
            _restore_local(link["ifname"], entry["local"])


def _restore_local(device: str, address: str) -> None:
    """An address of the router's own is delivered to it."""
    if not _json(f"route show table local type local exact {address}"):
        _ip(f"route add local {address} dev {device} table local proto kernel scope host src {address}")


def _rules() -> list[dict[str, Any]]:
    return [rule for rule in _json("-4 rule show") if rule.get("protocol") == str(_MARK)]


def _links() -> list[dict[str, Any]]:
    """Devices with their IPv4 addresses."""
    return [link for link in _json("-4 address show") if link.get("addr_info")]


def _ip(line: str) -> None:
    run(["ip", *line.split()])


def _json(line: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-j", *line.split()]) or "[]")
    return found
