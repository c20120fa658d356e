"""The running node: heartbeats in, seeds and actions out, and what is kept true meanwhile."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from seedprovider import cache, duties, readiness, steering
from seedprovider.announce import Announcer, Kind
from seedprovider.cache import CacheError, Remembered
from seedprovider.decision import Act, Policy, Rule, Seeds, WriteEntry
from seedprovider.engine import Engine, timestamp
from seedprovider.kube.errors import KubeError
from seedprovider.metrics import Metrics
from seedprovider.model import Address, EntryState, PvcUid, RingId, View
from seedprovider.node import Received
from seedprovider.protocol import decide
from seedprovider.registry import Registry
from seedprovider.world import World

log = logging.getLogger(__name__)

ROUND_SECONDS: Final = 1.0
"""How often things are looked at without an event: no request to the API server is in it."""
ASK_SECONDS: Final = 2.0
"""How often the few sidecars that matter are asked; their word counts for 5 s."""
RECORD_SECONDS: Final = 5.0
"""How often a missing ring record is looked into by live reads."""
SAVE_SECONDS: Final = 1.0
RENEW_SECONDS: Final = 10.0
"""A third of the Lease's duration, while the node is on its way in."""


ON_THE_WAY: Final = frozenset({"STARTING", "JOINING"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a heartbeat is answered with; no seeds means that there is no list at the moment."""

    seeds: tuple[Address, ...]
    ring_id: RingId | None
    pvc_uid: PvcUid | None
    actions: tuple[str, ...]


class Tender:
    """Keeps the node's seeds, the ledger, the cache and the readiness current.

    Attributes:
        wanted: the seeds that the node should come to use, None while there is no answer.
        seen_by_peers: latched once all confirmed members saw the node up since it started.

    """

    def __init__(
        self,
        world: World,
        engine: Engine,
        registry: Registry,
        announcer: Announcer,
        metrics: Metrics,
        *,
        policy: Policy,
        state_dir: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._engine = engine
        self._registry = registry
        self._announcer = announcer
        self._metrics = metrics
        self._policy = policy
        self._state_dir = state_dir
        self._clock = clock
        self.wanted: Seeds | None = None
        self._wanted_at: tuple[object, float] = (None, 0.0)
        self._unsafe: frozenset[Address] = frozenset()
        self.seen_by_peers = False
        self._normal_since: float | None = None
        self._record_at = float("-inf")
        self._turn_settled = False
        self._write_after = float("-inf")
        self._renewed_at = float("-inf")
        self._saved: tuple[float, Remembered | None] = (float("-inf"), None)

    # -- heartbeats -------------------------------------------------------------------------

    def hear(self, received: Received) -> Reply:
        """Take in a heartbeat; answered from memory."""
        own = self._world.own
        before = own.revision
        missing = own.hear(received)
        if own.revision != before:
            # What is to be written about it is written at once: it may die the next moment.
            self._world.changed.set()
        self._metrics.heartbeats.inc()
        self._watch_mode(received.beat.mode)
        actions = ["send-peers"] if missing else []
        seeds: tuple[Address, ...] = ()
        wanted = self.current()
        if wanted is not None:
            seeds = steering.next_seeds(wanted, received.beat.seeds, own.address, self._unsafe)
            if _differs(seeds, received.beat.seeds, own.address):
                actions.append("reload-seeds")
                self._metrics.reloads.inc()
        return Reply(seeds, self._world.ring_id, own.pvc_uid, tuple(actions))

    def _watch_mode(self, mode: str) -> None:
        if mode == "NORMAL":
            if self._normal_since is None:
                self._normal_since = self._clock()
                self._world.changed.set()
        elif mode in ON_THE_WAY:
            # Another start: what peers saw of the last one says nothing about it.
            self._normal_since, self.seen_by_peers, self._turn_settled = None, False, False

    def current(self) -> Seeds | None:
        """Return what the node should use now; decided anew only when something changed."""
        now = self._clock()
        key = self._world.revision
        if self._wanted_at[0] == key and now - self._wanted_at[1] < ROUND_SECONDS:
            return self.wanted
        beat = self._world.own.fresh_beat
        view = self._world.view()
        self._wanted_at = (self._world.revision, now)
        self.wanted = None
        if beat is not None and beat.mode == "NORMAL":
            disk = steering.running_disk(beat.disk, self._world.ring_id)
            if disk is not None and disk.ring_id is not None:
                decision = decide(self._engine.asker(disk), view, self._policy)
                self.wanted = decision if isinstance(decision, Seeds) else None
                self._unsafe = steering.unsafe_of(view, disk.ring_id)
        return self.wanted

    # -- the round --------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after things at each change and each `ROUND_SECONDS`, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROUND_SECONDS * (0.75 + random.random() / 2)):  # noqa: S311 -- spreads load
                    await self._world.changed.wait()
            self._world.changed.clear()
            await self.round()

    async def round(self) -> None:
        """Do everything once; nothing in it fails for what others do."""
        await self._world.own.probe()
        if self._world.synced:
            await self._engine.know_volume()
        self._world.inquirer.keep_only(self._world.endpoints())
        beat = self._world.own.fresh_beat
        if beat is not None and beat.mode == "NORMAL":
            await self._ask()
        if beat is not None and self._clock() >= self._write_after:
            await self._write()
        if beat is not None and beat.mode in ON_THE_WAY:
            await self._renew_turn()
        await self._save()

    async def _ask(self) -> None:
        endpoints = self._world.endpoints()
        if self.seen_by_peers:
            endpoints = self._engine.worth_asking(endpoints)
        await self._engine.survey(endpoints, ASK_SECONDS)
        self._see_peers(self._world.view())

    def _see_peers(self, view: View) -> None:
        beat = self._world.own.fresh_beat
        if self.seen_by_peers or beat is None or beat.host_id is None:
            return
        ring = beat.disk.ring_id or self._world.ring_id
        if ring is None:
            # Not adopted yet: a rollout that brings the sidecars in must be able to go on.
            self.seen_by_peers = True
            return
        unseen = readiness.unseen_by(view, self._world.own.pod, ring, beat.host_id)
        waited = self._clock() - (self._normal_since or self._clock())
        if not unseen:
            self.seen_by_peers = True
        elif waited > readiness.PEERS_SECONDS:
            log.warning("ready though %s do not see this node up", ", ".join(unseen))
            self.seen_by_peers = True

    async def _write(self) -> None:
        beat = self._world.own.fresh_beat
        if beat is None:
            return
        view = self._world.view()
        own = self._engine.asker(beat.disk)
        if duties.record_missing(own, view):
            await self._give_record()
        step = duties.ledger_step(own, beat, view)
        if step is not None:
            await self._write_entry(step)
        entry = view.ledger.get(own.pod)
        is_member = entry is not None and entry.state is EntryState.MEMBER
        if not self._turn_settled and entry and is_member and entry.pod_uid == own.uid:
            await self._release_turn()

    async def _write_entry(self, step: WriteEntry) -> None:
        entry = step.entry
        text = f"host ID {entry.host_id} is {entry.state} of ring {entry.ring_id}"
        written = await self._engine.take(Act(step=step, rule=Rule.JOIN, reason=text))
        # Give the watch time to show it, or the API server to come back.
        self._write_after = self._clock() + (ROUND_SECONDS if written else RECORD_SECONDS)
        if written and entry.state is EntryState.MEMBER:
            self._announcer.tell(Kind.MEMBER, text)
            own = self._world.own
            beat = own.fresh_beat
            if beat is not None and steering.volume_changed(beat.disk, own.pvc_uid):
                self._announcer.tell(
                    Kind.RESTORED,
                    f"host ID {entry.host_id} came back on another volume: run nodetool repair",
                )

    async def _renew_turn(self) -> None:
        last, now = self._engine.last, self._clock()
        blank = last is not None and last.asker.disk.is_blank
        let_in = blank and last is not None and isinstance(last.answer, Seeds)
        if not let_in or now - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = now
        own = self._world.own
        try:
            await self._registry.renew_turn((own.pod, own.uid), timestamp())
        except KubeError as error:
            log.info("join turn not renewed: %s", error.reason)

    async def _release_turn(self) -> None:
        """Free the join turn; one live read for each start of the node, and no more."""
        own = self._world.own
        try:
            await self._registry.release_turn((own.pod, own.uid), timestamp())
        except KubeError as error:
            # Whoever wants the turn sees in the ledger that it is done with.
            log.info("join turn not released: %s", error.reason)
        self._turn_settled = True

    async def _give_record(self) -> None:
        """Rebuild or adopt: the ring has data and no record."""
        now = self._clock()
        if now - self._record_at < RECORD_SECONDS:
            return
        self._record_at = now
        view = await self._engine.look(0.0)
        beat = self._world.own.fresh_beat
        if beat is None:
            return
        step = duties.record_step(self._engine.asker(beat.disk), beat, view)
        if isinstance(step, Act):
            await self._engine.take(step)
        else:
            self._announcer.tell(Kind.WITHHELD, step)

    # -- what others are shown --------------------------------------------------------------

    def not_ready(self) -> str | None:
        """Say why the pod is not ready; None if it is."""
        own = self._world.own
        reason = readiness.not_ready(own.beat, own.beat_age)
        if reason is None and not self.seen_by_peers:
            return "the other members do not all see this node up yet"
        return reason

    async def _save(self) -> None:
        """Keep the last good view, when it changed and not more often than needed."""
        world, now = self._world, self._clock()
        kept = world.kept()
        seeds = self._last_good()
        if kept is None or not world.synced or not seeds:
            return
        remembered = Remembered(
            service=world.service,
            pod=world.own.pod,
            pod_uid=world.own.uid,
            pvc_uid=world.own.pvc_uid,
            record=kept.record,
            endpoints=world.endpoints(),
            ledger=kept.ledger,
            seeds=seeds,
            saved_at=0.0,
        )
        if remembered == self._saved[1] or now - self._saved[0] < SAVE_SECONDS:
            return
        try:
            # In a thread: a disk that takes its time to sync must not hold up an answer.
            await asyncio.to_thread(
                cache.save, self._state_dir, replace(remembered, saved_at=time.time())
            )
        except CacheError as error:
            log.warning("the last good answer is not kept: %s", error)
        self._saved = (now, remembered)

    def _last_good(self) -> tuple[Address, ...]:
        if self.wanted is not None:
            return self.wanted.seeds
        last = self._engine.last
        return last.answer.seeds if last and isinstance(last.answer, Seeds) else ()


def _differs(
    seeds: tuple[Address, ...], in_use: frozenset[Address] | None, own: Address
) -> bool:
    """Whether gossip would change its seeds; a list of the node alone changes nothing."""
    others = frozenset(seeds) - {own}
    return bool(others) and in_use is not None and others != in_use
