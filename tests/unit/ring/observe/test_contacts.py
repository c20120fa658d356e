"""Which nodes are read by CQL, and what is made of those that cannot be."""

import asyncio
import threading

from ring.observe import contacts as module
from ring.observe.contacts import BEGUN_SECONDS, CONTACTS, WHOLE_SECONDS, Contacts
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
        self.tokens = (1,)

    def read(self, *, whole: bool) -> Facts:
        self.asked.append(whole)
        if self.problem:
            raise OSError(self.problem)
        return Facts(local=self.row())

    def row(self) -> Row:
        return Row(
            host_id=host(1), address=self.address, schema=self.schema, tokens=self.tokens
        )

    def close(self) -> None:
        self.closed = True


class Stage:
    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.revision: object = 1
        self.tokens: tuple[int, ...] = (1,)
        self.made: list[Node] = []
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
            jitter=lambda: 0.5,
        )

    def make(self, address: str) -> Node:
        self.nodes[address] = Node(address)
        self.nodes[address].tokens = self.tokens
        self.nodes[address].problem = self.problems.get(address, "")
        self.made.append(self.nodes[address])
        return self.nodes[address]

    def asked(self, address: str) -> int:
        return sum(len(each.asked) for each in self.made if each.address == address)

    def change(self) -> None:
        self.news += 1

    async def look(self) -> None:
        await asyncio.gather(*self.contacts.look())

    def failures(self) -> dict[str, str]:
        return {a: each.failure for a, each in self.contacts.readings().items()}


async def test_a_few_are_read_and_no_more() -> None:
    stage = Stage("a", "b", "c", "d", "e")
    await stage.look()

    assert list(stage.contacts.readings()) == ["a", "b", "c"]
    assert all(each.is_fresh(1) for each in stage.contacts.readings().values())


async def test_tokens_are_read_again_only_when_something_changed_or_after_long() -> None:
    stage = Stage("a")
    for _ in range(3):
        await stage.look()
        stage.time.now += 5
    stage.revision = 2
    await stage.look()
    await stage.look()
    stage.time.now += WHOLE_SECONDS + 1
    await stage.look()

    assert stage.nodes["a"].asked == [True, False, False, True, False, True]


async def test_one_that_fails_is_replaced_by_another_and_its_connections_closed() -> None:
    stage = Stage("a", "b", "c", "d")
    stage.problems = {"b": "wrong password"}
    await stage.look()
    assert stage.failures()["b"] == "wrong password"
    await stage.look()

    assert set(stage.failures().values()) == {""}
    assert set(stage.contacts.readings()) == {"a", "c", "d"}
    stage.contacts._pool.shutdown(wait=True)
    assert stage.nodes["b"].closed


async def test_where_all_fail_at_once_what_was_last_said_stays_and_everybody_is_tried() -> None:
    stage = Stage(*"abcdefgh")
    await stage.look()
    for address in "abcdefgh":
        stage.problems[address] = "no login"
        if address in stage.nodes:
            stage.nodes[address].problem = "no login"
    for _ in range(12):
        stage.time.now += 5
        await stage.look()
        told = {a for a, each in stage.contacts.readings().items() if each.value}
        assert told == {"a", "b", "c"}

    assert set(stage.nodes) == set("abcdefgh")
    assert stage.asked("d") <= 4  # of twelve looks: its pauses grow


async def test_of_many_that_fail_the_one_that_answers_is_found_and_kept() -> None:
    stage = Stage(*"abcdefgh")
    stage.problems = dict.fromkeys("abcdefh", "no")
    for _ in range(4):
        await stage.look()
        stage.time.now += 5

    assert stage.contacts.readings()["g"].value
    assert "g" in stage.contacts.readings()


async def test_facts_of_who_is_no_candidate_count_only_while_there_are_no_others() -> None:
    stage = Stage("a")
    await stage.look()
    stage.addresses = ["b"]
    stage.problems = {"b": "starts"}
    await stage.look()
    assert stage.contacts.readings()["a"].value
    stage.time.now += 10
    stage.nodes["b"].problem = ""
    await stage.look()
    await stage.look()

    assert list(stage.contacts.readings()) == ["b"]


async def test_a_row_without_tokens_is_soon_read_again() -> None:
    stage = Stage("a")
    stage.tokens = ()
    await stage.look()
    stage.time.now += 5
    await stage.look()
    stage.time.now += BEGUN_SECONDS
    await stage.look()

    assert stage.nodes["a"].asked == [True, False, True]


async def test_where_all_fail_each_says_why_and_is_tried_again_with_growing_pauses() -> None:
    stage = Stage("a", "b")
    stage.problems = {"a": "no", "b": "neither"}
    for _ in range(60):
        await stage.look()
        stage.time.now += 5

    assert stage.failures() == {"a": "no", "b": "neither"}
    assert 5 <= len(stage.nodes["a"].asked) <= 15
    assert stage.news == 1 * CONTACTS - 1  # one of each, when it began to fail


async def test_what_was_said_before_a_failure_stays_with_its_age() -> None:
    stage = Stage("a")
    await stage.look()
    stage.nodes["a"].problem = "gone"
    stage.time.now += 7
    await stage.look()
    reading = stage.contacts.readings()["a"]

    assert reading.value is not None
    assert (reading.age, reading.failure) == (7, "gone")


async def test_while_nobody_is_known_to_be_there_those_of_before_are_read_on() -> None:
    stage = Stage("a")
    await stage.look()
    stage.addresses = []
    await stage.look()

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

    stuck = Stuck("a")
    stage.make = lambda address: stuck if address == "a" else Node(address)  # type: ignore[method-assign]
    stage.contacts._make = stage.make
    try:
        await stage.look()
        assert stage.failures() == {"a": "no answer within 0.05 s", "b": ""}
        stage.time.now += 60
        await stage.look()  # it is still being asked, and not asked twice
        assert stage.contacts.readings()["b"].age == 0
        assert stuck.asked == [True]
        assert not stuck.closed  # the driver is not to be closed beside its own question
    finally:
        release.set()
    stage.contacts._pool.shutdown(wait=True)
    assert stuck.closed
