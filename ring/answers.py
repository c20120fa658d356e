"""Figures of the `ring` command as plain JSON values: shares, ranges, skew and tokens.

`docs/schemas` describes them.  Fields may be added, none changes its meaning or goes away.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ring.health import Assessor
from ring.model import Keyspace, Local, RingState
from ring.ownership import effective_shares, primary_shares, shortest
from ring.skew import Skew, Suggestion

Json = dict[str, Any]

RANGES_AT_ONCE = 4096  # written together: the whole answer can be hundreds of megabytes


def ownership(state: RingState) -> Json:
    """Return shares as ``nodetool`` computes them, 1.0 being the whole ring, by host ID."""
    assessor = Assessor(state.nodes)
    hosts = [str(node.host_id) for node in state.nodes]
    member = assessor.ring.member.tolist()
    shares: dict[Any, Json] = {}
    for keyspace in state.keyspaces:
        replication = keyspace.replication
        if isinstance(replication, Local):
            shares[replication] = {}
        elif replication not in shares:
            effective = shortest(effective_shares(assessor.placement(replication)))
            shares[replication] = _by_host(hosts, effective, member)
    return {
        "primary": _by_host(hosts, shortest(primary_shares(assessor.ring)), member),
        "keyspaces": {each.name: shares[each.replication] for each in state.keyspaces},
    }


def _by_host(hosts: Sequence[str], shares: Sequence[float], member: Sequence[bool]) -> Json:
    zipped = zip(hosts, shares, member, strict=True)
    return {host: share for host, share, owns in zipped if owns}


def ranges(state: RingState) -> Iterator[tuple[str, Iterator[list[Json]]]]:
    """Yield each keyspace's name and its ranges, some at a time, in token order."""
    assessor = Assessor(state.nodes)
    hosts = [str(node.host_id) for node in state.nodes]
    for keyspace in state.keyspaces:
        yield keyspace.name, _ranges_of(assessor, keyspace, hosts)


def _ranges_of(
    assessor: Assessor, keyspace: Keyspace, hosts: Sequence[str]
) -> Iterator[list[Json]]:
    if isinstance(keyspace.replication, Local):
        return  # each node has its own: there is nothing on the ring
    placement = assessor.placement(keyspace.replication)
    tokens = assessor.ring.tokens
    for start in range(0, len(tokens), RANGES_AT_ONCE):
        block = slice(start, start + RANGES_AT_ONCE)
        nodes = placement.replicas[:, block].T.tolist()
        flags = placement.transient
        transient = flags[:, block].T.tolist() if flags is not None else [()] * len(nodes)
        yield [
            {
                "token": str(token),
                "replicas": [hosts[n] for n in there],
                "transient": [hosts[n] for n, is_so in zip(there, odd, strict=False) if is_so],
            }
            for token, there, odd in zip(tokens[block].tolist(), nodes, transient, strict=True)
        ]


def skews(found: Iterable[tuple[str, Sequence[Skew]]]) -> Json:
    """Return each keyspace's skew by data centre."""
    keyspaces = {
        name: {
            each.dc: {
                "nodes": each.nodes,
                "highest": each.highest,
                "lowest": each.lowest,
                "highestBand": list(each.highest_band),
                "lowestBand": list(each.lowest_band),
                "explained": each.explained,
            }
            for each in several
        }
        for name, several in found
    }
    explained = all(
        dc["explained"] for several in keyspaces.values() for dc in several.values()
    )
    return {"explained": explained, "keyspaces": keyspaces}


def suggestion(found: Suggestion) -> Json:
    """Return suggested tokens."""
    return {"tokens": [str(t) for t in found.tokens], "share": found.share, "even": found.even}
