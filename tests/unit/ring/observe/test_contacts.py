"""Which nodes are read by CQL, and what is made of those that cannot be."""

import threading

from ring.observe import contacts as module
from ring.observe.contacts import CONTACTS, WHOLE_SECONDS, Contacts
from ring.words import Facts, Row
from tests.unit.ring.serving import Time
from tests.unit.ring.strategies import host


class Node:
    """A node that says what the test lets it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.problem = ""
        self.asked: list[bool] = []
        self.closed = False
        self.schema = "s1"

    def read(self, *, whole: bool) -> Facts:
        self.asked.append(whole)
        if self.problem:
            raise OSError(self.problem)
        return Facts(local=Row(host_id=host(1), address=self.address, schema=self.schema))

    def close(self) -> None:
        self.closed = True


class Stage:
    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.revision: object = 1
        self.time = Time()
        self.nodes: dict[str, Node] = {}
        self.problems: dict[str, str] = {}
        self.news = 0
        self.contacts = Contacts(
            self.make,
            lambda: self.addresses,
            lambda: self.revision,
            self.change,
            clock=self.time,
        )

    def make(self, address: str) -> Node:
        self.nodes[address] = Node(address)
        self.nodes[address].problem = self.problems.get(address, "")
        return self.nodes[address]

    def change(self) -> None:
        self.news += 1

    def failures(self) -> dict[str, str]:
        return {a: each.failure for a, each in self.contacts.readings().items()}


async def test_a_few_are_read_and_no_more() -> None:
    stage = Stage("a", "b", "c", "d", "e")
    await stage.contacts.look()

    assert list(stage.contacts.readings()) == ["a", "b", "c"]
    assert all(each.is_fresh(1) for each in stage.contacts.readings().values())


async def test_tokens_are_read_again_only_when_something_changed_or_after_long() -> None:
    stage = Stage("a")
    for _ in range(3):
        await stage.contacts.look()
        stage.time.now += 5
    stage.revision = 2
    await stage.contacts.look()
    await stage.contacts.look()
    stage.time.now += WHOLE_SECONDS + 1
    await stage.contacts.look()

    assert stage.nodes["a"].asked == [True, False, False, True, False, True]


async def test_one_that_fails_is_replaced_by_another_and_its_connections_closed() -> None:
    stage = Stage("a", "b", "c", "d")
    stage.problems = {"b": "wrong password"}
    await stage.contacts.look()
    assert stage.failures()["b"] == "wrong password"
    await stage.contacts.look()

    assert set(stage.failures().values()) == {""}
    assert set(stage.contacts.readings()) == {"a", "c", "d"}
    stage.contacts._pool.shutdown(wait=True)
    assert stage.nodes["b"].closed


async def test_where_all_fail_each_says_why_and_is_tried_again_with_growing_pauses() -> None:
    stage = Stage("a", "b")
    stage.problems = {"a": "no", "b": "neither"}
    for _ in range(60):
        await stage.contacts.look()
        stage.time.now += 5

    assert stage.failures() == {"a": "no", "b": "neither"}
    assert 5 <= len(stage.nodes["a"].asked) <= 15
    assert stage.news == 1 * CONTACTS - 1  # one of each, when it began to fail


async def test_what_was_said_before_a_failure_stays_with_its_age() -> None:
    stage = Stage("a")
    await stage.contacts.look()
    stage.nodes["a"].problem = "gone"
    stage.time.now += 7
    await stage.contacts.look()
    reading = stage.contacts.readings()["a"]

    assert reading.value is not None
    assert (reading.age, reading.failure) == (7, "gone")


async def test_while_nobody_is_known_to_be_there_those_of_before_are_read_on() -> None:
    stage = Stage("a")
    await stage.contacts.look()
    stage.addresses = []
    await stage.contacts.look()

    assert stage.nodes["a"].asked == [True, False]


async def test_a_node_that_never_answers_keeps_nobody_waiting(monkeypatch) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    stage = Stage("a", "b")
    release = threading.Event()

    class Stuck(Node):
        def read(self, *, whole: bool) -> Facts:
            self.asked.append(whole)
            release.wait(10)
            raise OSError("late")

    stage.make = lambda address: Stuck(address) if address == "a" else Node(address)  # type: ignore[method-assign]
    stage.contacts._make = stage.make
    try:
        await stage.contacts.look()
        assert stage.failures() == {"a": "no answer within 0.05 s", "b": ""}
        stage.time.now += 60
        await stage.contacts.look()  # it is still being asked, and not asked twice
        assert stage.contacts.readings()["b"].age == 0
    finally:
        release.set()
