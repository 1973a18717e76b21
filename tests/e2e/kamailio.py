"""Kamailio with TLS as either end of a connection: two of them, made for a test, and what they log.

Strategy: who wants to know how a connection of the calling one fares sends it an OPTIONS over UDP whose Request-URI
says where the connection is to go; the SIP status that comes back is Kamailio's own word. The called one answers with
the topmost Via as it saw it. Whose connection is gone says so only while it reads from it; the kernel always knows.
Asked to end, one with open TLS connections may take a minute: it is killed, with its children.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from alg.edge.entrance import Address
from tests.edge.tls_ends import SERVER_NAME, Papers
from tests.helpers.system import PATIENCE, cannot_run, eventually, require_system

CALLER, CALLED = "127.0.0.2", "127.0.0.4"
FINAL_RESPONSE_TIMER = 3.0
"""Seconds until the caller answers 408 in place of who does not."""
_HEAD = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
"""
_CALLER_ROUTE = f"""\
modparam("tm", "fr_timer", {FINAL_RESPONSE_TIMER * 1000:.0f})
request_route {{
    t_relay();
}}
"""
_CALLED_ROUTE = """\
request_route {
    sl_send_reply("200", "$(hdr(Via)[0])");
}
"""


_RESET = re.compile(r"(\w[\w ]+ \(\d+\)) \(\[[\d.]+\]:(\d+) -> .*-> \[[\d.]+\]:(\d+)\)$", re.MULTILINE)
_TLS = re.compile(
    r"tls_err_ret\(\): TLS \w+:error:\w+:SSL routines:\w*:(.+) \(sni.*\n.* src addr: .*:(\d+)\n.* dst addr: .*:(\d+)$",
    re.MULTILINE,
)


class Kamailio:
    """A running one."""

    def __init__(self, log: Path, ports: list[int]) -> None:
        self.ports = ports
        self._log = log

    def errors(self) -> list[tuple[str, int, int]]:
        """What went wrong so far, as it logged it: its words, the peer's port and its own."""
        said = self._log.read_text("utf-8", "replace")
        return [(each[1], int(each[2]), int(each[3])) for kind in (_RESET, _TLS) for each in kind.finditer(said)]


