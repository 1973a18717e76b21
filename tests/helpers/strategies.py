"""Hypothesis strategies for streams of SIP messages, their segmentation, and the mappings to apply.

Strategy: `sip_messages` draws messages that can be framed, plain and odd; `streams` puts several after each
other with keep-alives and sometimes garbage; `near_sip` damages such a stream. The addresses in them are
those that `map_lists` maps. Everything is drawn, nothing is kept between draws.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.helpers.strategies_body import described_bodies
from tests.helpers.strategies_header import (
    INSIDE,
    OUTSIDE,
    PORTS,
    Bytes,
    header_fields,
    odd_case,
    start_lines,
)
from tests.helpers.vector import STATIC

MapList = list[tuple[str, str]]

GARBAGE = (
    *(
        b"\x16\x03\x01\x00\x05sip:10.0.30.2",
        b"GET / HTTP/1.1\r\nContact: <sip:10.0.30.2>\r\n\r\n",
        b"\x00",
        b" ",
    ),
    *(
        b"INVITE sip:10.0.30.2 SIP/2.0\n",
        b"SIP/2.0 OK\r\n\r\n",
        b"INVITE sip:10.0.30.2 SIP/2.0\r\nl: x\r\n\r\n",
    ),
    b"INVITE sip:10.0.30.2 SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\nab",
)
KEEP_ALIVES = (b"\r\n\r\n", b"\r\n", b"\r\n\r\n\r\n", b"\n", b"\r")


inside_addresses = st.sampled_from([address.decode() for address in INSIDE])


@st.composite
def sip_messages(draw: st.DrawFn) -> bytes:
    """One message whose Content-Length is right, or missing where there is no body."""
    lines, body = draw(described_bodies)
    fields = draw(st.lists(header_fields, min_size=2, max_size=8))
    if lines:
        fields.insert(draw(st.integers(0, len(fields))), lines)
    if body or draw(st.booleans()):
        for line in draw(st.lists(_content_lengths(len(body)), min_size=1, max_size=2)):
            fields.insert(draw(st.integers(0, len(fields))), line)
    return draw(start_lines) + b"".join(fields) + b"\r\n" + body


@st.composite
def _content_lengths(draw: st.DrawFn, length: int) -> bytes:
    """A Content-Length line in one of its spellings (RFC 3261 20.14)."""
    name = draw(st.sampled_from([b"Content-Length", b"Content-Length", b"l"]).flatmap(odd_case))
    colon = draw(st.sampled_from([b": ", b": ", b":", b" : ", b"\t:\t", b":\r\n "]))
    padding = draw(st.sampled_from([b"", b"", b"", b"0", b"000"]))
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b" \r\n", b"\t \r\n", b"\r\n \r\n"]))
    return name + colon + padding + b"%d" % length + end


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Messages and keep-alives, sometimes with garbage, or a message cut short, and a message after it."""
    pieces = st.one_of(sip_messages(), sip_messages(), sip_messages(), st.sampled_from(KEEP_ALIVES))
    stream = b"".join(draw(st.lists(pieces, max_size=4)))
    ending = draw(st.sampled_from(["clean", "clean", "clean", "garbage", "cut"]))
    if ending == "garbage":
        stream += draw(st.sampled_from(GARBAGE)) + draw(sip_messages())
    elif ending == "cut":
        message = draw(sip_messages())
        stream += message[: draw(st.integers(0, len(message) - 1))]
    return stream


@st.composite
def map_lists(draw: st.DrawFn) -> MapList:
    """Static and port mappings; no inside or outside address, or endpoint, is named twice.

    An outside address that is mapped as a whole has no port mapping, so the way back is unambiguous.
    """
    kind = draw(st.sampled_from(["static", "static", "every port", "every port", "mixed", "mixed"]))
    if kind == "static":
        return list(STATIC)
    if kind == "every port":
        pairs = []
        for source, target in zip(INSIDE, OUTSIDE[: draw(st.integers(1, 3))], strict=False):
            targets = zip(PORTS, draw(st.permutations(PORTS)), strict=True)
            pairs += [(f"{source.decode()}:{a}", f"{target.decode()}:{b}") for a, b in targets]
        return pairs
    outside = draw(st.permutations([address.decode() for address in OUTSIDE]))
    whole = draw(st.integers(0, len(outside) - 1))
    sources = draw(st.lists(inside_addresses, min_size=whole, max_size=whole, unique=True))
    pairs = list(zip(sources, outside[:whole], strict=True))
    endpoint = st.tuples(inside_addresses, st.sampled_from(PORTS))
    target_endpoint = st.tuples(st.sampled_from(outside[whole:][:2]), st.sampled_from(PORTS))
    count = draw(st.integers(0 if pairs else 1, 6))
    inner = draw(st.lists(endpoint, min_size=count, max_size=count, unique=True))
    outer = draw(st.lists(target_endpoint, min_size=count, max_size=count, unique=True))
    pairs += [(f"{a}:{p}", f"{b}:{q}") for (a, p), (b, q) in zip(inner, outer, strict=True)]
    return draw(st.permutations(pairs))


def directions() -> st.SearchStrategy[str]:
    """Either "out" or "in"."""
    return st.sampled_from(["out", "in"])


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """A segmentation of `data`: chunks that are not empty and join to it again."""
    if len(data) < 2:
        return [data] if data else []
    places = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=12)))
    return [data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)]


@st.composite
def near_sip(draw: st.DrawFn) -> bytes:
    """A stream with one to four damages: bytes changed, removed, doubled or put in."""
    stream = draw(streams())
    for damage in draw(st.lists(_damages(), min_size=1, max_size=4)):
        kind, place, length, new = damage
        start = place % (len(stream) + 1)
        stop = min(start + length, len(stream))
        if kind == "change":
            stream = stream[:start] + new[: stop - start] + stream[start + len(new[: stop - start]) :]
        elif kind == "remove":
            stream = stream[:start] + stream[stop:]
        elif kind == "double":
            stream = stream[:stop] + stream[start:stop] + stream[stop:]
        else:
            stream = stream[:start] + new + stream[start:]
    return stream


def _damages() -> st.SearchStrategy[tuple[str, int, int, bytes]]:
    """What to do, where (modulo the length of the stream), over how many bytes, and with which bytes."""
    signs: Bytes = st.sampled_from([bytes([value]) for value in b'\r\n \t<>":;,@?=/.[]\\0159aZ\x00\xff'])
    texts: Bytes = st.sampled_from(
        [b"\r\n", b"\r\n\r\n", b"\r\n ", b"10.0.30.2", b"sip:", b"SIP/2.0", b"<sip:10.0.30.2>"]
    )
    return st.tuples(
        st.sampled_from(["change", "remove", "double", "insert"]),
        st.integers(0, 4000),
        st.integers(1, 30),
        st.one_of(signs, signs, texts, st.binary(min_size=1, max_size=3)),
    )
