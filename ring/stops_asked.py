"""What the manager is asked about stopping pods: the words of a query, and the answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ring import drain_order, gate
from ring.asked import level_named
from ring.errors import InputError
from ring.gate import Terms
from ring.judged import Shown
from ring.levels import Level
from ring.parts import head
from ring.stopping_pods import named, on_machine

Json = dict[str, Any]
Query = Iterable[tuple[str, str]]

MAX_WORDS = 1000  # of one parameter: every pod of the largest rings known

GATE: Mapping[str, str] = {
    "pod": "that is to stop: its name, or its member's host ID or address; may be repeated",
    "node": "Kubernetes node that is to be drained, instead of pods",
    "level": "that clients use; may be repeated; without: quorums, and ONE for Cassandra's own"
    " keyspaces",
    "keyspace": "that decides; may be repeated; all without",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Pods that are to stop together, or a Kubernetes node; and what decides."""

    pods: tuple[str, ...]
    machine: str
    terms: Terms


def stop(query: Query) -> Stop:
    """Read a query of ``/v1/gate``; `InputError` names the parameter that is wrong."""
    words = _words(query, GATE)
    pods, machines = words.get("pod", []), words.get("node", [])
    if len(machines) > 1:
        raise InputError("node", "is given twice; ask for one after the other")
    if bool(pods) == bool(machines):
        raise InputError("", "names nothing to stop: pod, which may be repeated, or node")
    terms = Terms(
        levels=tuple(map(level_named, words.get("level", ()))),
        keyspaces=tuple(words.get("keyspace", ())),
    )
    return Stop(tuple(pods), machines[0] if machines else "", terms)


def levels(query: Query) -> tuple[Level, ...]:
    """Read a query of ``/v1/drain-order``; `InputError` names the parameter that is wrong."""
    return tuple(map(level_named, _words(query, {"level": ""}).get("level", ())))


def _words(query: Query, known: Iterable[str]) -> dict[str, list[str]]:
    words: dict[str, list[str]] = {name: [] for name in known}
    for name, value in query:
        if name not in words:
            raise InputError(name[:100], "is not a parameter; see /openapi.json")
        if not value:
            raise InputError(name, "names nothing")
        words[name].append(value)
        if len(words[name]) > MAX_WORDS:
            raise InputError(name, f"is given more than {MAX_WORDS} times")
    return words


def gate_answer(shown: Shown, asked: Stop) -> Json:
    """Say whether pods may stop (docs/schemas/gate.json).

    Raises:
        UnknownNodeError: where a pod, a machine or a keyspace is not there.

    """
    snapshot = shown.judged.snapshot
    stopping = (
        on_machine(snapshot, asked.machine) if asked.machine else named(snapshot, asked.pods)
    )
    answer = gate.decide(snapshot, shown.judged.found, stopping, asked.terms)
    return head(shown) | gate.as_json(answer)


def drain_order_answer(shown: Shown, asked: tuple[Level, ...]) -> Json:
    """Return an order to stop all pods in (docs/schemas/drain-order.json)."""
    return head(shown) | drain_order.as_json(
        drain_order.drain_order(shown.judged.snapshot, asked)
    )
