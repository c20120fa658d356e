"""The running node: heartbeats in, seeds and actions out, and whether it is ready."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from seedprovider import readiness, steering
from seedprovider.decision import Policy, Rule, Seeds
from seedprovider.engine import Engine
from seedprovider.journal import Purpose
from seedprovider.metrics import Metrics
from seedprovider.model import Address, PvcUid, RingId, View
from seedprovider.node import Received
from seedprovider.protocol import decide
from seedprovider.rounds import ROUND_SECONDS, rounds
from seedprovider.world import World

log = logging.getLogger(__name__)

ASK_SECONDS: Final = 2.0
"""How often the few sidecars that matter are asked; their word counts for 5 s."""
ON_THE_WAY: Final = frozenset({"STARTING", "JOINING"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a heartbeat is answered with; no seeds means that there is no list at the moment."""

    seeds: tuple[Address, ...]
    ring_id: RingId | None
    pvc_uid: PvcUid | None
    actions: tuple[str, ...]


class Tender:
    """Keeps the node's seeds and its readiness current.

    Attributes:
        wanted: the seeds that the node should come to use, None while there is no answer.
        seen_by_peers: latched once all confirmed members saw the node up since it started.

    """

    def __init__(
        self,
        world: World,
        engine: Engine,
        metrics: Metrics,
        *,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._engine = engine
        self._metrics = metrics
        self._policy = policy
        self._clock = clock
        self.wanted: Seeds | None = None
        self._wanted_at: tuple[object, float] = (None, 0.0)
        self._unsafe: frozenset[Address] = frozenset()
        self.seen_by_peers = False
        self._normal_since: float | None = None

    # -- heartbeats -------------------------------------------------------------------------

    def hear(self, received: Received) -> Reply:
        """Take in a heartbeat; answered from memory."""
        own = self._world.own
        before = own.revision
        missing = own.hear(received)
        self._world.note_own()
        if own.revision != before:
            # What is to be written about it is written at once: it may die the next moment.
            self._world.notify()
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
                self._world.notify()
        elif mode in ON_THE_WAY:
            # Another start: what peers saw of the last one says nothing about it.
            self._normal_since, self.seen_by_peers = None, False

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
                asker = self._engine.asker(disk)
                decision = decide(asker, view, self._policy)
                if self._world.recorder is not None:
                    taken = (asker, view, self._policy)
                    self._world.recorder.decided(Purpose.RUNNING, now, taken, decision)
                # A running node keeps what it has while nobody vouches for something better.
                vouched = decision.rule is Rule.MEMBER_CONFIRMED
                self.wanted = decision if vouched and isinstance(decision, Seeds) else None
                self._unsafe = steering.unsafe_of(view, disk.ring_id)
        return self.wanted

    # -- the round --------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after things at each change and each `ROUND_SECONDS`, until cancelled."""
        async for _ in rounds(self._world):
            await self.round()

    async def round(self) -> None:
        """Look at the node and at the others once; no request to the API server is in it."""
        own = self._world.own
        await own.look_at_disk()
        await own.probe()
        self._world.note_own()
        self._world.inquirer.keep_only(self._world.endpoints())
        beat = own.fresh_beat
        if beat is not None and beat.mode == "NORMAL":
            await self._ask()

    async def _ask(self) -> None:
        endpoints = self._world.endpoints()
        if self.seen_by_peers:
            endpoints = self._engine.worth_asking(endpoints)
        await self._engine.survey(endpoints, ASK_SECONDS)
        if not self.seen_by_peers:
            self._see_peers(self._world.view())

    def _see_peers(self, view: View) -> None:
        beat = self._world.own.fresh_beat
        if beat is None or beat.host_id is None:
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

    # -- what others are shown --------------------------------------------------------------

    def not_ready(self) -> str | None:
        """Say why the pod is not ready; None if it is."""
        own = self._world.own
        reason = readiness.not_ready(own.beat, own.beat_age)
        if reason is None and not self.seen_by_peers:
            return "the other members do not all see this node up yet"
        return reason


def _differs(
    seeds: tuple[Address, ...], in_use: frozenset[Address] | None, own: Address
) -> bool:
    """Whether gossip would change its seeds; a list of the node alone changes nothing."""
    others = frozenset(seeds) - {own}
    return bool(others) and in_use is not None and others != in_use
