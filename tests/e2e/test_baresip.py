"""A call between two baresip through the proxy: signalling and RTP cross the NAT both ways, by their own words.

Strategy: caller inside and callee outside each appear on the other side by an address where the proxy listens, so
every request of the dialog passes it, whoever hangs up. Each endpoint is kept on its own address by a preloaded
library, since baresip binds its media to all addresses and would hear what is sent to the wrong one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartProxy
from tests.edge.sockets import free_port_pair
from tests.helpers.system import eventually, require_system

CALLER, CALLER_OUTSIDE = "127.0.0.2", "127.0.0.102"
CALLEE, CALLEE_INSIDE = "127.0.0.3", "127.0.0.103"
TALK = 1.0
"""Seconds."""
FEWEST_PACKETS = 25
"""In each direction: half of what 20 ms a packet makes in that time."""

CONFIG = """\
poll_method select
sip_listen {address}:{port}
net_interface {address}
dns_server {address}:9
call_max_calls 2
audio_source ausine,{tone}
audio_player aubridge,sink
audio_alert aubridge,alert
ausrc_srate 48000
ausrc_channels 2
rtp_ports {media}-{media_last}
rtp_stats yes
rtcp_mux no
jitter_buffer_delay 5-10
module_path {modules}
module g711.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
ringback_disabled yes
menu_bell no
"""


@dataclass
class Baresip:
    """One endpoint that runs."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        """What it has printed, without colours and status lines."""
        text = self.output.read_text(errors="replace")
        return re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"[^\n]*\r", "", text))

    def hears(self) -> str:
        """Where its media comes from."""
        found = re.search(r"incoming rtp for 'audio' established, receiving from (\S+)", self.said)
        return found[1] if found else "nowhere"

    def packets(self) -> tuple[int, int]:
        """Sent and received, as it counts them at the end of a call."""
        found = re.search(r"packets:\s+(\d+)\s+(\d+)", self.said)
        return (int(found[1]), int(found[2])) if found else (0, 0)


class Lab:
    """Two endpoints, on a port of their own each."""

    def __init__(self, folder: Path) -> None:
        self.program = require_system("baresip", "baresip-core")
        self.modules = next(
            (path for path in Path("/usr/lib").glob("**/baresip/modules") if path.is_dir()),
            Path("/usr/lib/baresip/modules"),
        )
        self.folder = folder
        compiler = require_system("gcc", "gcc")
        self.library = folder / "source_address.so"
        source = Path(__file__).with_name("source_address.c")
        subprocess.run(
            [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", self.library, source, "-ldl"], check=True
        )

    @contextmanager
    def endpoint(
        self,
        name: str,
        address: str,
        port: int,
        *arguments: str,
        extra: str = "",
        codec: str = "PCMU",
        registrar: str = "",
    ) -> Iterator[Baresip]:
        """An endpoint that is ready, and registers if there is a registrar; it is ended if it has not ended itself."""
        folder = self.folder / name
        folder.mkdir()
        media = 17000 if name == "caller" else 18000
        config = CONFIG.format(
            address=address, port=port, tone=440, media=media, media_last=media + 98, modules=self.modules
        )
        (folder / "config").write_text(config)
        home, interval = (registrar, 60) if registrar else (f"{address}:{port}", 0)
        codecs = f"audio_codecs={codec}/8000/1"
        (folder / "accounts").write_text(
            f"<sip:{name}@{home};transport=tcp>;regint={interval};{codecs};mwi=no;auth_pass=none{extra}\n"
        )
        output = folder / "output"
        command = ["stdbuf", "-oL", self.program, "-4", "-f", str(folder), "-t", "20", *arguments]
        environment = {**os.environ, "LD_PRELOAD": str(self.library), "SOURCE_ADDRESS": address}
        with (
            output.open("wb") as out,
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder
            ) as process,
        ):
            made = Baresip(process, output)
            try:
                eventually(f"{name} is ready", lambda: "baresip is ready" in made.said, patience=30.0)
                yield made
            finally:
                if process.poll() is None:
                    process.terminate()
                process.wait(10)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """What a call needs."""
    require_system("stdbuf", "coreutils")
    return Lab(tmp_path)


def write_config(path: Path, port_inside: int, port_outside: int, events: Path) -> str:
    """The proxy stands in for the callee inside and for the caller outside."""
    path.write_text(
        f'events = "{events}"\n'
        f'[[map]]\ninside = "{CALLER}"\noutside = "{CALLER_OUTSIDE}"\n'
        f'[[map]]\ninside = "{CALLEE_INSIDE}"\noutside = "{CALLEE}"\n'
        f'[[listener]]\nlisten = "{CALLEE_INSIDE}:{port_outside}"\nto = "{CALLEE}:{port_outside}"\n'
        f'[[listener]]\nlisten = "{CALLER_OUTSIDE}:{port_inside}"\nto = "{CALLER}:{port_inside}"\nside = "outside"\n'
    )
    return str(path)


def read_events(path: Path, kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in map(json.loads, path.read_text().splitlines()) if event["event"] == kind]


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_call(lab: Lab, start_proxy: StartProxy, tmp_path: Path, who: str) -> None:
    """Both parties hear each other through the doors, and either can hang up."""
    events = tmp_path / "events.jsonl"
    caller_port, callee_port = free_port_pair(CALLER), free_port_pair(CALLEE)
    start_proxy("--config", write_config(tmp_path / "sipalg.toml", caller_port, callee_port, events), listeners=2)
    dial = f"/dial sip:callee@{CALLEE_INSIDE}:{callee_port}"
    with ExitStack() as stack:
        callee = stack.enter_context(lab.endpoint("callee", CALLEE, callee_port, extra=";answermode=auto"))
        caller = stack.enter_context(lab.endpoint("caller", CALLER, caller_port, "-e", dial))
        parties = {"caller": caller, "callee": callee}
        for name, party in parties.items():
            eventually(f"{name} has a call", lambda party=party: "Call established" in party.said)
            eventually(f"{name} hears something", lambda party=party: party.hears() != "nowhere")
        time.sleep(TALK)
        first, second = parties[who], parties["callee" if who == "caller" else "caller"]
        first.process.terminate()
        assert first.process.wait(10) == 0
        eventually("the other side hears BYE", lambda: "packets:" in second.said)
        eventually("the doors are closed", lambda: len(read_door_events(events, "closed")) == 2)
    assert caller.hears().startswith(f"{CALLEE_INSIDE}:")
    assert callee.hears().startswith(f"{CALLER_OUTSIDE}:")
    for party in parties.values():
        sent, received = party.packets()
        assert min(sent, received) >= FEWEST_PACKETS, party.said
    assert {door["direction"] for door in read_door_events(events, "closed")} == {"outward", "inward"}
    for door in read_door_events(events, "closed"):
        assert door["reason"] == "BYE"
        assert door["rtp"]["in"] >= FEWEST_PACKETS
        assert door["rtp"]["undeliverable"] == 0
    methods = {(event.get("method"), event["direction"]) for event in read_events(events, "message")}
    assert methods >= {("INVITE", "outward"), ("ACK", "outward"), ("BYE", "outward" if who == "caller" else "inward")}


def read_door_events(path: Path, action: str) -> list[dict[str, Any]]:
    """The door events of one action."""
    return [event for event in read_events(path, "door") if event["action"] == action]
