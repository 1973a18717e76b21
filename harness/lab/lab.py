"""A lab brought up, looked at, and taken down.

Strategy: what is there is read from the kernel, never from a file of ours, so that a lab survives a crash of whoever
made it and can be taken down by anybody. Nothing outside the lab's namespaces is touched: devices are made where they
stay. A lab that could not be completed is taken down again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

from alg.errors import ConfigError
from harness.lab.namespace import end_processes, exists, processes, within
from harness.lab.offload import offloads, set_offload
from harness.lab.topology import ENDPOINT_DEVICE, ROUTER, Topology
from harness.system import require_root, run

_NO_IPV6 = ("net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6")
_FORWARDING = "net/ipv4/ip_forward"


class State(Enum):
    """What is there of a lab."""

    DOWN = "down"
    INCOMPLETE = "incomplete"
    """Somebody died on the way up or down."""
    UP = "up"


@dataclass(frozen=True, slots=True)
class Place:
    """One namespace as it is."""

    namespace: str
    addresses: dict[str, list[str]]
    """By device, with prefix lengths."""
    offload: dict[str, bool]
    """By device of the lab."""
    processes: dict[int, str]
    """Command line by process number."""


class Lab:
    """The lab of one topology. Everything needs root."""

    def __init__(self, topology: Topology) -> None:
        require_root(f"lab {topology.name}".rstrip())
        self.topology = topology

    def up(self, offload: bool = True) -> bool:
        """Bring it up; False if it was up already, ConfigError if it is up with other addresses."""
        state = self.state()
        if state is State.UP:
            self._demand_same_addresses()
        else:
            self.down()
            self._build()
        for place in self.topology.places:
            within(self.namespace(place), partial(set_offload, tuple(self.topology.addresses(place)), offload))
        return state is not State.UP

    def down(self) -> bool:
        """Take down whatever is there, ending the processes in it; False if nothing was."""
        found = [place for place in self.topology.places if exists(self.namespace(place))]
        for place in found:
            if self._addresses(place) is not None:
                end_processes(self.namespace(place))
            run(["ip", "netns", "delete", self.namespace(place)])
        return bool(found)

    def state(self) -> State:
        """What is there."""
        places = [exists(self.namespace(place)) for place in self.topology.places]
        if not any(places):
            return State.DOWN
        endpoints = (place for place in self.topology.places if place != ROUTER)
        if not all(places) or not all(self._has_default_route(place) for place in endpoints):
            return State.INCOMPLETE
        return State.UP

    def places(self) -> dict[str, Place]:
        """The namespaces of a lab that is up, as they are."""
        found = {}
        for place in self.topology.places:
            namespace = self.namespace(place)
            addresses = {device: sorted(texts) for device, texts in (self._addresses(place) or {}).items()}
            offload = within(namespace, partial(offloads, tuple(self.topology.addresses(place))))
            commands = {pid: _command_line(pid) for pid in processes(namespace)}
            found[place] = Place(namespace, addresses, offload, commands)
        return found

    def namespace(self, place: str) -> str:
        """The name that iproute2 knows one of the lab's namespaces by."""
        return self.topology.namespace(place)

    def command(self, place: str, *command: str) -> list[str]:
        """The command line that runs a command in one of the lab's namespaces."""
        return ["ip", "netns", "exec", self.namespace(place), *command]

    def _build(self) -> None:
        made = []
        try:
            for place in self.topology.places:
                run(["ip", "netns", "add", self.namespace(place)])
                made.append(place)
                within(self.namespace(place), partial(_set_sysctls, place == ROUTER))
            for place, batch in self.topology.batches().items():
                run(["ip", "-n", self.namespace(place), "-batch", "-"], batch)
        except BaseException:
            for place in made:
                run(["ip", "netns", "delete", self.namespace(place)])
            raise

    def _demand_same_addresses(self) -> None:
        for place in self.topology.places:
            have = self._addresses(place) or {}
            for device, wanted in self.topology.addresses(place).items():
                if not wanted <= have.get(device, frozenset()):
                    missing = ", ".join(sorted(wanted - have.get(device, frozenset())))
                    raise ConfigError(f"lab up: it is up with other addresses: {place} lacks {missing}; take it down")

    def _addresses(self, place: str) -> dict[str, frozenset[str]] | None:
        """By device; None if the namespace is broken."""
        try:
            links = json.loads(run(["ip", "-n", self.namespace(place), "-j", "address", "show"]))
        except ConfigError:
            return None
        return {
            link["ifname"]: frozenset(f"{info['local']}/{info['prefixlen']}" for info in link["addr_info"])
            for link in links
            if link["ifname"] != "lo"
        }

    def _has_default_route(self, place: str) -> bool:
        """It is the last thing that an endpoint gets."""
        try:
            routes = json.loads(run(["ip", "-n", self.namespace(place), "-j", "route", "show", "default"]) or "[]")
        except ConfigError:
            return False
        return any(route.get("dev") == ENDPOINT_DEVICE for route in routes)


def _set_sysctls(forwarding: bool) -> None:
    """No IPv6, whose neighbour and router discovery would be in every capture; forwarding for a router only."""
    for name in _NO_IPV6:
        path = Path("/proc/sys", name)
        if path.exists():
            path.write_text("1")
    Path("/proc/sys", _FORWARDING).write_text(str(int(forwarding)))


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(ended)"
