"""Rings to look at: of three nodes and of three hundred, in one data centre and in three."""

import random
from dataclasses import replace

from ring.model import RING_SIZE
from ring.objects import Machine
from tests.unit.ring.worlds import Seat, World

TOKENS = 16  # Cassandra's default of a node
SEED = 4  # rings are the same in every run


def ring(nodes: int, racks: str = "abc", dcs: tuple[str, ...] = ("dc1",)) -> World:
    """Return a healthy world with random tokens and one or more data centres."""
    world = World(nodes, racks)
    drawn = random.Random(SEED)  # noqa: S311 -- a picture, no secret
    for n, seat in enumerate(world.seats):
        dc, rack = dcs[n % len(dcs)], racks[n // len(dcs) % len(racks)]
        _place(seat, dc, rack, tuple(_token(drawn) for _ in range(TOKENS)))
        world.machines[f"worker-{n}"] = Machine(name=f"worker-{n}", zone=rack)
    per_dc = str(min(3, nodes // len(dcs)))
    both = {"class": "NetworkTopologyStrategy", **dict.fromkeys(dcs, per_dc)}
    world.keyspaces = {
        "shop": both,
        "system_auth": both,
        "system_distributed": both,
        "system_traces": both,
    }
    return world


def _token(drawn: random.Random) -> int:
    return drawn.randrange(RING_SIZE) - RING_SIZE // 2


def _place(seat: Seat, dc: str, rack: str, tokens: tuple[int, ...]) -> None:
    number = seat.number
    address = f"10.{dc[-1]}.{number // 250}.{number % 250 + 1}"
    seat.rack, seat.dc = rack, dc
    seat.pod = replace(seat.pod, address=address)
    seat.entry = replace(seat.entry, dc=dc, rack=rack)
    seat.row = replace(seat.row, dc=dc, rack=rack, address=address, tokens=tokens)


def troubled(nodes: int, dcs: tuple[str, ...] = ("dc1",)) -> World:
    """Return a ring on a bad day: some down, one silent, one seen otherwise, a ghost."""
    world = ring(nodes, dcs=dcs)
    world.keyspaces["metrics"] = world.keyspaces["shop"] | {dcs[0]: "2"}
    for n in range(7, nodes, max(20, nodes // 6)):
        world.down(n)
    if nodes > 20:
        world.seats[11].heard = False
        world.seats[11].speaks = False
        for seat in world.seats:
            if seat.number not in (11, 3):
                world.sees[seat.number, 11] = None
        world.seats[5].mode = "LEAVING"
        world.unseen(30, by=(9,))
    return world
