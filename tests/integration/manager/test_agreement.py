"""The manager says what ``nodetool`` says of the same ring."""

from localring.status import read_status
from ring.answers import ownership
from tests.integration.manager.conftest import Watched

MEASURED = "system_traces"  # a keyspace with two copies, from Cassandra's first start on


async def test_states_hosts_addresses_racks_and_shares_are_those_of_nodetool(
    manager: Watched,
) -> None:
    node = manager.ring.pod(0).node
    lines = read_status(await node.nodetool("status", MEASURED))
    shares = ownership(manager.judged.snapshot.ring)["keyspaces"][MEASURED]
    ours = {
        str(each.host_id): (each.state, each.address, each.rack)
        for each in manager.judged.snapshot.members
    }

    assert ours == {host: (it.state, it.address, it.rack) for host, it in lines.items()}
    assert {host: f"{share:.1%}" for host, share in shares.items()} == {
        host: it.owns for host, it in lines.items()
    }


async def test_tokens_are_those_of_nodetool(manager: Watched) -> None:
    printed = await manager.ring.pod(0).node.nodetool("ring")
    lines = [line.split() for line in printed.splitlines() if " Normal " in line]
    by_address: dict[str, set[int]] = {}
    for line in lines:
        by_address.setdefault(line[0], set()).add(int(line[-1]))

    assert by_address
    assert {m.address: set(m.tokens) for m in manager.judged.snapshot.members} == by_address


async def test_a_whole_ring_has_no_findings_but_those_of_its_keyspaces(
    manager: Watched,
) -> None:
    assert manager.kinds <= {"logins-on-one-node"}, manager.told()  # as Cassandra makes it


async def test_everything_is_served(manager: Watched) -> None:
    for path in ("ring", "members", "findings", "history", "keyspaces", "ringfile", "seeds"):
        await manager.get(f"/v1/{path}")
    for pod in ("cassandra-0", "cassandra-2"):
        body = await manager.get(f"/v1/seeds?pod={pod}")
        assert body["pods"][pod]["explanation"]["outcome"] == "seeds"
