"""What a sidecar answers to ``GET /v1/node``, from its JSON to a value (docs/contracts.md)."""

import ipaddress
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from ring.model import HostId
from ring.observe.bodies import GARBAGE
from ring.words import (
    POOLED,
    Clock,
    Disk,
    DiskState,
    Heartbeat,
    PeerState,
    Pool,
    Process,
    Seen,
    Sidecar,
    Sight,
)

MOST_BYTES = 4 * 2**20
"""Of an answer: a heartbeat has at most 1 MiB when its sidecar takes it."""
MOST_PEERS = 10_000
MOST_TEXTS = 50_000  # host IDs and addresses that are remembered
SEEN = {None: Seen.UNKNOWN, True: Seen.UP, False: Seen.DOWN}
STATES = {each.name.lower(): each for each in PeerState}
DISKS = {each.value: each for each in DiskState}
PROCESSES = {each.value: each for each in Process}

Text = Annotated[str, Meta(max_length=200)]
Short = Annotated[str, Meta(max_length=64)]  # `UUID` and `ip_address` take texts of any length
Age = Annotated[float, Meta(ge=0, le=1e9)]


class _Disk(msgspec.Struct, rename="camel"):
    state: Text = "unknown"
    ring_id: Text | None = None
    host_id: Text | None = None
    pvc_uid: Text | None = None


class _Peer(msgspec.Struct, rename="camel", gc=False):
    host_id: Short
    address: Short
    up: bool | None = None
    state: Text = "normal"


class _Heartbeat(msgspec.Struct, rename="camel"):
    age_seconds: Age
    mode: Text
    cassandra: Text | None = None
    host_id: Text | None = None
    address: Text | None = None
    dc: Text | None = None
    rack: Text | None = None
    native: bool | None = None
    load: Annotated[float, Meta(ge=0)] | None = None
    seeds: Annotated[list[Text], Meta(max_length=1000)] | None = None
    peers_hash: Text | None = None
    peers: msgspec.Raw = msgspec.Raw(b"")


class _Node(msgspec.Struct, rename="camel"):
    pod: Text
    pod_uid: Text
    pvc_uid: Text | None = None
    ring_id: Text | None = None
    address: Text = ""
    disk: _Disk = msgspec.field(default_factory=_Disk)
    cassandra: Text = "unknown"
    heartbeat: _Heartbeat | None = None


_node = msgspec.json.Decoder(_Node)
_peers = msgspec.json.Decoder(Annotated[list[_Peer], Meta(max_length=MOST_PEERS)])


class BadWordError(ValueError):
    """The answer is not one of a sidecar; the text says why."""


class Listener:
    """Makes values of a sidecar's answers; keeps the peers part while that does not change."""

    def __init__(self, columns: "Columns") -> None:
        self._columns = columns
        self._sight: Sight | None = None
        self.peers_hash: str | None = None

    def hear(self, body: bytes, clock: Clock | None = None) -> Sidecar:
        """Return what an answer says; `BadWordError` where it says nothing."""
        try:
            said = _node.decode(body)
            disk = self._disk(said.disk)
            beat = self._heartbeat(said.heartbeat) if said.heartbeat else None
        except GARBAGE as error:
            raise BadWordError(f"no answer of a sidecar: {error}") from None
        return Sidecar(
            pod=said.pod,
            pod_uid=said.pod_uid,
            pvc_uid=said.pvc_uid,
            ring_id=said.ring_id,
            address=said.address,
            disk=disk,
            process=PROCESSES.get(said.cassandra, Process.UNKNOWN),
            heartbeat=beat,
            clock=clock,
        )

    def _disk(self, said: _Disk) -> Disk:
        state = DISKS.get(said.state, DiskState.UNKNOWN)
        return Disk(state, said.ring_id, self._columns.host(said.host_id), said.pvc_uid)

    def _heartbeat(self, said: _Heartbeat) -> Heartbeat:
        return Heartbeat(
            age=said.age_seconds,
            mode=said.mode,
            host_id=self._columns.host(said.host_id),
            address=self._columns.address(said.address),
            dc=said.dc,
            rack=said.rack,
            native=said.native,
            load=said.load,
            release=said.cassandra,
            seeds=None if said.seeds is None else frozenset(said.seeds),
            sight=self._seen(said),
        )

    def _seen(self, said: _Heartbeat) -> Sight | None:
        """Return whom it knows: as sent now, or as before where the hash is still that."""
        if said.peers:
            rows = _peers.decode(said.peers)
            if said.host_id is not None and said.address is not None:
                rows.append(_Peer(host_id=str(said.host_id), address=said.address))
            self._sight = self._columns.sight(rows)
            self.peers_hash = said.peers_hash
        elif said.peers_hash is None or said.peers_hash != self.peers_hash:
            self._sight, self.peers_hash = None, None  # to be asked for whole the next time
        return self._sight


class Columns:
    """Makes sights of rows as they are sent; a thousand nodes send a million when one goes.

    Texts are looked up and not parsed again: nodes of one ring send the same.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._hosts: dict[str, tuple[str, HostId]] = {}
        self._addresses: dict[str, str] = {}
        self._columns: dict[tuple[str, ...], tuple[HostId, ...]] = {}

    def sight(self, rows: list[_Peer]) -> Sight:
        """Put rows into columns; of two about one host the later counts.

        Raises:
            ValueError: where a host ID or an address is none.

        """
        self._bound()
        hosts, addresses = self._hosts, self._addresses
        by_host = {(hosts.get(row.host_id) or self._host(row.host_id))[0]: row for row in rows}
        texts = tuple(sorted(by_host))  # as UUIDs would be: fixed digits
        ordered = [by_host[text] for text in texts]
        known = [addresses.get(row.address) or self._address(row.address) for row in ordered]
        return Sight(
            self._hosts_of(texts, ordered),
            self._pool.addresses(tuple(known)),
            bytes([SEEN[row.up] for row in ordered]),
            bytes([STATES.get(row.state, PeerState.NORMAL) for row in ordered]),
        )

    def _hosts_of(self, texts: tuple[str, ...], rows: list[_Peer]) -> tuple[HostId, ...]:
        """Return the column that is shared; texts are compared, as UUIDs take longer."""
        column = self._columns.get(texts)
        if column is None:
            if len(self._columns) >= POOLED:
                self._columns.clear()
            column = tuple([self._hosts[row.host_id][1] for row in rows])
            self._columns[texts] = column
        return column

    def host(self, text: str | None) -> HostId | None:
        """Return a host ID: one object for all who say it; `ValueError` where it is none."""
        if text is None:
            return None
        known = self._hosts.get(text)
        if known is None:
            self._bound()
            known = self._host(text)
        return known[1]

    def address(self, text: str | None) -> str | None:
        """Return an address in its one form; `ValueError` where it is none."""
        if not text:
            return text
        known = self._addresses.get(text)
        if known is None:
            self._bound()
            known = self._address(text)
        return known

    def _bound(self) -> None:
        if len(self._hosts) + len(self._addresses) > MOST_TEXTS:
            self._hosts.clear()
            self._addresses.clear()

    def _host(self, text: str) -> tuple[str, HostId]:
        host = HostId(UUID(text))
        return self._hosts.setdefault(text, (str(host), host))

    def _address(self, text: str) -> str:
        if "%" in text:
            raise ValueError(f"{text!r} has a scope, and is no address for others")
        return self._addresses.setdefault(text, str(ipaddress.ip_address(text)))
