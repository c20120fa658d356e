"""The node beside us: its last heartbeat, its disk, and whether its process is there."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from seedprovider import duties
from seedprovider.disk import read_disk, read_mark_seeds, read_rack
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Endpoint,
    Heartbeat,
    HostId,
    PodName,
    PodUid,
    Process,
    PvcUid,
    Report,
    RingId,
)
from seedprovider.node import Received

T = TypeVar("T")
_Reading = tuple[Disk, tuple[Address, ...], str | None]

BEAT_FRESH_SECONDS: Final = 5.0
"""Five heartbeats: a pause of the JVM's collector is not yet silence."""
STOPPED_AFTER_SECONDS: Final = 10.0
"""No heartbeat for this long, and the port closed: no process runs."""
PROBE_SECONDS: Final = 1.0
DISK_FRESH_SECONDS: Final = 0.5
DISK_PATIENCE_SECONDS: Final = 0.5
DISK_OLD_SECONDS: Final = 5.0
"""A reading older than this says nothing: the volume does not answer."""


class OwnNode:
    """What we know of it first-hand.

    Attributes:
        revision: grows when something changed that a decision could depend on.
        received: the last heartbeat, None before the first.
        mark_seeds: the last good answer as the disk's mark has it.
        rack: what the disk keeps, see docs/contracts.md; None where nothing was chosen.
        promised: ring that the node, which asked with a blank disk, was or is about to be let
            into.

    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        data_dir: Path,
        storage_port: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self.pvc_uid: PvcUid | None = None
        self.received: Received | None = None
        self.revision = 0
        self._beat_at = 0.0
        self._started = clock()
        self._clock = clock
        self._data_dir = data_dir
        self._storage_port = storage_port
        self._disk: tuple[float, Disk] | None = None
        self._reading: asyncio.Future[_Reading] | None = None
        self.mark_seeds: tuple[Address, ...] = ()
        self.rack: str | None = None
        self.promised: RingId | None = None
        self._asked_blank = False
        self._asked_at = float("-inf")
        self._gone: dict[HostId, float] = {}
        self._port_open: bool | None = None

    @property
    def pod(self) -> PodName:
        """Name of our pod."""
        return self.endpoint.pod

    @property
    def uid(self) -> PodUid:
        """UID of our pod."""
        return self.endpoint.uid

    @property
    def address(self) -> Address:
        """Return the node's broadcast address, the pod's where it has not said."""
        beat = self.beat
        return beat.address if beat and beat.address else self.endpoint.address

    @property
    def beat(self) -> Heartbeat | None:
        """Return the last heartbeat, however old."""
        return self.received.beat if self.received else None

    @property
    def beat_age(self) -> float | None:
        """Seconds since the last heartbeat, None before the first."""
        return self._clock() - self._beat_at if self.received else None

    @property
    def fresh_beat(self) -> Heartbeat | None:
        """Return the last heartbeat unless it is older than `BEAT_FRESH_SECONDS`."""
        age = self.beat_age
        return self.beat if age is not None and age <= BEAT_FRESH_SECONDS else None

    def hear(self, received: Received) -> bool:
        """Take in a heartbeat; return whether the peers part has to be sent whole."""
        before = self.received
        beat = received.beat
        known_hash = before.peers_hash if before else None
        if before and beat.peers is None and received.peers_hash == known_hash:
            beat = replace(beat, peers=before.beat.peers)
        missing = beat.peers is None and received.peers_hash is not None
        if before is None or before.beat != beat:
            self.revision += 1
        self._notice_removals(before.beat if before else None, beat)
        self.received = Received(beat, received.peers_hash, received.extra)
        self._beat_at = self._clock()
        return missing

    def _notice_removals(self, before: Heartbeat | None, now: Heartbeat) -> None:
        """Remember since when a host is missing that this very process had in its ring.

        Every heartbeat is looked at: one that a gap hides may have come from a new process,
        which has to learn of the others first.
        """
        gap = self._clock() - self._beat_at > BEAT_FRESH_SECONDS
        if before is None or gap or now.mode != "NORMAL":
            self._gone.clear()
            return
        for host in duties.vanished(before, now):
            self._gone.setdefault(host, self._clock())
        for host in self._gone.keys() & {peer.host_id for peer in now.peers or ()}:
            del self._gone[host]

    def gone_since(self, seconds: float) -> frozenset[HostId]:
        """Return the hosts that were in the node's ring and are missing for so long."""
        now = self._clock()
        return frozenset(host for host, since in self._gone.items() if now - since >= seconds)

    def disk(self) -> Disk:
        """Return the last reading of the data directory, unknown where it is too old."""
        if self._disk is None or self._clock() - self._disk[0] > DISK_OLD_SECONDS:
            return Disk(DiskState.UNKNOWN)
        return self._disk[1]

    def promise(self, ring: RingId | None) -> None:
        """Note what a node that asks with a blank disk is let into; None: it waits.

        Whoever asks is on its way into nothing: it does not use what an earlier start was told,
        though the mark still names that.
        """
        self.promised, self._asked_blank = ring, True

    def shown_disk(self) -> Disk:
        """Return the disk as others are told of it: one just let in names its ring already."""
        disk = self.disk()
        asks = disk.is_blank and self._asked_blank
        return replace(disk, ring_id=self.promised) if asks else disk

    async def look_at_disk(self) -> Disk:
        """Read the data directory, at most every `DISK_FRESH_SECONDS`.

        In a thread, and waited for only so long: a volume that hangs must not stop the answers
        to probes, heartbeats and other sidecars.
        """
        if self._disk is not None and self._clock() - self._disk[0] <= DISK_FRESH_SECONDS:
            return self._disk[1]
        if self._reading is None:
            self._reading = _in_daemon_thread(partial(_read, self._data_dir))
        reading = self._reading
        await asyncio.wait([reading], timeout=DISK_PATIENCE_SECONDS)
        if reading.done() and self._reading is reading:
            self._reading = None
            disk, self.mark_seeds, rack = reading.result()
            if self._disk is None or (self._disk[1], self.rack) != (disk, rack):
                self.revision += 1
            self._disk, self.rack = (self._clock(), disk), rack
        return self.disk()

    def asked(self) -> None:
        """Note that the node asked for seeds: whoever asks runs."""
        self._asked_at = self._clock()

    @property
    def process(self) -> Process:
        """Say what is known of the process; `probe` keeps it current while it is silent."""
        beat = self.fresh_beat
        if beat is not None and beat.mode == "STARTING":
            return Process.UNKNOWN if self._is_untold else Process.STARTING
        if beat is not None:
            return Process.ANSWERING
        if self._port_open:
            return Process.ANSWERING
        now = self._clock()
        if now - self._asked_at < STOPPED_AFTER_SECONDS:
            return Process.STARTING
        quiet = min(now - self._started, self.beat_age or float("inf"))
        if self._port_open is None or quiet < STOPPED_AFTER_SECONDS:
            return Process.UNKNOWN
        return Process.STOPPED

    @property
    def _is_untold(self) -> bool:
        """Whether a node that starts on a blank disk may have been answered before our time.

        Nothing is on its disk yet, and what the sidecar before us promised went with it. One
        that waits asks us within seconds; one that was let in never does.
        """
        disk = self.shown_disk()
        return self._asked_at == float("-inf") and disk.is_blank and disk.ring_id is None

    async def probe(self) -> None:
        """Look whether the storage port accepts connections, only while no heartbeat comes.

        A heartbeat is proof enough, and Cassandra need not see a connection each second.
        """
        if self.fresh_beat is not None:
            self._port_open = None
            return
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(
                    self.endpoint.address, self._storage_port
                )
        except ConnectionRefusedError:
            self._port_open = False
        except (OSError, TimeoutError):
            # No answer at all is not a closed port: a stopped machine looks like that.
            self._port_open = None
        else:
            self._port_open = True
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def report(self, ring_id: RingId | None) -> Report:
        """Return what others would be told, for decisions of our own."""
        return Report(
            pod=self.pod,
            pod_uid=self.uid,
            address=self.endpoint.address,
            pvc_uid=self.pvc_uid,
            ring_id=ring_id,
            disk=self.shown_disk(),
            process=self.process,
            heartbeat=self.beat,
            heartbeat_age=self.beat_age,
            received=self._clock(),
            rack=self.rack,
        )


def _read(data_dir: Path) -> _Reading:
    return read_disk(data_dir), read_mark_seeds(data_dir), read_rack(data_dir)


def _in_daemon_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run `work` beside; unlike an executor's, its thread does not hold up the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = work()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(finish, result)

    threading.Thread(target=run, daemon=True, name="disk").start()
    return future
