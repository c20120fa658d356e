"""The node beside us: its last heartbeat, its disk, and whether its process is there."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from seedprovider.disk import read_disk
from seedprovider.model import (
    Address,
    Disk,
    Endpoint,
    Heartbeat,
    PodName,
    PodUid,
    Process,
    PvcUid,
    Report,
    RingId,
)
from seedprovider.node import Received

BEAT_FRESH_SECONDS: Final = 5.0
"""Five heartbeats: a pause of the JVM's collector is not yet silence."""
STOPPED_AFTER_SECONDS: Final = 10.0
"""No heartbeat for this long, and the port closed: no process runs."""
PROBE_SECONDS: Final = 1.0
DISK_FRESH_SECONDS: Final = 0.5


class OwnNode:
    """What we know of it first-hand.

    Attributes:
        revision: grows when something changed that a decision could depend on.
        received: the last heartbeat, None before the first.

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
        self.received = Received(beat, received.peers_hash, received.extra)
        self._beat_at = self._clock()
        return missing

    def disk(self) -> Disk:
        """Read the data directory, at most every `DISK_FRESH_SECONDS`."""
        now = self._clock()
        if self._disk is None or now - self._disk[0] > DISK_FRESH_SECONDS:
            disk = read_disk(self._data_dir)
            if self._disk is None or self._disk[1] != disk:
                self.revision += 1
            self._disk = (now, disk)
        return self._disk[1]

    @property
    def process(self) -> Process:
        """Say what is known of the process; `probe` keeps it current while it is silent."""
        beat = self.fresh_beat
        if beat is not None:
            return Process.STARTING if beat.mode == "STARTING" else Process.ANSWERING
        if self._port_open:
            return Process.ANSWERING
        quiet = min(self._clock() - self._started, self.beat_age or float("inf"))
        if self._port_open is None or quiet < STOPPED_AFTER_SECONDS:
            return Process.UNKNOWN
        return Process.STOPPED

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
            disk=self.disk(),
            process=self.process,
            heartbeat=self.beat,
            heartbeat_age=self.beat_age,
            received=self._clock(),
        )
