"""What the sidecar writes down while the node lives: ledger, turn, record, the cache."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from seedprovider import cache, duties, steering
from seedprovider.announce import Announcer, Kind
from seedprovider.cache import CacheError, Remembered
from seedprovider.decision import Act, Rule, Seeds, WriteEntry
from seedprovider.engine import FRESH_SECONDS, Engine, timestamp
from seedprovider.journal import Duty, DutyKind, Result, Turned, taken_of
from seedprovider.kube.errors import KubeError, Unavailable
from seedprovider.model import Address, EntryState, Heartbeat
from seedprovider.registry import OnItsWayError, Registry, UnreadableError
from seedprovider.rounds import ROUND_SECONDS, rounds
from seedprovider.tending import ON_THE_WAY, Tender
from seedprovider.world import World

log = logging.getLogger(__name__)

RECORD_SECONDS: Final = 5.0
"""How often a missing ring record is looked into, and a failed write is tried again."""
SAVE_SECONDS: Final = 1.0
RENEW_SECONDS: Final = 10.0
"""A third of the Lease's duration, while the node is on its way in."""
GONE_SECONDS: Final = 10.0
"""How long a host has to be missing from the node's ring to count as removed."""


class Scribe:
    """Writes what is to outlive the node and us; apart from what answers, as it may wait."""

    def __init__(
        self,
        world: World,
        engine: Engine,
        tender: Tender,
        registry: Registry,
        announcer: Announcer,
        *,
        state_dir: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._engine = engine
        self._tender = tender
        self._registry = registry
        self._announcer = announcer
        self._state_dir = state_dir
        self._clock = clock
        self._record_at = float("-inf")
        self._renewed_at = float("-inf")
        self._write_after = float("-inf")
        self._turn_settled = False
        self._saved: tuple[float, Remembered | None] = (float("-inf"), None)

    async def run(self) -> None:
        """Write what is to be written at each change and each `ROUND_SECONDS`."""
        async for _ in rounds(self._world):
            await self.round()

    async def round(self) -> None:
        """Do everything once; nothing in it fails for what others do."""
        if self._world.synced:
            await self._engine.know_volume()
        beat = self._world.own.fresh_beat
        if beat is not None:
            if beat.mode in ON_THE_WAY:
                self._turn_settled = False
                await self._renew_turn()
            if self._clock() >= self._write_after:
                await self._write(beat)
        await self._save()

    async def _write(self, beat: Heartbeat) -> None:
        if self._world.is_behind:
            await self._read_record_again()
        view = self._world.view()
        own = self._engine.asker(beat.disk)
        if duties.record_missing(own, beat, view):
            await self._give_record()
        step, kind = duties.ledger_step(own, beat, view), DutyKind.LEDGER
        gone = self._world.own.gone_since(GONE_SECONDS)
        if step is None and view.record is not None:
            step, kind = duties.removal_step(view, view.record.ring_id, gone), DutyKind.REMOVAL
        if step is not None:
            self._note_duty(
                Duty(
                    kind=kind,
                    looked=view.now,
                    asker=own,
                    beat=beat,
                    view=view,
                    gone=tuple(sorted(gone)),
                    step=taken_of(step),
                )
            )
            await self._write_entry(step)
        if beat.mode == "NORMAL" and not self._turn_settled:
            entry = view.ledger.get(own.pod)
            is_member = entry is not None and entry.state is EntryState.MEMBER
            if entry and is_member and entry.pod_uid == own.uid:
                await self._release_turn()

    async def _write_entry(self, step: WriteEntry) -> None:
        entry = step.entry
        text = f"host ID {entry.host_id} is {entry.state} of ring {entry.ring_id}"
        written = await self._engine.take(Act(step=step, rule=Rule.JOIN, reason=text))
        # Give the watch time to show it, or the API server to come back.
        self._write_after = self._clock() + (ROUND_SECONDS if written else RECORD_SECONDS)
        hindrance = self._engine.hindrance
        if not written and hindrance is not None:
            self._announcer.tell(
                Kind.WITHHELD, f"the ledger entry of {entry.pod} is not written{hindrance}"
            )
        if written and entry.pod == self._world.own.pod and entry.state is EntryState.MEMBER:
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
        if last is None or not isinstance(last.answer, Seeds) or not last.asker.disk.is_blank:
            return
        if now - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = now
        own = self._world.own
        try:
            version = await self._registry.renew_turn((own.pod, own.uid), timestamp())
        except KubeError as error:
            log.info("join turn not renewed: %s", error.reason)
            self._note_turn(now, None, error, freed=False)
        else:
            self._note_turn(now, version, None, freed=False)

    async def _release_turn(self) -> None:
        """Free the join turn, once for each start of the node that became NORMAL.

        The entry that a watch shows may be that of the disk before: a start on an emptied disk
        has taken the turn again by then, in the same pod.
        """
        own, began = self._world.own, self._clock()
        try:
            version = await self._registry.release_turn((own.pod, own.uid), timestamp())
        except (KubeError, UnreadableError, OnItsWayError) as error:
            log.info("join turn not released: %s", error)
            if isinstance(error, KubeError):
                self._note_turn(began, None, error, freed=True)
            self._write_after = self._clock() + RECORD_SECONDS
        else:
            self._note_turn(began, version, None, freed=True)
            self._turn_settled = True

    def _note_duty(self, duty: Duty) -> None:
        if self._world.recorder is not None:
            self._world.note_own()
            self._world.recorder.note(duty)

    def _note_turn(
        self, began: float, version: str | None, error: KubeError | None, *, freed: bool
    ) -> None:
        """Have it in the journal, unless there was nothing to write."""
        if self._world.recorder is None or (version is None and error is None):
            return
        unknown = isinstance(error, Unavailable) and error.outcome_unknown
        failed = Result.UNKNOWN if unknown else Result.FAILED
        result = failed if error else Result.WRITTEN
        self._world.recorder.note(
            Turned(freed=freed, began=began, result=result, version=version)
        )

    def _may_read(self) -> bool:
        now = self._clock()
        if now - self._record_at < RECORD_SECONDS:
            return False
        self._record_at = now
        return True

    async def _read_record_again(self) -> None:
        """See whether the record is still the one read, while a watch does not show it."""
        if self._may_read():
            await self._engine.look(FRESH_SECONDS)

    async def _give_record(self) -> None:
        """Rebuild or adopt: the ring has data and no record."""
        if not self._may_read():
            return
        looked = self._clock()
        view = await self._engine.look(0.0)
        beat = self._world.own.fresh_beat
        if beat is None:
            return
        own = self._engine.asker(beat.disk)
        step = duties.record_step(own, beat, view)
        if isinstance(step, Act):
            self._note_duty(
                Duty(
                    kind=DutyKind.RECORD,
                    looked=looked,
                    asker=own,
                    beat=beat,
                    view=view,
                    step=taken_of(step.step),
                    rule=step.rule,
                    reason=step.reason,
                )
            )
            await self._engine.take(step)
        else:
            self._announcer.tell(Kind.WITHHELD, step)

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
        if self._tender.wanted is not None:
            return self._tender.wanted.seeds
        last = self._engine.last
        return last.answer.seeds if last and isinstance(last.answer, Seeds) else ()
