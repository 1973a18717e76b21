"""`sipalg pcap`: a capture of one side in, the capture that the other side would have seen out."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any, BinaryIO

import click
import msgspec

from alg.config import AlgConfig, Malformed, MediaMode
from alg.connection import Alg
from alg.errors import ConfigError
from alg.retelling import Retelling
from alg.trace import AnyRecord, MessageRecord, Sink, tee
from harness.capture.other_side import OtherSide, interface
from harness.capture.pcapng import PcapngWriter
from harness.capture.reader import CapturedPacket, CaptureError, read_packets
from harness.capture.sides import Side, captured_side
from harness.capture.whole_file import whole_file
from harness.commands.options import alg_options, flags, sip_port_option
from harness.events import EventLog, open_events
from harness.settings import alg_config, load_settings

_CUT_SHORT = 3
_STANDARD = "-"
_WORTH_A_BAR = 4_000_000
"""Bytes that take longer than two seconds."""


@click.command("pcap")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@alg_options
@sip_port_option
@click.option(
    "--side",
    type=click.Choice([side.value for side in Side]),
    help="Where IN was captured.  [default: as addresses tell]",
)
@click.option("--events", metavar="F.jsonl", help="Write events there, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on standard output.")
@click.option("--config", metavar="F.toml", help="Configuration file; flags win over it.")
def command(source: str, target: str, side: str | None, as_json: bool, **options: Any) -> int:
    """Write the capture that the other side of the ALG would have seen.

    IN is a pcap or pcapng file of the inside (or the outside), OUT a pcapng file of the same conversations: addresses
    and ports translated in both directions, SIP over TCP rewritten, sequence and acknowledgment numbers moved with it,
    a comment on each packet that has a rewritten message. Its packets have no link layer. `-` is standard input or
    output; a file OUT is there when it is whole.

    A message leaves with the segment that completes it. What cannot be translated (no IPv4, a link type that is not
    understood, none or both ends mapped) is written as it came, and counted; what IN shows of the other side already
    is left out. Of a capture of the outside only maps can be undone: which inside endpoint is behind a pool's port is
    not in it. A --fault strikes what went from the side of IN to the other. Exit status 3 if IN ends inside a packet
    or a message; all that was complete is written.

    \b
    Example:
      sipalg pcap inside.pcap outside.pcapng --map 10.0.30.2=64.100.0.10
    """
    settings = load_settings(options["config"])
    media = MediaMode.OFF if settings.media.mode is MediaMode.OFF else MediaMode.REWRITE
    config = alg_config(settings, flags(options, sip_ports=options["sip_ports"], media=media.value))
    if as_json and target == _STANDARD:
        raise ConfigError("--json: standard output is taken by the capture")
    with ExitStack() as stack:
        file = _open_source(source, stack)
        seen_from = Side(side) if side else _told_by_addresses(file, source, config)
        if seen_from is Side.OUTSIDE and not config.nat.maps:
            raise ConfigError(
                "--side outside: no --map to undo; what is behind the ports of a pool is not in a capture"
            )
        packets = _Packets(_with_bar(file, stack), source)
        events = options["events"] or settings.events
        for path in (target, events):
            _spare(file, path)
        run = _Run(config, seen_from)
        run.log = EventLog(stack.enter_context(open_events(events)), lambda: run.now) if events else None
        try:
            with _opened(target) as out:
                other = run.write(packets, out)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _CUT_SHORT
        except OSError as failure:
            _say(f"{target}: {failure.strerror}")
            return _CUT_SHORT
        return run.report(other, packets.fault, as_json)


class _Packets:
    """The packets of a capture, up to where it is cut or damaged."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.fault: CaptureError | None = None
        self._name = name
        self._packets = read_packets(file, name)
        self._first = list(self._until_fault(1))
        if self.fault is not None and not self.fault.offset:
            raise ConfigError(str(self.fault))

    def _until_fault(self, most: int | None = None) -> Iterator[CapturedPacket]:
        if self.fault is not None:
            return
        try:
            for number, packet in enumerate(self._packets, 1):
                yield packet
                if number == most:
                    return
        except CaptureError as fault:
            self.fault = fault
        except OSError as failure:
            raise ConfigError(f"{self._name}: {failure.strerror}") from None

    def __iter__(self) -> Iterator[CapturedPacket]:
        return chain(self._first, self._until_fault())


