"""Where a search begins: pods on blank disks, a whole ring, a ring from before the sidecars."""

from tests.model import cassandra, settling
from tests.model import state as m
from tests.model.deciding import Brain
from tests.model.moves import Broken


def blank(size: int) -> m.World:
    """Return pods that start for the first time, all at once."""
    return m.World(tuple(m.Pod(address=n) for n in range(size)), ledger=((),) * size)


def whole(size: int) -> m.World:
    """Return the ring that these pods make when nothing goes wrong."""
    return settled(Brain(), blank(size))


def older(size: int) -> m.World:
    """Return a running ring on disks without marks, whose pods have just got their sidecars."""
    peers = tuple(m.Peer(n + 1, n, joining=False, up=True) for n in range(size))
    pods = tuple(
        m.Pod(address=n, disk=m.Disk(m.UNMARKED, 0, n + 1, 1), run=m.NORMAL)
        for n in range(size)
    )
    return m.World(pods, ledger=((),) * size, maps=((1, peers),))


def settled(brain: Brain, world: m.World) -> m.World:
    """Follow a fair run to its end."""
    while True:
        world = m.canonical(cassandra.collected(world))
        after = settling.fair_move(brain, world)
        if after is None:
            return world
        if isinstance(after, Broken):
            raise AssertionError(after.text)  # noqa: TRY004 -- a law, not a type
        world = after


STARTS = {"blank": blank, "whole": whole, "older": older}
