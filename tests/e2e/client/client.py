"""The application of the scenarios: fills a table, checks it, or keeps on asking.

It runs in a pod and finds the ring by the Service's name alone. Every request is idempotent and
marked so; beyond that the driver's own policies do what they do for any application.
"""

import json
import logging
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cassandra import ConsistencyLevel
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
    Session,
)
from cassandra.concurrent import execute_concurrent
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import SimpleStatement

KEYSPACE = "shop"
SELECT = SimpleStatement(
    f"SELECT b FROM {KEYSPACE}.t WHERE a = %s",  # noqa: S608
    is_idempotent=True,
)
UPSERT = SimpleStatement(
    f"INSERT INTO {KEYSPACE}.t (a, b) VALUES (%s, %s)",  # noqa: S608
    is_idempotent=True,
)
CONNECT_SECONDS = 120.0
AT_ONCE = 16
ATTEMPTS = 10


def connect(host: str, level: str, dc: str) -> Session:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(dc)),
        consistency_level=ConsistencyLevel.name_to_value[level],
        request_timeout=10,
    )
    profiles = {EXEC_PROFILE_DEFAULT: profile}
    cluster = Cluster([host], execution_profiles=profiles, protocol_version=5)
    return cluster.connect()


def connected(options: Namespace) -> Session:
    """Connect, for a while again and again: not the first moment is tested, but the ring."""
    began = time.monotonic()
    while True:
        try:
            return connect(options.host, options.level, options.dc)
        except NoHostAvailable:
            if time.monotonic() - began > CONNECT_SECONDS:
                raise
            time.sleep(0.5)


def insist(ask: Callable[[], object]) -> None:
    """Ask until it works: what is prepared here is not what is tested."""
    for attempt in range(ATTEMPTS):
        try:
            ask()
        except Exception:  # the last one ends the program
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(1)
        else:
            return


def fill(options: Namespace) -> object:
    session = connected(options)
    factors = {"class": "NetworkTopologyStrategy", options.dc: options.rf}
    for statement in (
        f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = {factors}",
        f"CREATE TABLE IF NOT EXISTS {KEYSPACE}.t (a int PRIMARY KEY, b int)",
    ):
        insist(partial(session.execute, statement, timeout=60))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = (partial(session.execute, UPSERT, (n, n * n)) for n in range(options.rows))
        for each in [pool.submit(insist, row) for row in rows]:
            each.result()
    return {"rows": options.rows}


def check(options: Namespace) -> object:
    """Read every row that `fill` wrote."""
    session = connected(options)
    missing, errors = [], Counter[str]()
    asked = [(SELECT, (n,)) for n in range(options.rows)]
    found = execute_concurrent(session, asked, concurrency=AT_ONCE, raise_on_first_error=False)
    for n, (success, result) in enumerate(found):
        if not success:
            errors[type(result).__name__] += 1
        elif (row := result.one()) is None or row.b != n * n:
            missing.append(n)
    return {"missing": missing, "errors": errors}


def hosts(options: Namespace) -> object:
    """Return the host IDs of all nodes."""
    session = connected(options)
    return [str(host.host_id) for host in session.cluster.metadata.all_hosts()]


def load(options: Namespace) -> object:
    """Read and write one row after the other in a few threads until standard input closes."""
    session = connected(options)
    done = threading.Event()
    counts, failures = Counter[str](), []

    def work(worker: int) -> None:
        number = worker
        while not done.is_set():
            key = number % options.rows
            try:
                if options.write:
                    counts["writes"] += 1
                    session.execute(UPSERT, (key, key * key))
                counts["reads"] += 1
                row = session.execute(SELECT, (key,)).one()
                if row is None or row.b != key * key:
                    failures.append(f"row {key} reads as {row}")
            except Exception as error:  # noqa: BLE001 - each is told
                failures.append(f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}")
            number += options.workers
            done.wait(options.pause)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(options.workers)]
    for each in workers:
        each.start()
    print("started", flush=True)
    sys.stdin.read()
    done.set()
    for each in workers:
        each.join()
    return {"requests": counts, "failures": failures[:50], "failed": len(failures)}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="cassandra", help="name of the Service")
    parser.add_argument("--dc", default="dc1")
    parser.add_argument("--level", default="QUORUM")
    parser.add_argument("--rows", type=int, default=500)
    commands = parser.add_subparsers(required=True)
    filling = commands.add_parser("fill")
    filling.add_argument("--rf", type=int, default=3)
    filling.set_defaults(run=fill)
    commands.add_parser("check").set_defaults(run=check)
    commands.add_parser("hosts").set_defaults(run=hosts)
    loading = commands.add_parser("load")
    loading.add_argument("--write", action="store_true")
    loading.add_argument("--workers", type=int, default=4)
    loading.add_argument("--pause", type=float, default=0.05, help="seconds between requests")
    loading.set_defaults(run=load)
    options = parser.parse_args()
    logging.getLogger("cassandra").setLevel(logging.ERROR)
    print(json.dumps(options.run(options)), flush=True)


if __name__ == "__main__":
    main()
