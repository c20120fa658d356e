"""An answer as JSON: the decision, and of every candidate why it was chosen or not.  Pure."""

from typing import Any

from seedprovider import evidence
from seedprovider.decision import Answer, Refused, Seeds, Withheld
from seedprovider.model import Asker, Endpoint, RingId, View

MAX_CANDIDATES = 1000
"""Enough for the largest rings known; the rest is counted."""


def status_of(answer: Answer) -> int:
    """Return the HTTP status that an answer travels with."""
    match answer:
        case Seeds():
            return 200
        case Withheld():
            return 503
        case Refused():
            return 409


def explain(answer: Answer, view: View, asker: Asker) -> dict[str, Any]:
    """Return the body of ``GET /v1/seeds`` in its JSON form; see docs/contracts.md."""
    record = view.record
    ring = record.ring_id if record else asker.disk.ring_id
    seeds = answer.seeds if isinstance(answer, Seeds) else ()
    shown = view.endpoints[:MAX_CANDIDATES]
    return {
        "outcome": type(answer).__name__.lower(),
        "seeds": list(seeds),
        "replace": answer.replace if isinstance(answer, Seeds) else None,
        "ringId": answer.ring_id if isinstance(answer, Seeds) else ring,
        "reason": answer.reason,
        "rule": answer.rule.value,
        "asker": {
            "pod": asker.pod,
            "address": asker.address,
            "disk": asker.disk.state.value,
            "hostId": asker.disk.host_id,
        },
        "view": {"source": view.source.value, "ageSeconds": round(view.age, 3)},
        "candidates": [_candidate(view, each, ring, asker, seeds) for each in shown],
        "candidatesLeftOut": len(view.endpoints) - len(shown),
    }


def _candidate(
    view: View,
    endpoint: Endpoint,
    ring: RingId | None,
    asker: Asker,
    seeds: tuple[str, ...],
) -> dict[str, Any]:
    why = evidence.doubt(view, endpoint, ring) if ring else "there is no ring yet"
    chosen = endpoint.address in seeds
    if why is None:
        why = "confirmed member"
        if not chosen:
            itself = endpoint.pod == asker.pod
            why += ", left out: the asker itself" if itself else ", not needed"
    return {
        "pod": endpoint.pod,
        "address": endpoint.address,
        "chosen": chosen,
        "why": why,
        "terminating": endpoint.terminating,
    }
