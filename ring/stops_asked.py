"""What the manager is asked about stopping pods: the words of a query, and the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ring import drain_order, gate
from ring.asked import Query, level_named, words_of
from ring.errors import InputError
from ring.gate import Terms
from ring.judged import Shown
from ring.levels import Level
from ring.parts import head
from ring.stopping_pods import named, on_machine

Json = dict[str, Any]

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
    words = words_of(query, GATE)
    pods, machines = words["pod"], words["node"]
    if len(machines) > 1:
        raise InputError("node", "is given twice; ask for one after the other")
    if bool(pods) == bool(machines):
        raise InputError("", "names nothing to stop: pod, which may be repeated, or node")
    terms = Terms(
        levels=tuple(map(level_named, words["level"])),
        keyspaces=tuple(words["keyspace"]),
    )
    return Stop(tuple(pods), machines[0] if machines else "", terms)


def levels(query: Query) -> tuple[Level, ...]:
    """Read a query of ``/v1/drain-order``; `InputError` names the parameter that is wrong."""
    return tuple(map(level_named, words_of(query, ["level"])["level"]))


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
        drain_order.drain_order(shown.judged.snapshot, shown.judged.found, asked)
    )
