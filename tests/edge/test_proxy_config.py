"""What a configuration file says to the proxy, and how wrong use is answered: status 2 and one line, what and where."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harness.cli import main
from harness.commands.proxy import ProxyRun
from tests.conftest import StartProxy
from tests.edge.messages import INSIDE, MAP, OUTSIDE, request, response
from tests.edge.sockets import LOOPBACK, Upstream, connect, receive
from tests.helpers.system import run_sipalg

WriteConfig = Callable[[str], str]


@pytest.fixture
def write_config(tmp_path: Path) -> WriteConfig:
    """Writes a configuration file; its path."""

    def write(text: str) -> str:
        path = tmp_path / "sipalg.toml"
        path.write_text(text)
        return str(path)

    return write


def listener(target: str, side: str = "inside") -> str:
    """A `[[listener]]` on any free port."""
    return f'[[listener]]\nlisten = "{LOOPBACK}:0"\nto = "{target}"\nside = "{side}"\n'


def test_many_listeners(start_proxy: StartProxy, write_config: WriteConfig) -> None:
    """Each `[[listener]]` has its own target and side, all share the maps; the ports are printed in their order."""
    targets = [Upstream() for _ in range(3)]
    sides = ["inside", "outside", "inside"]
    text = f'[[map]]\ninside = "{INSIDE}"\noutside = "{OUTSIDE}"\n[media]\nmode = "rewrite"\n'
    text += "".join(listener(target.address, side) for target, side in zip(targets, sides, strict=True))
    proxy = start_proxy("--config", write_config(text), listeners=3)
    for port, target, side in zip(proxy.ports, targets, sides, strict=True):
        with closing(target), closing(connect(port)) as client:
            server = target.accept()
            old, new = (INSIDE, OUTSIDE) if side == "inside" else (OUTSIDE, INSIDE)
            client.sendall(request(old))
            assert receive(server, len(request(new))) == request(new)


def test_maps_with_ports(start_proxy: StartProxy, upstream: Upstream, write_config: WriteConfig) -> None:
    """A `[[map]]` of an address and port translates both, and media ports too."""
    text = (
        f'[media]\nmode = "rewrite"\n[[map]]\ninside = "{INSIDE}"\noutside = "{OUTSIDE}"\n'
        f'[[map]]\ninside = "{INSIDE}:49170"\noutside = "{OUTSIDE}:6000"\n'
        f'[[map]]\ninside = "{INSIDE}:49171"\noutside = "{OUTSIDE}:6001"\n'
    )
    proxy = start_proxy("--config", write_config(text + listener(upstream.address)))
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        client.sendall(request(INSIDE))
        due = request(OUTSIDE, port=6000)
        assert receive(server, len(due)) == due


def test_media_off(start_proxy: StartProxy, upstream: Upstream, write_config: WriteConfig) -> None:
    """With `[media] mode = "off"` the headers change and the session description does not."""
    text = f'[media]\nmode = "off"\n[[map]]\ninside = "{INSIDE}"\noutside = "{OUTSIDE}"\n'
    proxy = start_proxy("--config", write_config(text + listener(upstream.address)))
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        client.sendall(response(INSIDE))
        body = response(INSIDE).partition(b"\r\n\r\n")[2]
        header = response(OUTSIDE).partition(b"\r\n\r\n")[0]
        header = header.rpartition(b"l: ")[0] + b"l: %d\r\n\r\n" % len(body)
        assert receive(server, len(header + body)) == header + body


def test_flags_win_over_the_file(start_proxy: StartProxy, upstream: Upstream, write_config: WriteConfig) -> None:
    """--listen, --to, --side, --map and --media replace what the file says."""
    text = '[media]\nmode = "off"\n[[map]]\ninside = "10.9.9.9"\noutside = "10.8.8.8"\n' + listener("127.0.0.1:9")
    arguments = ("--listen", f"{LOOPBACK}:0", "--to", upstream.address, "--side", "outside", "--map", MAP)
    proxy = start_proxy("--config", write_config(text), *arguments, "--media", "rewrite")
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        client.sendall(request(OUTSIDE))
        assert receive(server, len(request(INSIDE))) == request(INSIDE)


def test_limits(start_proxy: StartProxy, upstream: Upstream, write_config: WriteConfig) -> None:
    """A message past a configured limit passes unrewritten as it comes, and the next one is rewritten."""
    text = (
        f"[alg]\nmax_header_bytes = 700\nmax_body_bytes = 1000\n[media]\nmode = 'rewrite'\n"
        f"[[map]]\ninside = '{INSIDE}'\noutside = '{OUTSIDE}'\n"
    )
    proxy = start_proxy("--config", write_config(text + listener(upstream.address)))
    with closing(connect(proxy.port)) as client:
        server = upstream.accept()
        large = request(INSIDE, size=2000)
        client.sendall(large[:1500])
        assert receive(server, 1500) == large[:1500]
        client.sendall(large[1500:] + request(INSIDE))
        due = large[1500:] + request(OUTSIDE)
        assert receive(server, len(due)) == due


LISTEN = ("--listen", f"{LOOPBACK}:0")
TO = ("--to", f"{LOOPBACK}:9")

WRONG_FLAGS = {
    "nothing": ((), "--listen"),
    "no target": (LISTEN, "--to"),
    "no listener": (TO, "--listen"),
    "unknown flag": ((*LISTEN, *TO, "--maps", MAP), "--maps"),
    "stray argument": ((*LISTEN, *TO, "stray"), "stray"),
    "flag without value": ((*LISTEN, *TO, "--map"), "--map"),
    "no such side": ((*LISTEN, *TO, "--side", "left"), "left"),
    "no such media mode": ((*LISTEN, *TO, "--media", "tape"), "tape"),
    "SIP port 0": ((*LISTEN, *TO, "--sip-port", "0"), "--sip-port"),
    "SIP port no number": ((*LISTEN, *TO, "--sip-port", "sip"), "sip"),
    "map of one address": ((*LISTEN, *TO, "--map", "10.0.30.2"), "10.0.30.2"),
    "map of a name": ((*LISTEN, *TO, "--map", "host=64.100.0.10"), "host"),
    "map with leading zeros": ((*LISTEN, *TO, "--map", "010.0.30.2=64.100.0.10"), "010.0.30.2"),
    "map with one port": ((*LISTEN, *TO, "--map", "10.0.30.2:5060=64.100.0.10"), "port"),
    "map to a port too high": ((*LISTEN, *TO, "--map", "10.0.30.2:5060=64.100.0.10:65536"), "65536"),
    "map of 0.0.0.0": ((*LISTEN, *TO, "--map", "0.0.0.0=64.100.0.10"), "0.0.0.0"),
    "map of IPv6": ((*LISTEN, *TO, "--map", "::1=64.100.0.10"), "::1"),
    "inside mapped twice": ((*LISTEN, *TO, "--map", MAP, "--map", f"{INSIDE}=192.0.2.1"), INSIDE),
    "outside mapped twice": ((*LISTEN, *TO, "--map", MAP, "--map", f"192.0.2.1={OUTSIDE}"), OUTSIDE),
    "pool of a name": ((*LISTEN, *TO, "--pool", "pool.example"), "pool.example"),
    "inside no network": ((*LISTEN, *TO, "--inside", "10.0.0.0/33"), "10.0.0.0/33"),
    "no such profile": ((*LISTEN, *TO, "--profile", "perfect"), "perfect"),
    "no such profile file": ((*LISTEN, *TO, "--profile", "/nowhere/p.toml"), "/nowhere/p.toml"),
    "listen without port": (("--listen", LOOPBACK, *TO), "--listen"),
    "listen on a port too high": (("--listen", f"{LOOPBACK}:65536", *TO), "65536"),
    "target without port": ((*LISTEN, "--to", LOOPBACK), "--to"),
    "target port 0": ((*LISTEN, "--to", f"{LOOPBACK}:0"), "--to"),
    "target without address": ((*LISTEN, "--to", "no.such.host.invalid:5060"), "no.such.host.invalid"),
    "target no name": ((*LISTEN, "--to", "..:5060"), "--to"),
    "target of IPv6": ((*LISTEN, "--to", "[::1]:5060"), "IPv6"),
    "no such file": ((*LISTEN, *TO, "--config", "/nowhere/sipalg.toml"), "/nowhere/sipalg.toml"),
    "a folder for a file": ((*LISTEN, *TO, "--config", "/"), "--config /"),
    "events nowhere": ((*LISTEN, *TO, "--events", "/nowhere/events.jsonl"), "/nowhere/events.jsonl"),
}


def assert_refused(named: str, *arguments: str) -> None:
    """Status 2, nothing on standard output, one line on standard error that names what is wrong."""
    done = run_sipalg("proxy", *arguments)
    assert (done.returncode, done.stdout) == (2, b""), done.stderr.decode()
    (line,) = done.stderr.decode().splitlines()
    assert named in line


Refused = Callable[..., None]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """As `assert_refused`, for what is found out before anything listens: without a process."""
    monkeypatch.setattr(ProxyRun, "run", lambda _: 0)

    def check(named: str, *arguments: str) -> None:
        assert main(["proxy", *arguments]) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        (line,) = errors.splitlines()
        assert named in line

    return check


@pytest.mark.parametrize(("arguments", "named"), WRONG_FLAGS.values(), ids=WRONG_FLAGS.keys())
def test_wrong_flags(refused: Refused, arguments: tuple[str, ...], named: str) -> None:
    """Each wrong use is told in one line that names it."""
    refused(named, *arguments)


@pytest.mark.parametrize("case", ["nothing", "unknown flag", "inside mapped twice", "target without address"])
def test_status_of_the_process(case: str) -> None:
    """The status and the one line are those of the process, too."""
    arguments, named = WRONG_FLAGS[case]
    assert_refused(named, *arguments)


def test_a_foreign_address() -> None:
    """An address that is not this machine's cannot be listened on."""
    assert_refused("192.0.2.1:0", "--listen", "192.0.2.1:0", *TO)


