"""What the manager is asked over HTTP: the words of a query, and what they mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ring import arcs, verdicts
from ring.comparing import compare
from ring.errors import InputError, RingError, TooLittleKnownError, UnknownNodeError
from ring.judged import Judged
from ring.levels import Level
from ring.model import RingState
from ring.parts import TOKENS_UNKNOWN
from ring.snapshot import RingSnapshot
from ring.whatif_options import Change, changed, handing_over

Json = dict[str, Any]
Query = Iterable[tuple[str, str]]

MAX_WORDS = 1000  # of one parameter: every node of the largest rings known
MAX_ADDED = 100  # each new node makes every placement anew; `ring whatif --file` takes more


@dataclass(frozen=True, slots=True)
class Parameter:
    """One that a query may have.

    Attributes:
        option: of ``ring whatif``, which says the same in its messages.
        field: of `Change`.
        what: what it is for.
        example: a value of the form that it takes.

    """

    option: str
    field: str
    what: str
    example: str


CHANGES: Mapping[str, Parameter] = {
    "stop": Parameter("--stop", "stop", "is down: pod, host ID or address", "cassandra-1"),
    "drain": Parameter("--drain", "drain", "Kubernetes node: all on it are down", "worker-1"),
    "rack": Parameter("--stop-rack", "stop_rack", "rack that is down: DC/RACK", "dc1/a"),
    "dc": Parameter("--lose-dc", "lose_dc", "data centre that is down", "dc1"),
    "remove": Parameter(
        "--remove",
        "remove",
        "is gone and gives nothing on: pod, host ID or address",
        "10.0.0.1",
    ),
    "decommission": Parameter(
        "--decommission", "decommission", "leaves and hands over its data", "cassandra-2"
    ),
    "add": Parameter("--add", "add", "one more node: DC/RACK or DC/RACK=TOKEN,…", "dc1/a"),
    "alter": Parameter(
        "--alter",
        "alter",
        "replicates otherwise: KEYSPACE=CLASS,OPTION:RF,…",
        "shop=NetworkTopologyStrategy,dc1:3",
    ),
}
OF_MEMBERS = frozenset({"stop", "remove", "decommission"})


@dataclass(frozen=True, slots=True)
class Question:
    """A change to think through.

    Attributes:
        levels: that decide; the usual ones where there are none.
        keyspaces: to judge; all where there are none.

    """

    change: Change
    levels: tuple[Level, ...] = ()
    keyspaces: tuple[str, ...] = ()


NOTHING_ASKED = Question(Change())


def question(query: Query, *, needs_change: bool = True) -> Question:
    """Read a query of ``/v1/whatif``; `InputError` names the parameter that is wrong.

    ``/v1/arcs`` takes the same, and none.
    """
    words = words_of(query, [*CHANGES, "level", "keyspace"], {"add": MAX_ADDED})
    change = Change(**{each.field: tuple(words[name]) for name, each in CHANGES.items()})
    if needs_change and not change:
        raise InputError("", f"names no change: {', '.join(CHANGES)}")
    levels = tuple(map(level_named, words["level"]))
    return Question(change, levels, tuple(words["keyspace"]))


def words_of(
    query: Query, known: Iterable[str], most: Mapping[str, int] | None = None
) -> dict[str, list[str]]:
    """Return each known parameter's words; `InputError` names one that is wrong.

    ``most`` are the bounds of those that may not be given `MAX_WORDS` times.
    """
    words: dict[str, list[str]] = {name: [] for name in known}
    for name, value in query:
        if name not in words:
            raise InputError(name[:100], "is not a parameter; see /openapi.json")
        if not value:
            raise InputError(name, "names nothing")
        words[name].append(value)
        bound = (most or {}).get(name, MAX_WORDS)
        if len(words[name]) > bound:
            raise InputError(name, f"is given more than {bound} times")
    return words


def level_named(text: str) -> Level:
    """Return a consistency level, in whatever case; `InputError` for other words."""
    try:
        return Level(text.upper())
    except ValueError:
        names = ", ".join(Level)
        raise InputError("level", f"{text[:100]!r} is none of {names}") from None


def whatif(judged: Judged, asked: Question) -> Json:
    """Say what a change would make worse (docs/schemas/whatif.json).

    Raises:
        InputError: where words do not say what they should.
        TooLittleKnownError: while nobody's tokens are known.
        UnknownNodeError: where they name what the ring does not have.

    """
    before, after, change = _states(judged, asked)
    try:
        changes = compare(before, after, handing_over(before, change))
    except RingError as error:
        raise renamed(error) from error
    return verdicts.change(before, after, changes, asked.levels)


def weak_arcs(judged: Judged, asked: Question) -> list[Json]:
    """Say where on the ring nothing can be spared, now or after a change.

    Raises:
        RingError: as `whatif`.

    """
    if asked == NOTHING_ASKED and judged.verdict.is_possible:
        return judged.verdict.arcs
    before, after, _ = _states(judged, asked)
    return arcs.as_json(arcs.weak(before, after, asked.levels))


def _states(judged: Judged, asked: Question) -> tuple[RingState, RingState, Change]:
    """Return the ring as it is and as it would be, and the change with host IDs in it."""
    if not judged.verdict.is_possible:
        raise TooLittleKnownError(TOKENS_UNKNOWN)
    before = _only(judged.snapshot.ring, asked.keyspaces)
    change = with_members(judged.snapshot, asked.change)
    try:
        return before, changed(before, change), change
    except RingError as error:
        raise renamed(error) from error


def _only(state: RingState, names: Sequence[str]) -> RingState:
    known = {each.name: each for each in state.keyspaces}
    for name in names:
        if name not in known:
            raise InputError("keyspace", f"there is no keyspace {name}")
    if not names:
        return state
    return replace(state, keyspaces=tuple(known[name] for name in dict.fromkeys(names)))


def with_members(snapshot: RingSnapshot, change: Change) -> Change:
    """Put host IDs where a change names pods."""
    return replace(
        change,
        **{
            CHANGES[name].field: tuple(
                _host(snapshot, name, word) for word in getattr(change, CHANGES[name].field)
            )
            for name in OF_MEMBERS
        },
    )


def _host(snapshot: RingSnapshot, name: str, word: str) -> str:
    """Return the host ID of a pod; other words stay for who reads them next."""
    if word in snapshot.who.by_pod:
        return str(snapshot.who.by_pod[word])
    if snapshot.pods is not None and word in snapshot.pods:
        raise InputError(name, f"{word} is a pod that runs no member of the ring")
    if problem := snapshot.observed.pods.broken.get(word):
        raise InputError(name, problem)
    return word


def renamed(error: RingError) -> RingError:
    """Return the error with the parameter's name where it has the option's."""
    if isinstance(error, InputError):
        return InputError(_parameter(error.place), error.problem)
    if not isinstance(error, UnknownNodeError):
        return error
    place, colon, problem = str(error).partition(": ")
    return UnknownNodeError(f"{_parameter(place)}{colon}{problem}")


def _parameter(place: str) -> str:
    for name, each in CHANGES.items():
        if place == each.option:
            return name
    return place
