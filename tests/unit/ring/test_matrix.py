"""How the views of all members add up, and what silence does to them."""

from hypothesis import given
from hypothesis import strategies as st

from ring.matrix import Matrix, Viewer, matrix
from ring.model import Liveness
from ring.reading import UNREAD
from ring.words import POOLED, Peer, Pool, Seen
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

Cell = bool | None  # up, down, or the failure detector is silent
Views = list[list[Cell] | None]  # None: not heard


def joined(views: Views, strange: frozenset[tuple[int, int]] = frozenset()) -> Matrix:
    pool, hosts = Pool(), [host(n) for n in range(len(views))]
    viewers = []
    for n, row in enumerate(views):
        if row is None:
            viewers.append(Viewer())
            continue
        peers = [
            Peer(hosts[m], "", cell)
            for m, cell in enumerate(row)
            if m != n and (n, m) not in strange
        ]
        sight = pool.sight(Peer(hosts[n], "", up=None), peers)
        viewers.append(Viewer(sight, 0.5, runs=True, votes=True))
    return matrix(hosts, viewers)


@st.composite
def views(draw: st.DrawFn) -> Views:
    size = draw(st.integers(1, 7))
    cell = st.sampled_from([True, True, False, None])
    row = st.lists(cell, min_size=size, max_size=size)
    return draw(st.lists(st.none() | row, min_size=size, max_size=size))


@given(views(), st.data())
def test_silence_makes_nobody_down_or_surely_up(seen: Views, data: st.DataObject) -> None:
    before = joined(seen)
    member = data.draw(st.integers(0, len(seen) - 1))
    quiet = data.draw(st.sets(st.integers(0, len(seen) - 1)))
    after = joined([None if n in quiet else row for n, row in enumerate(seen)])

    if before.liveness(member) is not Liveness.DOWN:
        assert after.liveness(member) is not Liveness.DOWN
    assert before.surely_up(member) or not after.surely_up(member)


@given(views())
def test_every_voter_is_on_one_island_and_in_one_ring(seen: Views) -> None:
    found = joined(seen)

    for parts in (found.islands(), found.rings()):
        everyone = [n for part in parts for n in part.tolist()]
        assert sorted(everyone) == [n for n, row in enumerate(seen) if row is not None]
    assert len(found.rings()) <= len(found.islands())


@given(st.integers(2, 7), st.data())
def test_who_is_known_is_of_the_same_ring_whether_reachable_or_not(
    size: int, data: st.DataObject
) -> None:
    side = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    seen: Views = [[side[n] == side[m] for m in range(size)] for n in range(size)]
    across = frozenset((n, m) for n in range(size) for m in range(size) if side[n] != side[m])
    parts = len(set(side))

    assert len(joined(seen).islands()) == parts
    assert len(joined(seen).rings()) == 1
    assert len(joined(seen, across).rings()) == parts


def test_views_are_the_same_whether_they_share_their_columns_or_not() -> None:
    views: Views = [[True, False, None], [True, True, False], [None, True, True]]
    together, hosts = joined(views), [host(n) for n in range(3)]
    apart = matrix(
        hosts,
        [
            Viewer(
                Pool().sight(
                    None, [Peer(h, "", row[m]) for m, h in enumerate(hosts) if m != n]
                ),
                0.5,
                runs=True,
                votes=True,
            )
            for n, row in enumerate(views)
        ],
    )

    assert (together.cells == apart.cells).all()
    assert (together.states == apart.states).all()


def test_hosts_that_are_no_members_are_not_taken_for_any() -> None:
    sight = Pool().sight(None, [Peer(host(9), "", up=True), Peer(host(1), "", up=False)])
    found = matrix([host(0), host(1)], [Viewer(sight, 0.5, runs=True, votes=True), Viewer()])

    assert found.cells.tolist() == [[Seen.UNKNOWN, Seen.DOWN], [Seen.UNKNOWN, Seen.UNKNOWN]]


def test_a_node_that_most_see_down_is_down() -> None:
    world = World(5)
    world.unseen(4, by=(0, 1, 2))

    assert world.snapshot().by_host[host(4)].liveness is Liveness.DOWN


def test_half_a_ring_that_is_cut_off_is_neither_up_nor_down() -> None:
    world = World(4)
    world.cut((0, 1), (2, 3))

    assert {each.liveness for each in world.snapshot().members} == {Liveness.UNKNOWN}


def test_a_minority_that_alone_is_heard_calls_nobody_down() -> None:
    world = World(5)
    world.cut((0, 1), (2, 3, 4))
    for number in (2, 3, 4):
        world.seats[number].heard = False

    seen = [each.liveness for each in world.snapshot().members]

    assert seen == [Liveness.UP] * 2 + [Liveness.UNKNOWN] * 3


def test_a_minority_calls_nobody_down_where_nobody_tells_which_members_are_pods_here() -> None:
    world = World(5)
    world.cut((0, 1), (2, 3, 4))
    world.stale["ledger"] = UNREAD
    for number in (2, 3, 4):
        world.seats[number].heard = False

    assert world.snapshot().by_host[host(4)].pod == ""
    assert world.snapshot().by_host[host(4)].liveness is Liveness.UNKNOWN


def test_a_machine_that_kubernetes_lost_is_no_witness_that_its_member_is_down() -> None:
    world = World(3)
    world.unseen(1, 2, by=(0,))
    for number in (1, 2):
        world.seats[number].heard = False
        name = f"worker-{number}"
        world.machines[name] = type(world.machines[name])(name=name, ready=None)

    assert world.snapshot().by_host[host(1)].liveness is Liveness.UNKNOWN
    assert world.snapshot().by_host[host(1)].runs is None


def test_a_stopped_ring_is_down_though_nobody_is_left_to_say_so() -> None:
    world = World(3)
    for number in range(3):
        world.down(number)

    assert {each.liveness for each in world.snapshot().members} == {Liveness.DOWN}


def test_a_frozen_process_is_what_the_others_see() -> None:
    world = World(3)
    world.seats[2].speaks = False  # its port still answers

    assert world.snapshot().by_host[host(2)].liveness is Liveness.UP

    world.unseen(2)
    assert world.snapshot().by_host[host(2)].liveness is Liveness.DOWN


def test_a_pool_shares_equal_columns_and_does_not_grow_for_ever() -> None:
    pool = Pool()
    first = pool.sight(Peer(host(0), "a", up=None), [Peer(host(1), "b", up=True)])
    second = pool.sight(Peer(host(1), "b", up=None), [Peer(host(0), "a", up=False)])
    assert first.hosts is second.hosts
    assert first.addresses is second.addresses

    for number in range(3 * POOLED):
        pool.sight(None, [Peer(host(number), str(number), up=True)])
    assert len(pool._hosts) <= POOLED