def free_port(host: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that was free there a moment ago: Kamailio takes no 0."""
    with closing(socket.socket(type=kind)) as one:
        one.bind((host, 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def called(folder: Path, papers: Papers, trust: str, count: int) -> Iterator[Kamailio]:
    """Webex: answers OPTIONS over mutual TLS, on so many ports."""
    ports = [free_port(CALLED) for _ in range(count)]
    shows = _shows(papers, "webex", trust)
    tls = "".join(f"[{part}:default]\nmethod=TLSv1.2+\n{shows}" for part in ("server", "client"))
    config = _config([f"tls:{CALLED}:{port}" for port in ports], ("pv", "sl", "tls"), _CALLED_ROUTE)
    with _running(folder / "called", config, tls, _bound("tcp", CALLED, ports[-1])) as log:
        yield Kamailio(log, ports)


@contextmanager
def caller(folder: Path, papers: Papers, trust: str, methods: Mapping[int, str]) -> Iterator[Kamailio]:
    """Expressway-E: relays what comes over UDP, over mutual TLS; the TLS method depends on the port that it calls."""
    shows = _shows(papers, "expressway-e", trust)
    parts = [f"[{part}:default]\nmethod=TLSv1.2+\n{shows}" for part in ("server", "client")]
    parts += [
        f"[client:127.0.0.1:{port}]\nmethod={method}\nserver_name={SERVER_NAME}\n{shows}"
        for port, method in methods.items()
    ]
    here = free_port(CALLER, socket.SOCK_DGRAM)
    listens = [f"udp:{CALLER}:{here}", f"tls:{CALLER}:{free_port(CALLER)}"]
    config = _config(listens, ("tm", "pv", "tls"), _CALLER_ROUTE)
    with _running(folder / "caller", config, "".join(parts), _bound("udp", CALLER, here)) as log:
        yield Kamailio(log, [here])


@contextmanager
def answering(folder: Path, host: str, shows: Iterable[str]) -> Iterator[Kamailio]:
    """Answers OPTIONS over mutual TLS, on a port for each of what it is to show and to trust."""
    listens = [(free_port(host), each) for each in shows]
    sections = [f"[server:{host}:{port}]\nmethod=TLSv1.2+\n{each}" for port, each in listens]
    sections += [f"[{part}:default]\nmethod=TLSv1.2+\n{listens[0][1]}" for part in ("server", "client")]
    ports = [port for port, _ in listens]
    config = _config([f"tls:{host}:{port}" for port in ports], ("pv", "sl", "tls"), _CALLED_ROUTE)
    with _running(folder, config, "".join(sections), _bound("tcp", host, ports[-1])) as log:
        yield Kamailio(log, ports)


@contextmanager
def relaying(folder: Path, host: str, shows: str) -> Iterator[Kamailio]:
    """Relays what comes over UDP to where its Request-URI says; over mutual TLS, if it says that."""
    tls = "".join(f"[{part}:default]\nmethod=TLSv1.2+\n{shows}" for part in ("server", "client"))
    here = free_port(host, socket.SOCK_DGRAM)
    config = _config([f"udp:{host}:{here}", f"tls:{host}:{free_port(host)}"], ("tm", "pv", "tls"), _CALLER_ROUTE)
    with _running(folder, config, tls, _bound("udp", host, here)) as log:
        yield Kamailio(log, [here])


@contextmanager
def routing(folder: Path, listens: Sequence[str], modules: Iterable[str], route: str, shows: str) -> Iterator[None]:
    """With a logic of the test's own, at places such as `tls:127.0.0.4:5061`; ready when it listens at the last."""
    tls = "".join(f"[{part}:default]\nmethod=TLSv1.2+\n{shows}" for part in ("server", "client"))
    _, host, port = listens[-1].split(":")
    with _running(folder, _config(listens, ("tls", *modules), route), tls, _bound("tcp", host, int(port))):
        yield


def shown(folder: Path, name: str, trust: str, file: str = "") -> str:
    """Who it is, in a section of its TLS: files of a PKI; `file` is the certificate, if not that with its chain."""
    return (
        f"verify_certificate=yes\nrequire_certificate=yes\nverify_depth=5\nca_list={folder / trust}\n"
        f"private_key={folder / name}.key\ncertificate={folder / (file or name + '-chain.pem')}\n"
    )


def _shows(papers: Papers, name: str, trust: str) -> str:
    return shown(papers.folder, name, trust)


def _config(listens: Iterable[str], modules: Iterable[str], route: str) -> str:
    lines = [f"listen={listen}\n" for listen in listens] + [f'loadmodule "{module}.so"\n' for module in modules]
    return "".join([_HEAD, *lines, 'modparam("tls", "config", "tls.cfg")\n', route])


def standing() -> list[tuple[Address, Address]]:
    """The TCP connections of this machine, each once for either end: here and there (proc(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [(_address(row[1]), _address(row[2])) for row in rows if row[3] == "01"]


def _address(text: str) -> Address:
    host, port = text.split(":")
    return socket.inet_ntoa(int(host, 16).to_bytes(4, sys.byteorder)), int(port, 16)


def _bound(kind: str, host: str, port: int) -> Callable[[], bool]:
    """Whether somebody listens there, by what the kernel says (proc(5))."""
    place = f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X} 00000000:0000 "
    states = {"udp": "07", "tcp": "0A"}
    return lambda: place + states[kind] in Path(f"/proc/net/{kind}").read_text()


@contextmanager
def _running(folder: Path, config: str, tls: str, ready: Callable[[], bool]) -> Iterator[Path]:
    program = require_system("kamailio", "kamailio")
    if not any(Path("/usr/lib").glob("*/kamailio/modules/tls.so")):
        cannot_run("Kamailio has no TLS: Debian package kamailio-tls-modules")
    folder.mkdir()
    path, log = folder / "kamailio.cfg", folder / "log"
    path.write_text(config)
    (folder / "tls.cfg").write_text(tls)
    command = [program, "-DD", "-E", "-m", "32", "-M", "4", "-f", str(path), "-Y", str(folder), "-w", str(folder)]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        ) as process,
    ):
        try:
            eventually("Kamailio listens", lambda: process.poll() is not None or ready(), 2 * PATIENCE)
            assert process.poll() is None, log.read_text()
            yield log
        finally:
            os.killpg(process.pid, signal.SIGKILL)
