from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from localring.objects import NAMESPACE, PodIdentity, pod, pod_status, service
from localring.slices import Object, endpoint, reconcile

OWNER = UUID(int=1)


def made_pod(ordinal: int, *, ready: bool = False, incarnation: int = 0) -> Object:
    body = pod(PodIdentity(ordinal, f"rack{ordinal % 3 + 1}"), OWNER)
    body["metadata"]["uid"] = str(uuid5(NAMESPACE_DNS, f"{ordinal}.{incarnation}"))
    body["status"] = pod_status(f"127.62.{incarnation}.{ordinal + 1}", ready=ready)  # type: ignore[arg-type]
    return body


def made_service() -> Object:
    body = service()
    body["metadata"]["uid"] = "service"
    return body


def apply(slices: list[Object], pods: list[Object], most: int) -> list[Object]:
    """Carry the writes out as a server would."""
    writes = reconcile(made_service(), pods, slices, most)
    by_name = {piece["metadata"]["name"]: piece for piece in slices}
    for piece in writes.update:
        by_name[piece["metadata"]["name"]] = piece
    for name in writes.delete:
        del by_name[name]
    for piece in writes.create:
        name = f"cassandra-{len(by_name)}-{piece['endpoints'][0]['targetRef']['uid']}"
        by_name[name] = {**piece, "metadata": {**piece["metadata"], "name": name}}
    return list(by_name.values())


def names(slices: list[Object]) -> list[str]:
    return sorted(item["targetRef"]["uid"] for piece in slices for item in piece["endpoints"])


pod_sets = st.lists(
    st.dictionaries(st.integers(0, 9), st.tuples(st.booleans(), st.integers(0, 3)), max_size=8),
    min_size=1,
    max_size=6,
)


@given(pod_sets, st.integers(1, 4))
def test_after_every_change_the_slices_name_each_pod_exactly_once_within_their_size(
    history: list[dict[int, tuple[bool, int]]], most: int
) -> None:
    slices: list[Object] = []
    for moment in history:
        pods = [made_pod(n, ready=r, incarnation=i) for n, (r, i) in moment.items()]
        slices = apply(slices, pods, most)

        assert names(slices) == sorted(body["metadata"]["uid"] for body in pods)
        assert all(1 <= len(piece["endpoints"]) <= most for piece in slices)


@given(pod_sets)
def test_slices_that_say_what_the_pods_are_give_nothing_to_write(
    history: list[dict[int, tuple[bool, int]]],
) -> None:
    pods = [made_pod(n, ready=r, incarnation=i) for n, (r, i) in history[0].items()]
    slices = apply([], pods, 3)
    writes = reconcile(made_service(), pods, slices, 3)

    assert (writes.create, writes.update, writes.delete) == ((), (), ())


def test_an_endpoint_stays_in_its_slice_when_it_becomes_ready() -> None:
    pods = [made_pod(n) for n in range(4)]
    slices = apply([], pods, 2)
    writes = reconcile(made_service(), [made_pod(n, ready=n == 2) for n in range(4)], slices, 2)

    (changed,) = writes.update
    assert [item["conditions"]["serving"] for item in changed["endpoints"]] == [True, False]


def test_a_starting_pod_is_published_as_ready_but_not_as_serving() -> None:
    described = endpoint(made_pod(1), made_service())

    assert described["conditions"] == {"ready": True, "serving": False, "terminating": False}
    assert described["hostname"] == "cassandra-1"
    assert described["zone"] == "rack2"


def test_a_terminating_pod_may_still_serve() -> None:
    body = made_pod(0, ready=True)
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    conditions: dict[str, Any] = endpoint(body, made_service())["conditions"]
    assert conditions == {"ready": True, "serving": True, "terminating": True}


def test_a_pod_without_an_address_is_not_listed() -> None:
    body = made_pod(0)
    body["status"] = {"phase": "Pending"}

    assert reconcile(made_service(), [body], [], 3).create == ()


def test_slices_carry_the_labels_by_which_they_are_found() -> None:
    (piece,) = reconcile(made_service(), [made_pod(0)], [], 3).create

    assert piece["metadata"]["namespace"] == NAMESPACE
    assert piece["metadata"]["labels"]["kubernetes.io/service-name"] == "cassandra"
