"""Which members become seeds, and the laws by which a list in use comes to the one wanted."""

from hypothesis import given
from hypothesis import strategies as st

from seedprovider.model import Endpoint, pod_order
from seedprovider.selection import WANTED_OTHERS, choose, step_towards, with_two_others


def member(n: int, zone: str | None = None) -> Endpoint:
    return Endpoint(f"cassandra-{n}", f"u{n}", f"10.0.0.{n + 1}", zone=zone)


def numbers(chosen: tuple[Endpoint, ...]) -> list[int]:
    return [int(endpoint.pod.rsplit("-", 1)[1]) for endpoint in chosen]


def racks_of(*names: str) -> dict[str, str]:
    return {f"cassandra-{n}": name for n, name in enumerate(names)}


# -- choose ------------------------------------------------------------------------------------


def test_the_lowest_ordinals_are_chosen_by_number_and_not_by_letter() -> None:
    assert numbers(choose([member(n) for n in (10, 9, 2)], {}, 2)) == [2, 9]


def test_one_of_each_rack_goes_before_a_lower_ordinal() -> None:
    members = [member(n) for n in range(6)]

    assert numbers(choose(members, racks_of("a", "a", "a", "b", "b", "c"), 3)) == [0, 3, 5]


def test_more_racks_than_seeds_wanted_get_one_each_all_the_same() -> None:
    members = [member(n) for n in range(4)]

    assert numbers(choose(members, racks_of("a", "b", "c", "d"), 2)) == [0, 1, 2, 3]


def test_a_pod_whose_rack_nobody_knows_counts_by_its_zone() -> None:
    members = [member(0, "a"), member(1, "a"), member(2, "b")]

    assert numbers(choose(members, {}, 2)) == [0, 2]


def test_the_rack_goes_before_the_zone() -> None:
    members = [member(0, "z1"), member(1, "z2"), member(2, "z3")]

    assert numbers(choose(members, racks_of("a", "a", "b"), 2)) == [0, 2]


def test_nobody_eligible_is_nobody_chosen() -> None:
    assert choose([], {}, 3) == ()


rings = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([None, "a", "b", "c"])),
    unique_by=lambda pair: pair[0],
    max_size=12,
)


@given(rings, st.integers(1, 5), st.randoms(use_true_random=False))
def test_every_asker_chooses_the_same_whatever_order_it_learned_them_in(
    ring: list[tuple[int, str | None]], count: int, random: object
) -> None:
    members = [member(n) for n, _ in ring]
    racks = {f"cassandra-{n}": rack for n, rack in ring if rack}
    shuffled = list(members)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert choose(members, racks, count) == choose(shuffled, racks, count)


@given(rings, st.integers(1, 5))
def test_as_many_as_wanted_or_all_are_chosen_and_every_rack_has_one(
    ring: list[tuple[int, str | None]], count: int
) -> None:
    racks = {f"cassandra-{n}": rack for n, rack in ring if rack}
    chosen = choose([member(n) for n, _ in ring], racks, count)
    places = {rack for _, rack in ring}

    assert {racks.get(endpoint.pod) for endpoint in chosen} == places
    assert len(chosen) == max(min(count, len(ring)), len(places))
    assert list(chosen) == sorted(chosen, key=lambda endpoint: pod_order(endpoint.pod))


@given(rings, st.integers(1, 5))
def test_a_member_that_was_not_chosen_can_go_without_changing_the_choice(
    ring: list[tuple[int, str | None]], count: int
) -> None:
    racks = {f"cassandra-{n}": rack for n, rack in ring if rack}
    chosen = choose([member(n) for n, _ in ring], racks, count)

    assert choose(chosen, racks, count) == chosen


# -- two seeds besides oneself -----------------------------------------------------------------


def test_a_seed_gets_two_others_besides_itself() -> None:
    chosen, reserve = (member(0), member(1)), [member(0), member(1), member(2), member(3)]

    assert numbers(with_two_others(chosen, "cassandra-0", reserve)) == [0, 1, 2]
    assert numbers(with_two_others(chosen, "cassandra-5", reserve)) == [0, 1]


@given(st.sets(st.integers(0, 6)), st.integers(0, 6), st.lists(st.integers(0, 6), unique=True))
def test_others_are_added_until_two_are_there_or_none_is_left(
    chosen: set[int], asker: int, reserve: list[int]
) -> None:
    result = numbers(
        with_two_others(
            [member(n) for n in sorted(chosen)],
            f"cassandra-{asker}",
            [member(n) for n in reserve],
        )
    )

    assert set(result) >= chosen
    assert set(result) - chosen <= set(reserve) - {asker}
    others = set(result) - {asker}
    assert len(others) >= min(WANTED_OTHERS, len((chosen | set(reserve)) - {asker}))
    assert len(others) <= max(WANTED_OTHERS, len(chosen - {asker}))
    assert result == sorted(result)


# -- one step towards the list wanted ----------------------------------------------------------

ALL = tuple(f"10.0.0.{n}" for n in range(1, 7))
lists = st.lists(st.sampled_from(ALL), unique=True, max_size=5).map(tuple)
targets = st.lists(st.sampled_from(ALL), unique=True, min_size=1, max_size=5).map(tuple)
unsafe_sets = st.frozensets(st.sampled_from(ALL), max_size=3)
SAFE: frozenset[str] = frozenset()


@given(lists, targets)
def test_one_address_changes_at_a_time(
    current: tuple[str, ...], target: tuple[str, ...]
) -> None:
    step = step_towards(current, target, SAFE)

    assert len(set(current) ^ set(step)) <= 1
    assert len(set(step)) == len(step)


@given(lists, targets)
def test_nothing_is_removed_before_all_is_added(
    current: tuple[str, ...], target: tuple[str, ...]
) -> None:
    step = step_towards(current, target, SAFE)

    assert set(step) >= set(current) or set(step) >= set(target)


@given(lists, targets)
def test_what_is_in_both_lists_stays_and_nothing_else_appears(
    current: tuple[str, ...], target: tuple[str, ...]
) -> None:
    step = set(step_towards(current, target, SAFE))

    assert set(current) & set(target) <= step <= set(current) | set(target)


@given(lists, targets)
def test_the_list_wanted_is_reached_in_as_many_steps_as_there_are_differences_and_kept(
    current: tuple[str, ...], target: tuple[str, ...]
) -> None:
    for _ in set(current) ^ set(target):
        assert set(current) != set(target)
        current = step_towards(current, target, SAFE)

    assert set(current) == set(target)
    assert step_towards(current, target, SAFE) == target


@given(lists, targets, unsafe_sets)
def test_a_list_is_never_empty(
    current: tuple[str, ...], target: tuple[str, ...], unsafe: frozenset[str]
) -> None:
    assert step_towards(current, target, unsafe)


@given(lists, targets, unsafe_sets)
def test_where_another_ring_answers_goes_at_once_and_all_of_it(
    current: tuple[str, ...], target: tuple[str, ...], unsafe: frozenset[str]
) -> None:
    wanted = tuple(address for address in target if address not in unsafe) or ("10.1.0.1",)

    assert not set(step_towards(current, wanted, unsafe)) & unsafe