WRONG_FILES = {
    "unknown section": ("[algo]\n", "algo"),
    "unknown key": ("[alg]\nl5f = true\n", "l5f"),
    "unknown key of a map": ('[[map]]\ninside = "10.0.0.1"\noutside = "192.0.2.1"\nport = 1\n', "port"),
    "unknown key of a listener": ('[[listener]]\nlisten = "127.0.0.1:0"\nto = "127.0.0.1:9"\ntls = 1\n', "tls"),
    "unknown key of media": ("[media]\nmodes = 'off'\n", "modes"),
    "missing key": ('[[map]]\ninside = "10.0.0.1"\n', "outside"),
    "wrong type": ("[alg]\nl4f = 'no'\n", "l4f"),
    "wrong value": ("[media]\nmode = 'tape'\n", "tape"),
    "wrong address": ('[[map]]\ninside = "10.0.0.1"\noutside = "10.0.0"\n', "[[map]] 1"),
    "wrong pool": ("[alg]\npool = ['pool.example']\n", "[alg] pool"),
    "wrong network": ("[alg]\ninside = ['10.0.0.0/40']\n", "[alg] inside"),
    "wrong port": ("[alg]\nsip_ports = [70000]\n", "[alg] sip_ports"),
    "wrong profile": ("[alg]\nprofile = 'perfect'\n", "[alg] profile"),
    "wrong limit": ("[alg]\nmax_header_bytes = 0\n", "limits"),
    "no TOML": ("[alg\n", "sipalg.toml"),
    "twice the same key": ("[alg]\nl4f = true\nl4f = false\n", "sipalg.toml"),
}