class _Run:
    """One capture made from another."""

    def __init__(self, config: AlgConfig, side: Side) -> None:
        self._side = side
        # What has happened cannot be cut, whatever is to become of malformed messages.
        alg = Alg(dataclasses.replace(config, malformed=Malformed.PASS))
        self._retelling = Retelling(alg, side.way, self._sink)
        self.log: EventLog | None = None
        self.now = 0.0
        """Seconds since 1970, when the packet at hand was captured."""
        self._messages = 0
        self._rewritten = 0

    def _sink(self, connection: int) -> Sink:
        return tee(self._count, *([self.log.sink(connection)] if self.log else [])) or self._count

    def _count(self, record: AnyRecord) -> None:
        if isinstance(record, MessageRecord):
            self._messages += 1
            self._rewritten += bool(record.rewrites)

    def write(self, packets: _Packets, file: BinaryIO) -> OtherSide:
        """Write the packets' counterparts; OSError if the file cannot be written."""
        other = OtherSide(self._retelling, PcapngWriter(file, "sipalg pcap", [interface(self._side)]))
        for packet in packets:
            self.now = packet.timestamp / 1e9
            other.take(packet)
        return other

    def report(self, other: OtherSide, fault: CaptureError | None, as_json: bool) -> int:
        """Say what became of all; the exit status."""
        held, fragments = self._retelling.held, self._retelling.fragments_left
        if as_json:
            summary = {
                "side": self._side.value,
                "packets_in": other.packets_in,
                "packets_out": other.packets_out,
                "packets": dict(sorted(other.counters.items())),
                "connections": self._retelling.connections,
                "messages": self._messages,
                "messages_rewritten": self._rewritten,
                "bytes_left_out": held,
                "fragments_left_out": fragments,
                "fault": str(fault) if fault else None,
            }
            click.echo(msgspec.json.encode(summary))
        else:
            _say(
                f"{other.packets_in} packets in, {other.packets_out} out; connections: {self._retelling.connections}, "
                f"messages: {self._messages}, rewritten: {self._rewritten}"
            )
            for fate, packets in sorted(other.counters.items()):
                _say(f"{packets} packets {fate}")
        if held:
            _say(f"{held} bytes left out: the capture has not the rest of their messages")
        if fragments:
            _say(f"{fragments} fragments left out: the capture has not the rest of their packets")
        if fault:
            _say(f"{fault}; what comes before is written")
        return _CUT_SHORT if fault or held else 0


def _told_by_addresses(file: BinaryIO, name: str, config: AlgConfig) -> Side:
    """Read as far as needed to tell, and go back to the start."""
    if not file.seekable():
        raise ConfigError(f"--side: {name} can be read only once: say where it was captured")
    evidence = captured_side(_Packets(file, name), config.nat)
    file.seek(0)
    if evidence is None:
        _say("no packet has an address that is mapped: taken for a capture of the inside")
        return Side.INSIDE
    _say(f"captured {evidence.side.value}, as {evidence.address} tells")
    return evidence.side


def _open_source(path: str, stack: ExitStack) -> BinaryIO:
    if path == _STANDARD:
        return sys.stdin.buffer
    try:
        return stack.enter_context(open(path, "rb"))
    except OSError as failure:
        raise ConfigError(f"{path}: {failure.strerror}") from None


def _spare(source: BinaryIO, path: str | None) -> None:
    """What is read must not be what is written."""
    if path and os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(source.fileno())):
        raise ConfigError(f"{path}: is what is read, and not to be written over")


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Where the capture goes; ConfigError if it cannot be opened, OSError if it cannot be written."""
    if path == _STANDARD:
        yield sys.stdout.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(whole_file(path))
        except OSError as failure:
            raise ConfigError(f"{path}: {failure.strerror}") from None
        yield file


def _with_bar(file: BinaryIO, stack: ExitStack) -> BinaryIO:
    """The file, with a progress bar if somebody is there to see it and it is large."""
    if not (sys.stderr.isatty() and file.seekable() and os.fstat(file.fileno()).st_size > _WORTH_A_BAR):
        return file
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import wrap_file  # noqa: PLC0415

    size = os.fstat(file.fileno()).st_size
    return stack.enter_context(wrap_file(file, size, description="", console=Console(stderr=True), transient=True))


def _say(line: str) -> None:
    click.echo(f"sipalg pcap: {line}", err=True)
