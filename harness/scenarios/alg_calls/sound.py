"""The media of an endpoint: its lines, what its session descriptions say of them, and packets that go by routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from twisted.internet import defer, task

from harness.demo.media import MediaLine, open_media_line, rtcp_packet, rtp_packet
from harness.demo.reading import media_targets
from harness.demo.topology import Hop
from harness.sip.message import Message

PACKETS: Final = 5
"""RTP packets per line."""
_INTERVAL: Final = 0.02
"""Seconds between two of them."""
_PATIENCE: Final = 2.0
"""Seconds until what has not been heard is taken for silence."""
HEARD, SILENCE = "heard", "silence"
_CODECS: Final = {"audio": "8", "video": "97"}


class Sound:
    """The sockets of one endpoint, a pair for each kind."""

    def __init__(
        self,
        reactor: Any,
        host: str,
        routes: frozenset[str],
        kinds: Iterable[str],
        beyond: frozenset[str] = frozenset(),
    ) -> None:
        """Nothing is sent but to `routes`, and what comes from `beyond` is not heard. Raises CannotListenError."""
        self._reactor = reactor
        self._host = host
        self._routes = routes
        self._beyond = beyond
        self.lines: Mapping[str, MediaLine] = {kind: open_media_line(reactor, host) for kind in kinds}
        self.unreachable: set[str] = set()
        """What could not be sent, as there is no route: `audio RTP`."""

    def description(self, host: str, own_connections: bool = False, rtcp: bool = False) -> bytes:
        """What it can do. `own_connections`: c= for each line, not for the session; `rtcp`: with a=rtcp (RFC 3605)."""
        connection = f"c=IN IP4 {host}"
        text = ["v=0", f"o=- 7 1 IN IP4 {host}", "s=-", *([] if own_connections else [connection]), "t=0 0"]
        for kind, line in self.lines.items():
            codec = _CODECS[kind]
            text.append(f"m={kind} {line.port} RTP/AVP {codec}")
            text += [connection] if own_connections else []
            text.append(f"a=rtpmap:{codec} {'PCMA/8000' if kind == 'audio' else 'H264/90000'}")
            text += [f"a=rtcp:{line.port + 1} IN IP4 {host}"] if rtcp else []
        return "".join(f"{line}\r\n" for line in text).encode()

    async def stream(self, remote: Message, awaited: str = "") -> None:
        """Send to where a message says, then wait for a while for what the other one sends: for lines whose name ends
        in `awaited`, such as `RTP`.
        """
        targets = [each for each in media_targets(remote.to_bytes()) if each.kind in self.lines]
        for number in range(PACKETS):
            for each in targets:
                line = self.lines[each.kind]
                self._send(f"{each.kind} RTP", line.rtp.transport, each.rtp.hop, rtp_packet(each.kind, number))
                self._send(f"{each.kind} RTCP", line.rtcp.transport, each.rtcp.hop, rtcp_packet(each.kind, number + 1))
            await task.deferLater(self._reactor, _INTERVAL)
        end = self._reactor.seconds() + _PATIENCE
        while self._reactor.seconds() < end and self._misses(awaited):
            await task.deferLater(self._reactor, _INTERVAL)

    @property
    def heard(self) -> dict[str, str]:
        """`heard` or `silence`, by `audio RTP` and the like."""
        sources: dict[str, set[Hop]] = {}
        for kind, line in self.lines.items():
            sources |= {f"{kind} RTP": line.rtp.sources, f"{kind} RTCP": line.rtcp.sources}
        return {
            what: HEARD if any(host not in self._beyond for host, _ in hops) else SILENCE
            for what, hops in sources.items()
        }

    async def close(self) -> None:
        """Close the sockets."""
        await defer.gatherResults([line.close() for line in self.lines.values()])

    def _misses(self, awaited: str) -> bool:
        return any(state == SILENCE for what, state in self.heard.items() if what.endswith(awaited))

    def _send(self, what: str, transport: Any, hop: tuple[str, int], packet: bytes) -> None:
        if hop[0] in self._routes:
            transport.write(packet, hop)
        else:
            self.unreachable.add(what)