@pytest.mark.parametrize(("text", "named"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_wrong_files(refused: Refused, write_config: WriteConfig, text: str, named: str) -> None:
    """Each fault of a file is told in one line that names the key, its section or the place."""
    refused(named, *LISTEN, *TO, "--config", write_config(text))


@pytest.mark.parametrize("key", ["listen", "to", "side"])
def test_wrong_second_listener(refused: Refused, write_config: WriteConfig, key: str) -> None:
    """A fault of a listener is told with its number and key."""
    wrong = {"listen": LOOPBACK, "to": LOOPBACK, "side": "left"}[key]
    second = {"listen": f"{LOOPBACK}:0", "to": f"{LOOPBACK}:9", "side": "inside"} | {key: wrong}
    text = "[[listener]]\n" + "".join(f"{name} = '{value}'\n" for name, value in second.items())
    refused(f"[[listener]] 2 {key}", "--config", write_config(listener(f"{LOOPBACK}:9") + text))


def test_no_listener_at_all(refused: Refused, write_config: WriteConfig) -> None:
    """A file without a listener, and no flags for one, is nothing to do."""
    refused("[[listener]]", "--config", write_config("[alg]\nl4f = true\n"))


def test_a_file_that_is_no_text(refused: Refused, tmp_path: Path) -> None:
    """A binary file is no configuration."""
    path = tmp_path / "binary.toml"
    path.write_bytes(bytes(range(256)))
    refused("binary.toml", "--config", str(path))


@pytest.mark.parametrize("count", [1, 2])
def test_port_in_use(write_config: WriteConfig, count: int) -> None:
    """A port that is taken is named; nothing is said to be ready when not everything is."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        place = f"{LOOPBACK}:{taken.getsockname()[1]}"
        text = listener(f"{LOOPBACK}:9") * (count - 1) + f'[[listener]]\nlisten = "{place}"\nto = "{LOOPBACK}:9"\n'
        assert_refused(f"{place}: Address already in use", "--config", write_config(text))
