"""What a ring manager costs with a thousand nodes, and how soon it shows that one is down.

Sidecars are simulated by a child process: one HTTP server that answers on a thousand loopback
addresses.  The manager is a child of its own, with all that `ring serve` imports, so that its
memory is its own.  ``--with-ring`` adds figures from a real ring of three nodes.
"""

import argparse
import asyncio
import itertools
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import aiohttp
from aiohttp import web

from bench.figures import Figure, median_of, publish
from ring.model import HostId
from ring.objects import Claim, Entry, EntryState, Machine, Pod, Record, StatefulSet, Turn
from ring.observed import Observation
from ring.reading import Reading
from ring.words import Facts, Row, Seen, Sidecar

NODES: Final = 1000
TOKENS: Final = 16
KEYSPACES: Final = 20
PORT: Final = 8179
BASE: Final = int(IPv4Address("127.200.0.1"))
ROUNDS: Final = 7
FIRST_DOWN: Final = 500
RING: Final = "0e0c0000-0000-4000-8000-000000000001"
MIB: Final = 2**20
HERE: Final = [sys.executable, "-m", "bench.bench_manager"]


def host(number: int) -> HostId:
    """Return the host ID of a node."""
    return HostId(UUID(int=(number + 1) << 64 | 4 << 76 | 2 << 62))


def address(number: int) -> str:
    """Return the address of a node."""
    return str(IPv4Address(BASE + number))


def rack(number: int) -> str:
    """Return the rack of a node."""
    return f"rack{number % 3}"


# -- the child with a thousand sidecars


class Sidecars:
    """Answers for every address but those that are down, which all others say."""

    def __init__(self, uids: Mapping[str, tuple[str, str]]) -> None:
        self._down: frozenset[int] = frozenset()
        self._uids = uids
        self._render()

    def _render(self) -> None:
        self._hash = f"h{len(self._down)}-{sum(self._down)}"
        rows = [
            json.dumps(
                {
                    "hostId": str(host(n)),
                    "address": address(n),
                    "up": n not in self._down,
                    "state": "normal",
                }
            )
            for n in range(NODES)
        ]
        self._text = ",".join(rows).encode()
        self._ends = list(itertools.accumulate(len(row) + 1 for row in rows))

    def _peers(self, but: int) -> bytes:
        """Return all rows but one, with commas between."""
        begin = self._ends[but - 1] if but else 0
        return (self._text[:begin] + self._text[self._ends[but] :]).strip(b",")

    def down(self, number: int) -> None:
        """Let one more be down."""
        self._down |= {number}
        self._render()

    async def node(self, request: web.Request) -> web.Response:
        """Answer ``/v1/node`` as the sidecar of the address that was asked."""
        name = request.get_extra_info("sockname")[0]
        number = int(IPv4Address(name)) - BASE
        if number in self._down:
            raise web.HTTPServiceUnavailable  # nobody speaks for it any more
        beat: dict[str, Any] = {
            "ageSeconds": 0.4,
            "mode": "NORMAL",
            "hostId": str(host(number)),
            "address": name,
            "dc": "dc1",
            "rack": rack(number),
            "native": True,
            "load": 1e9,
            "cassandra": "5.0.9",
            "seeds": [address(n) for n in range(3)],
            "peersHash": self._hash,
        }
        pod = f"cassandra-{number}"
        pod_uid, pvc_uid = self._uids.get(pod, (f"uid-{number}", f"pvc-{number}"))
        body = {
            "pod": pod,
            "podUid": pod_uid,
            "pvcUid": pvc_uid,
            "ringId": RING,
            "address": name,
            "disk": {"state": "member", "ringId": RING, "hostId": str(host(number))},
            "cassandra": "answering",
            "heartbeat": beat,
        }
        text = json.dumps(body).encode()
        if request.query.get("peers") != self._hash:
            text = text[:-2] + b', "peers": [' + self._peers(number) + b"]}}"
        return web.Response(body=text, content_type="application/json")

    async def set_down(self, request: web.Request) -> web.Response:
        """Let a node be down from now on."""
        self.down(int(request.match_info["number"]))
        return web.Response()


async def simulate(uids: Mapping[str, tuple[str, str]]) -> None:
    """Serve until standard input ends."""
    sidecars = Sidecars(uids)
    app = web.Application()
    app.router.add_get("/v1/node", sidecars.node)
    app.router.add_get("/down/{number}", sidecars.set_down)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", PORT, backlog=2048).start()  # noqa: S104 -- loopback has a thousand
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


# -- the child that is the manager


