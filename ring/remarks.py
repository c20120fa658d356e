"""What is odd about a ring but possible, and what can only be a slip of the pen."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ring.errors import InputError
from ring.model import Keyspace, RingState, Simple, Topology

LOGINS = "system_auth"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth knowing that is no error.

    Attributes:
        place: where in the ring file, such as ``keyspaces.shop.dc2``.
        problem: what is odd there.

    """

    place: str
    problem: str

    def __str__(self) -> str:
        """Say where, then what."""
        return f"{self.place}: {self.problem}"


def remarks(state: RingState) -> tuple[Remark, ...]:
    """Return all that is odd about a ring."""
    found: list[Remark] = [
        Remark(
            f"nodes[{number}].tokens",
            f"nobody told where {node.address or node.host_id} goes: its pending ranges are not"
            " known, and while it is not up any write may wait for it in vain",
        )
        for number, node in enumerate(state.nodes)
        if node.aim_unknown
    ]
    for keyspace in state.keyspaces:
        found += empty_dcs(keyspace, state.dcs)
        if keyspace.name == LOGINS:
            found += single_logins(keyspace, state)
    return tuple(found)


def refuse_slips(keyspace: Keyspace, dcs: Collection[str], place: str) -> None:
    """Refuse data centres that nobody can have meant; ``dcs`` are those that there are.

    A data centre without nodes is no slip by itself: one that was taken down stays in the
    replication until somebody alters it, and Cassandra goes on without it.

    Raises:
        InputError: where none of the keyspace's data centres exists, or where one differs
            from an existing one in upper and lower case alone.

    """
    if not isinstance(keyspace.replication, Topology):
        return
    named = [dc for dc, _ in keyspace.replication.factors]
    unknown = [dc for dc in named if dc not in dcs]
    by_fold = {dc.casefold(): dc for dc in dcs}
    for dc in unknown:
        if meant := by_fold.get(dc.casefold()):
            raise InputError(f"{place}.{dc}", f"unknown data centre {dc}: is {meant} meant?")
    if unknown and len(unknown) == len(named):
        raise InputError(
            f"{place}.{unknown[0]}", f"unknown data centre; the ring has {_all(dcs)}"
        )


def empty_dcs(keyspace: Keyspace, dcs: Collection[str]) -> Iterator[Remark]:
    """Remark on data centres that hold replicas and have no node."""
    if not isinstance(keyspace.replication, Topology):
        return
    for dc, factor in keyspace.replication.factors:
        if dc not in dcs and factor.replicas:
            yield Remark(
                f"keyspaces.{keyspace.name}.{dc}",
                f"unknown data centre {dc}: no node is there; the ring has {_all(dcs)}",
            )


def single_logins(keyspace: Keyspace, state: RingState) -> Iterator[Remark]:
    """Remark on logins that hang on one node though there are others to hold them too."""
    place = f"keyspaces.{keyspace.name}"
    match keyspace.replication:
        case Simple(factor) if factor.replicas == 1 and len(state.nodes) > 1:
            where = "on the ring"
        case Topology(factors):
            single = [
                dc
                for dc, factor in factors
                if factor.replicas == 1 and sum(node.dc == dc for node in state.nodes) > 1
            ]
            if not single:
                return
            where = f"in {_all(single)}"
        case _:
            return
    yield Remark(
        place,
        f"one replica {where}: while its node is down, nobody whose role it holds can log in;"
        " raise the factor, then repair",
    )


def _all(dcs: Collection[str]) -> str:
    return ", ".join(sorted(dcs))
