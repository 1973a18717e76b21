"""SIP between two kernels through the ALG while both wires lose, double and reorder one packet in a hundred each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.inline_lab import INSIDE, POOL, InlineLab, inline_lab
from tests.e2e.routers import OURS
from tests.e2e.shapes import SHAPES, THOUSAND, Shape
from tests.e2e.wire import Wire, wire
from tests.edge.messages import options, request, response

SEED = 20
PORT = 5060
SIP_PORTS = [flag for place in range(len(SHAPES) + 1) for flag in ("--sip-port", str(PORT + place))]


@pytest.fixture(scope="module", params=OURS)
def storm(request: pytest.FixtureRequest) -> Iterator[tuple[InlineLab, list[Wire]]]:
    """A lab whose router is the ALG, with bad weather on both sides of it."""
    print(f"seed {SEED}")
    with (
        inline_lab(offload=False) as lab,
        wire(lab.lab, "inside", SEED) as one,
        wire(lab.lab, "outside", SEED + 1) as two,
        OURS[request.param](lab, *SIP_PORTS),
    ):
        yield lab, [one, two]


def mix(seed: str, longest: int) -> Shape:
    """Messages of many lengths, cut anywhere."""
    rng = random.Random(seed)
    sizes = [rng.choice([0, 300, 800, 1500, 4000]) for _ in range(60)]
    said = (
        [request(INSIDE, size=size) + options(INSIDE) for size in sizes],
        [response(POOL, size=size) for size in sizes],
    )
    heard = (
        [response(INSIDE, size=size) for size in sizes],
        [request(POOL, size=size) + options(POOL) for size in sizes],
    )
    return Shape((pieces(rng, said[0], longest), pieces(rng, said[1], longest)), heard, 0.001)


def pieces(rng: random.Random, messages: list[bytes], longest: int) -> list[bytes]:
    """Cut anywhere."""
    cuts, data = [], b"".join(messages)
    while data:
        length = rng.randint(1, longest)
        cuts.append(data[:length])
        data = data[length:]
    return cuts


def failures(lab: InlineLab, shapes: dict[str, Shape]) -> dict[str, str]:
    """What became of conversations that were had at once, each on a connection to a port of its own."""

    def have(place: int, one: Shape) -> str:
        with lab.connection(PORT + place) as ends:
            return one.differs(ends)

    with ThreadPoolExecutor(len(shapes)) as threads:
        differences = threads.map(have, range(len(shapes)), shapes.values())
        return {name: difference for name, difference in zip(shapes, differences, strict=True) if difference}


@pytest.mark.parametrize("longest", [400, 1448, 10_000])
def test_everything_arrives(storm: tuple[InlineLab, list[Wire]], longest: int) -> None:
    """Hundreds of messages on eight connections, cut anywhere: complete and exact in both directions."""
    lab, wires = storm
    assert failures(lab, {str(number): mix(f"{SEED} {longest} {number}", longest) for number in range(8)}) == {}
    for one in wires:
        assert min(one.lost, one.doubled, one.late) > 10


def test_every_shape_arrives(storm: tuple[InlineLab, list[Wire]]) -> None:
    """So does what crosses a calm wire, message by message and byte by byte."""
    lab, wires = storm
    before = [(one.lost, one.doubled, one.late) for one in wires]
    assert failures(lab, SHAPES | {"a thousand messages": THOUSAND}) == {}
    for one, (lost, doubled, late) in zip(wires, before, strict=True):
        assert min(one.lost - lost, one.doubled - doubled, one.late - late) > 10