class World:
    """What Kubernetes and CQL say of the simulated ring."""

    def __init__(self) -> None:
        rng = random.Random(7)  # noqa: S311 -- tokens
        self._tokens = [rng.getrandbits(64) - 2**63 for _ in range(NODES * TOKENS)]
        self._pods = {name: self._pod(n, name) for n, name in names()}
        self._ledger = {name: self._entry(n, name) for n, name in names()}
        rows = tuple(self._row(n) for n in range(NODES))
        replication = {"class": "NetworkTopologyStrategy", "dc1": "3"}
        keyspaces = {
            f"shop{n}": replication | {"dc1": str(2 + n % 3)} for n in range(KEYSPACES)
        }
        self._rows, self._keyspaces = rows, keyspaces
        self._facts = {address(n): self.facts(address(n)) for n in range(3)}

    def facts(self, where: str) -> Facts:
        """Return what a node says by CQL."""
        local = self._rows[int(IPv4Address(where)) - BASE]
        return Facts(local=local, peers=self._rows, keyspaces=self._keyspaces)

    def _pod(self, n: int, name: str) -> Pod:
        return Pod(
            name=name,
            uid=f"uid-{n}",
            stateful_set="cassandra",
            machine=f"machine-{n}",
            address=address(n),
        )

    def _entry(self, n: int, name: str) -> Entry:
        return Entry(
            pod=name,
            ring_id=RING,
            pod_uid=f"uid-{n}",
            pvc_uid=f"pvc-{n}",
            host_id=host(n),
            state=EntryState.MEMBER,
            dc="dc1",
            rack=rack(n),
        )

    def _row(self, n: int) -> Row:
        return Row(
            host_id=host(n),
            address=address(n),
            dc="dc1",
            rack=rack(n),
            tokens=tuple(sorted(self._tokens[n * TOKENS : (n + 1) * TOKENS])),
            schema="s",
            release="5.0.9",
        )

    def observed(self) -> Observation:
        """Return the side of Kubernetes."""
        return Observation(
            pods=Reading(self._pods, 1.0),
            claims=Reading(
                {
                    name: Claim(name=f"cassandra-data-{name}", uid=f"pvc-{n}", pod=name)
                    for n, name in names()
                },
                1.0,
            ),
            machines=Reading(
                {
                    f"machine-{n}": Machine(name=f"machine-{n}", zone=rack(n))
                    for n in range(NODES)
                },
                1.0,
            ),
            stateful_sets=Reading(
                {"cassandra": StatefulSet(name="cassandra", replicas=NODES)}, 1.0
            ),
            endpoints=Reading((), 1.0),
            record=Reading(Record(ring_id=RING), 1.0),
            ledger=Reading(self._ledger, 1.0),
            turn=Reading(Turn(), 1.0),
        )

    def readings(self) -> Mapping[str, Reading[Facts]]:
        """Return the side of CQL."""
        return {where: Reading(facts, 1.0) for where, facts in self._facts.items()}


def names() -> list[tuple[int, str]]:
    """Return numbers and names of all pods."""
    return [(n, f"cassandra-{n}") for n in range(NODES)]


