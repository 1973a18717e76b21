"""SIP between two kernels through the ALG while both wires lose, double and reorder one packet in a hundred each."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.inline_lab import INSIDE, POOL, InlineLab, exchange, inline_lab
from tests.e2e.routers import OURS
from tests.e2e.wire import Wire, wire
from tests.edge.messages import options, request, response

SEED = 20
SIP_PORTS = [flag for port in range(5060, 5068) for flag in ("--sip-port", str(port))]


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


def pieces(rng: random.Random, data: bytes, longest: int) -> list[bytes]:
    """Cut anywhere."""
    cuts = []
    while data:
        length = rng.randint(1, longest)
        cuts.append(data[:length])
        data = data[length:]
    return cuts


@pytest.mark.parametrize("longest", [400, 1448, 10_000])
def test_everything_arrives(storm: tuple[InlineLab, list[Wire]], longest: int) -> None:
    """Hundreds of messages on eight connections, cut anywhere: complete and exact in both directions."""
    lab, wires = storm
    failures: list[str] = []

    def talk(number: int) -> None:
        rng = random.Random(f"{SEED} {longest} {number}")
        sizes = [rng.choice([0, 300, 800, 1500, 4000]) for _ in range(60)]
        said = (
            [request(INSIDE, size=size) + options(INSIDE) for size in sizes],
            [response(POOL, size=size) for size in sizes],
        )
        due = (
            b"".join(response(INSIDE, size=size) for size in sizes),
            b"".join(request(POOL, size=size) + options(POOL) for size in sizes),
        )
        with lab.connection(5060 + number) as ends:
            heard = exchange(ends, tuple(pieces(rng, b"".join(side), longest) for side in said), 0.001)
        if heard != due:
            failures.append(f"connection {number}: {[len(side) for side in heard]} of {[len(side) for side in due]}")

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for one in wires:
        assert min(one.lost, one.doubled, one.late) > 10
