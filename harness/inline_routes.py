"""How the kernel of a router hands packets to an inline ALG: policy routes, and who answers ARP for outside addresses.

Strategy: what comes from an inside network, and what goes to an address that stands for inside hosts, is routed into
the tun device; what comes out of it is routed by the main table. An outside address that the router has itself would
be delivered to it, so its local route makes way while we are here. Everything is put back at the end; what a killed
process left behind is cleared before installing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from netaddr import IPAddress, IPNetwork

from alg.errors import ConfigError
from harness.system import run

_PREFERENCES = {"returning": 900, "inside": 901, "outside": 902}
"""Of the policy rules: before the main table (32766)."""
_TABLE = 20900
_SYSCTL = Path("/proc/sys/net/ipv4")


class InlineRoutes:
    """The routes of one tun device."""

    def __init__(self, device: str, inside: Iterable[IPNetwork], outside: Iterable[IPAddress]) -> None:
        self._device = device
        self._inside = [str(network.cidr) for network in inside]
        self._outside = sorted({str(address) for address in outside})
        self._sysctls: dict[Path, str] = {}
        self._undo: list[str] = []

    def install(self) -> None:
        """Bring the device up and route packets into it; ConfigError if the system refuses, and nothing is left."""
        _clear()
        try:
            run(["ip", "link", "set", self._device, "up"])
            self._set(_SYSCTL / "ip_forward", "1")
            for name in ("all", self._device):
                self._set(_SYSCTL / "conf" / name / "rp_filter", "0")
            run(["ip", "route", "add", "default", "dev", self._device, "table", str(_TABLE)])
            self._rule("returning", f"iif {self._device}", "main")
            for network in self._inside:
                self._rule("inside", f"from {network}", str(_TABLE))
            for address in self._outside:
                self._rule("outside", f"to {address}", str(_TABLE))
                self._answer_for(address)
        except ConfigError:
            self.remove()
            raise

    def remove(self) -> None:
        """Put everything back."""
        for command in reversed(self._undo):
            _try(command)
        self._undo.clear()
        for path, value in self._sysctls.items():
            if path.exists():
                path.write_text(value, "ascii")
        self._sysctls.clear()
        _clear()

    def _rule(self, kind: str, selector: str, table: str) -> None:
        run(["ip", "rule", "add", "pref", str(_PREFERENCES[kind]), *selector.split(), "lookup", table])

    def _answer_for(self, address: str) -> None:
        """Answer ARP on the links whose network holds the address, and do not take its packets for ourselves."""
        for device, networks in _links().items():
            if any(IPAddress(address) in network for network in networks):
                run(["ip", "neigh", "replace", "proxy", address, "dev", device])
                self._undo.append(f"ip neigh del proxy {address} dev {device}")
        for route in _json(["ip", "-j", "route", "show", "table", "local", "type", "local", "exact", address]):
            local = f"local {address} dev {route['dev']} table local"
            run(["ip", "route", "del", *local.split()])
            self._undo.append(f"ip route add {local} proto kernel scope host src {route.get('prefsrc', address)}")

    def _set(self, path: Path, value: str) -> None:
        """Set a kernel parameter, remembering what it was."""
        self._sysctls[path] = path.read_text("ascii").strip()
        path.write_text(value, "ascii")


def _clear() -> None:
    """Remove our rules, also those of a process that was killed."""
    for preference in _PREFERENCES.values():
        while _try(f"ip rule del pref {preference}"):
            pass


def _links() -> dict[str, list[IPNetwork]]:
    """The networks that each interface is on."""
    links = {}
    for link in _json(["ip", "-j", "-4", "addr", "show"]):
        networks = [IPNetwork(f"{entry['local']}/{entry['prefixlen']}") for entry in link.get("addr_info", ())]
        links[link["ifname"]] = networks
    return links


def _json(command: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(command) or "[]")
    return found


def _try(command: str) -> bool:
    """Run a command that may find its work done."""
    try:
        run(command.split())
    except ConfigError:
        return False
    return True