async def manage() -> None:
    """Run rounds of questions and cycles by hand, and print what they cost."""
    import ring.serve  # noqa: F401, PLC0415 -- its memory belongs to the manager's
    from ring.latest import Latest  # noqa: PLC0415
    from ring.manager import Manager  # noqa: PLC0415
    from ring.observe import sidecars  # noqa: PLC0415
    from ring.parts import whole  # noqa: PLC0415

    world, latest = World(), Latest()
    targets = {name: address(n) for n, name in names()}
    sidecars.PATIENCE = 60.0  # type: ignore[misc]  # one process is slower than a thousand
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as asking:
        asked = sidecars.Sidecars(
            lambda: targets,
            PORT,
            lambda: None,
            clock=lambda: 0.0,  # never too old
        )
        manager = Manager(world, asked, world, latest)

        async def ask() -> float:
            began = time.process_time()
            await asyncio.gather(*asked.ask_all())
            return time.process_time() - began

        async def cycle() -> tuple[float, int]:
            began = time.process_time()
            await manager.cycle()
            shown = latest.shown()
            if shown is None or shown.judged.health is None:
                raise SystemExit("a cycle without a picture")
            body = json.dumps(whole(shown))
            return time.process_time() - began, len(body)

        async def ask_until(down: int) -> float:
            """Ask until all have told of so many that are down; slow answers come again."""
            took = await ask()
            for _ in range(20):
                if all(_told(each, down) for each in asked.readings().values()):
                    return took
                took += await ask()
            raise SystemExit("the simulated sidecars are too slow")

        first = await ask_until(0), (await cycle())[0]
        await _asked_plainly(asking)  # opens its connections
        both = [(await ask(), await _asked_plainly(asking)) for _ in range(ROUNDS)]
        questions, plainly = zip(*both, strict=True)
        cycles = [(await cycle())[0] for _ in range(ROUNDS)]
        news = []
        for number in range(3):
            where = f"http://{address(0)}:{PORT}/down/{FIRST_DOWN + number}"
            async with asking.get(where) as answer:
                answer.raise_for_status()
            took = await ask_until(number + 1)
            news.append((took, (await cycle())[0]))
        answered = sum(each.value is not None for each in asked.readings().values())
        shown = latest.shown()
        if shown is None:
            raise SystemExit("no picture")
        asked.close()
        down = sum(each.liveness == "D" for each in shown.judged.snapshot.members)
    print(
        json.dumps(
            {
                "first": first,
                "questions": questions,
                "plainly": plainly,
                "cycles": cycles,
                "news": news,
                "answered": answered,
                "down": down,
                "bytes": (await cycle())[1],
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


async def _asked_plainly(asking: aiohttp.ClientSession) -> float:
    """Send the same questions with aiohttp's client, only read the answers; return seconds."""
    async with asking.get(f"http://{address(0)}:{PORT}/v1/node") as answer:
        known = (await answer.json())["heartbeat"]["peersHash"]

    async def one(number: int) -> None:
        where = f"http://{address(number)}:{PORT}/v1/node"
        async with asking.get(where, params={"peers": known}) as answer:
            await answer.read()

    began = time.process_time()
    await asyncio.gather(*map(one, range(NODES)))
    return time.process_time() - began


def _told(reading: Reading[Sidecar], down: int) -> bool:
    """Say whether a node has told of so many that are down, or is one of them."""
    said = reading.value
    if said is None or said.heartbeat is None or said.heartbeat.sight is None:
        return False
    number = int(said.pod.rpartition("-")[2])
    if FIRST_DOWN <= number < FIRST_DOWN + down:
        return True  # it is one of them, and says nothing any more
    return said.heartbeat.sight.up.count(Seen.DOWN) == down


# -- figures


def simulated() -> list[Figure]:
    """Measure the manager with simulated sidecars."""
    with subprocess.Popen(  # noqa: S603 -- ourselves
        [*HERE, "--simulate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sidecars:
        if sidecars.stdout is None or sidecars.stdout.readline() != "ready\n":
            raise SystemExit("the simulated sidecars do not serve")
        try:
            done = subprocess.run(  # noqa: S603 -- likewise
                [*HERE, "--manage"], capture_output=True, text=True, timeout=300, check=True
            )
        finally:
            sidecars.communicate(timeout=30)
    told = json.loads(done.stdout)
    if (told["answered"], told["down"]) != (NODES, 3):
        raise SystemExit(f"not what was simulated: {told}")
    size = f"{NODES} nodes x {TOKENS} tokens, {KEYSPACES} keyspaces"
    both = [q + c for q, c in zip(told["questions"], told["cycles"], strict=True)]
    return [
        median_of(f"one cycle, CPU: {size}, all asked once", both, "s"),
        median_of("- of it asking a thousand sidecars", told["questions"], "s"),
        median_of(
            "- aiohttp's client, the same questions, answers unread", told["plainly"], "s"
        ),
        median_of("- of it picture, findings, health and JSON", told["cycles"], "s"),
        median_of(
            "the same when a node goes down for all, who then send all peers",
            list(map(sum, told["news"])),
            "s",
        ),
        Figure(name="the first cycle, everything new", value=sum(told["first"]), unit="s"),
        Figure(name="memory at its peak, by hand", value=told["peak"] / MIB, unit="MiB"),
        Figure(name="/v1/ring of it", value=told["bytes"] / MIB, unit="MiB"),
    ]


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-ring", action="store_true", help="a real ring as well")
    parser.add_argument("--simulate", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--manage", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--uids", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    del soft
    from bench import manager_served  # noqa: PLC0415 -- it imports from here

    if chosen.simulate:
        uids = json.loads(chosen.uids.read_text()) if chosen.uids else {}
        asyncio.run(simulate(uids))
    elif chosen.serve:
        asyncio.run(manager_served.serve(chosen.serve))
    elif chosen.manage:
        asyncio.run(manage())
    else:
        figures = simulated() + asyncio.run(manager_served.served())
        if chosen.with_ring:
            from bench.manager_live import live  # noqa: PLC0415 -- needs Java

            figures += asyncio.run(live())
        publish("manager", figures)


if __name__ == "__main__":
    main()
