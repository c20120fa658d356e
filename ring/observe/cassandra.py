"""What a node says by CQL: tokens, peers, schema, keyspaces; cassandra-driver's one door.

The driver blocks: whoever asks does it in a thread.  Each contact node is asked by its own
cluster object, with itself alone in the load balancing policy: what another node would say is
not its word.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID

from cassandra import AuthenticationFailed, ConsistencyLevel, InvalidRequest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
    Session,
)
from cassandra.connection import ConnectionException
from cassandra.policies import FallthroughRetryPolicy, WhiteListRoundRobinPolicy
from cassandra.query import SimpleStatement, dict_factory

from ring.model import RING_SIZE, HostId
from ring.observe.access import Access, CqlError
from ring.observe.repairing import full_repairs
from ring.repairs import RepairHistory
from ring.words import Facts, Row

PATIENCE: Final = 5.0
"""Seconds for one question, and for a connection: a node in a long pause is passed over."""
PAGE: Final = 1000
LONGEST: Final = 400
"""Characters of a failure."""

LOCAL: Final = (
    "SELECT host_id, broadcast_address, data_center, rack, tokens, schema_version,"
    " release_version, partitioner FROM system.local"
)
PEERS: Final = (
    "SELECT peer, host_id, data_center, rack, {0} schema_version, release_version FROM {1}"
)
WITH_TOKENS: Final = "tokens,"
WITHOUT: Final = ""
TABLES: Final = ("system.peers_v2", "system.peers")  # the second is 3.11's
PARTITIONER: Final = "Murmur3Partitioner"
TABLES_THERE: Final = "SELECT keyspace_name, table_name FROM system_schema.tables"
REPAIRED: Final = (
    "SELECT keyspace_name, columnfamily_names, started_at, finished_at, successful_ranges,"
    " options FROM system_distributed.parent_repair_history"
    " WHERE started_at >= {0} LIMIT {1} ALLOW FILTERING"
)
REPAIRS: Final = 10_000
"""Rows that are read; tools that repair piece by piece write thousands a day."""
MOST_TABLES: Final = 100_000
LONG: Final = 20.0
"""Seconds for all pages of an answer."""
KEYSPACES: Final = "SELECT keyspace_name, replication FROM system_schema.keyspaces"

logging.getLogger("cassandra").setLevel(logging.CRITICAL)  # what fails is told as a reading


class Contact:
    """One node, asked in whatever thread calls; not by two at once."""

    def __init__(self, address: str, access: Access) -> None:
        self._address, self._access = address, access
        self._cluster: Cluster | None = None
        self._session: Session | None = None
        self._table = 0
        self._facts: Facts | None = None

    def read(self, *, whole: bool) -> Facts:
        """Return what the node says now.

        Tokens and keyspaces are asked for where ``whole`` says so, or where others are known,
        other addresses of them or another schema than the last time.

        Raises:
            CqlError: whatever the reason.

        """
        try:
            session = self._session or self._connect()
            return self._read(session, whole=whole)
        except CqlError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise CqlError(_said(error, self._access)) from error

    def repairs(self, since: float) -> RepairHistory:
        """Return the full repairs that began at this time or later, `REPAIRS` of them at most.

        Raises:
            CqlError: whatever the reason, such as that the user may not read them.

        """
        try:
            session = self._session or self._connect()
            tables: dict[str, set[str]] = {}
            for each in _some(session, TABLES_THERE, MOST_TABLES):
                tables.setdefault(str(each["keyspace_name"]), set()).add(
                    str(each["table_name"])
                )
            text = REPAIRED.format(int(since * 1000), REPAIRS)
            repairs = list(full_repairs(_some(session, text, REPAIRS)))
            return RepairHistory(tables=tables, repairs=repairs)
        except CqlError:
            raise
        except Exception as error:
            raise CqlError(_said(error, self._access)) from error

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        cluster, self._cluster, self._session = self._cluster, None, None
        if cluster is not None:
            cluster.shutdown()

    def _connect(self) -> Session:
        profile = ExecutionProfile(
            load_balancing_policy=WhiteListRoundRobinPolicy([self._address]),
            retry_policy=FallthroughRetryPolicy(),
            consistency_level=ConsistencyLevel.ONE,
            request_timeout=PATIENCE,
            row_factory=dict_factory,
        )
        login = self._access.login()
        self._cluster = Cluster(
            [self._address],
            port=self._access.port,
            auth_provider=PlainTextAuthProvider(*login) if login else None,
            ssl_context=self._access.tls(),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            connect_timeout=PATIENCE,
            control_connection_timeout=PATIENCE,
            schema_metadata_enabled=False,
            token_metadata_enabled=False,
            executor_threads=1,
            idle_heartbeat_interval=0,
            monitor_reporting_enabled=False,
        )
        self._session = self._cluster.connect()
        return self._session

    def _read(self, session: Session, *, whole: bool) -> Facts:
        said = _one(session.execute(LOCAL))
        if (partitioner := str(said["partitioner"]).rpartition(".")[2]) != PARTITIONER:
            raise CqlError(
                f"its partitioner is {partitioner}: only {PARTITIONER} is understood"
            )
        local = _row(said)
        before = self._facts
        if not whole and before is not None:
            peers = self._peers(session, WITHOUT)
            if local.schema == before.local.schema and _who(peers) == _who(before.peers):
                tokens = {each.host_id: each.tokens for each in before.peers}
                kept = tuple(replace(each, tokens=tokens[each.host_id]) for each in peers)
                self._facts = Facts(local=local, peers=kept, keyspaces=before.keyspaces)
                return self._facts
        keyspaces = {
            str(each["keyspace_name"]): {str(k): str(v) for k, v in each["replication"].items()}
            for each in session.execute(KEYSPACES)
        }
        peers = self._peers(session, WITH_TOKENS)
        self._facts = Facts(local=local, peers=peers, keyspaces=keyspaces)
        return self._facts

    def _peers(self, session: Session, tokens: str) -> tuple[Row, ...]:
        ask = partial(self._ask_peers, session, tokens)
        try:
            rows = ask()
        except InvalidRequest:
            if self._table:
                raise
            self._table = 1
            rows = ask()
        return tuple(_row(each) for each in rows if each["host_id"] is not None)

    def _ask_peers(self, session: Session, tokens: str) -> list[Mapping[str, Any]]:
        text = PEERS.format(tokens, TABLES[self._table])
        return list(session.execute(SimpleStatement(text, fetch_size=PAGE)))


def _some(session: Session, text: str, most: int) -> Iterator[Mapping[str, Any]]:
    """Yield rows of a long answer; of more than there may be, those that come first."""
    ends = time.monotonic() + LONG
    for row in islice(session.execute(SimpleStatement(text, fetch_size=PAGE)), most):
        if time.monotonic() > ends:
            raise CqlError(f"an answer of over {LONG:g} s")
        yield row


def _one(rows: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- the driver's result
    found: Sequence[Mapping[str, Any]] = list(rows)
    if len(found) != 1 or found[0]["host_id"] is None:
        raise CqlError("system.local does not say who the node is")
    return found[0]


def _row(said: Mapping[str, Any]) -> Row:
    address = said.get("broadcast_address") or said.get("peer")
    return Row(
        host_id=HostId(UUID(str(said["host_id"]))),
        address=str(address or ""),
        dc=said["data_center"] or "",
        rack=said["rack"] or "",
        tokens=_tokens(said.get("tokens") or ()),
        schema=str(said["schema_version"] or ""),
        release=said["release_version"] or "",
    )


def _tokens(said: Iterable[str]) -> tuple[int, ...]:
    tokens = tuple(sorted(map(int, said)))
    if tokens and not (tokens[0] >= -RING_SIZE // 2 and tokens[-1] < RING_SIZE // 2):
        raise CqlError(f"it tells of tokens that {PARTITIONER} has not")
    return tokens


def _who(rows: Sequence[Row]) -> frozenset[tuple[HostId, str, str, str]]:
    return frozenset((each.host_id, each.address, each.dc, each.rack) for each in rows)


def _said(error: Exception, access: Access) -> str:
    """Return why the driver failed; of hosts that could not be used, why that one."""
    if isinstance(error, NoHostAvailable) and error.errors:
        error = next(iter(error.errors.values()))
    text = " ".join(str(error).split())
    if isinstance(error, AuthenticationFailed):
        return access.refused(_quoted(text))[:LONGEST]
    if "[SSL" in text:  # the driver makes plain errors of sockets out of those of TLS
        return access.untrusted(text)[:LONGEST]
    text = f"{type(error).__name__}: {text}"
    if isinstance(error, ConnectionException | ConnectionResetError):
        text = access.broken(text)
    return text[:LONGEST]


def _quoted(text: str) -> str:
    """Return the node's own message out of what the driver makes of it."""
    _, found, rest = text.partition('message="')
    return rest.rpartition('"')[0] if found else text
