"""Everything the sidecar knows, and the frozen view of it that a decision is taken from."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from seedprovider.cache import Remembered
from seedprovider.inquiry import Inquirer
from seedprovider.kube.mirror import Mirror
from seedprovider.model import (
    Endpoint,
    Entry,
    PodName,
    Record,
    Report,
    RingId,
    Source,
    View,
    pod_order,
)
from seedprovider.objects import ConfigMap
from seedprovider.own import OwnNode
from seedprovider.recorder import Recorder
from seedprovider.registry import Kept, LiveRead, UnreadableError, kept_of
from seedprovider.view import Slice, endpoints_of, family

log = logging.getLogger(__name__)


class World:
    """The mirrors of the API server, the words of other sidecars, the node beside us.

    Attributes:
        own: the node beside us.
        inquirer: the words of other sidecars.
        slices, maps: mirrors, kept by tasks elsewhere.
        remembered: what the last sidecar of this pod knew; used until the mirrors are read.
        service: the headless Service whose pods these are.
        recorder: keeps the journal, None where nobody wants one.
        trouble: why the record or ledger cannot be read, None if they can.

    """

    def __init__(
        self,
        own: OwnNode,
        inquirer: Inquirer,
        *,
        service: str,
        remembered: Remembered | None,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.own = own
        self.inquirer = inquirer
        self.slices: Mirror[Slice] = Mirror(clock=clock, on_change=self.notify)
        self.maps: Mirror[ConfigMap] = Mirror(clock=clock, on_change=self.notify)
        self._listeners: list[asyncio.Event] = []
        self.remembered = remembered
        self.trouble: str | None = None
        self.service = service
        self.recorder = recorder
        self._clock = clock
        self._family = family(own.endpoint.address)
        self._all: tuple[object, tuple[Endpoint, ...]] = (None, ())
        self._kept: tuple[int, Kept | None] = (-1, None)
        self._read_record: tuple[Record | None, Record | None] = (None, None)

    def listen(self) -> asyncio.Event:
        """Return an event that is set at each change; whoever waits for it clears it."""
        event = asyncio.Event()
        self._listeners.append(event)
        return event

    def notify(self) -> None:
        """Wake those who look after things."""
        for event in self._listeners:
            event.set()

    @property
    def revision(self) -> tuple[int, int, int, int]:
        """Return what changes whenever a decision might."""
        return (
            self.slices.view.revision,
            self.maps.view.revision,
            self.inquirer.revision,
            self.own.revision,
        )

    @property
    def synced(self) -> bool:
        """Whether the API server was read since we started."""
        return self.slices.synced and self.maps.synced

    @property
    def age(self) -> float | None:
        """Seconds since the API server last gave a sign of life; None if it never did."""
        proofs = [mirror.last_proof_of_life for mirror in (self.slices, self.maps)]
        known = [proof for proof in proofs if proof is not None]
        return self._clock() - min(known) if len(known) == len(proofs) else None

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all pods with an address, ours among them, in pod order."""
        key = (self.slices.view.revision, self.own.address)
        if self._all[0] != key:
            self._all = (key, self._with_own(self._named()))
        return self._all[1]

    def _named(self) -> tuple[Endpoint, ...]:
        if not self.slices.synced:
            return self.remembered.endpoints if self.remembered else ()
        bodies = (each.body for each in self.slices.view.objects.values())
        return endpoints_of(bodies, self._family)

    def _with_own(self, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        """Put our pod in at the address it has, whatever a slice still says of it."""
        own = self.own.endpoint
        for endpoint in endpoints:
            if endpoint.pod == own.pod:
                if endpoint.uid == own.uid:
                    own = replace(endpoint, address=own.address)
                break
        others = (e for e in endpoints if e.pod != own.pod and e.address != own.address)
        return tuple(sorted((*others, own), key=lambda e: pod_order(e.pod)))

    def kept(self) -> Kept | None:
        """Return record and ledger as last heard, None where they are not known."""
        if not self.maps.synced:
            return None
        view = self.maps.view
        if self._kept[0] != view.revision:
            try:
                kept: Kept | None = kept_of(self.service, view.objects.values())
            except UnreadableError as error:
                self._trouble(str(error))
                kept = None
            else:
                self._trouble(None)
            self._kept = (view.revision, kept)
        return self._kept[1]

    def _trouble(self, text: str | None) -> None:
        if text is not None and text != self.trouble:
            log.warning("%s", text)
        self.trouble = text

    @property
    def record(self) -> Record | None:
        """Return the ring record as last heard, or as remembered.

        What a live read said goes before a watch that has not moved since the read began.
        """
        return self._read_record[1] if self.is_behind else self.heard_record

    @property
    def is_behind(self) -> bool:
        """Whether the watch still shows what a live read has found to be otherwise."""
        before, read = self._read_record
        return before != read and self.heard_record == before

    @property
    def heard_record(self) -> Record | None:
        """Return the ring record as the watch has it, or as remembered."""
        kept = self.kept()
        if kept is not None:
            return kept.record
        return self.remembered.record if self.remembered else None

    def note_read(self, heard: Record | None, read: Record | None) -> None:
        """Note the record of a live read, and what had been heard of it when that began."""
        self._read_record = (heard, read)

    def view(self) -> View:
        """Return what is known from watches, or from the cache until these have begun."""
        kept, remembered = self.kept(), self.remembered
        ledger: dict[PodName, Entry] = remembered.ledger if remembered else {}
        if kept is not None:
            ledger = kept.ledger
        source = Source.WATCH if self.synced else Source.CACHE if remembered else Source.NONE
        age = self.age
        last_good = remembered.seeds if remembered else self.own.mark_seeds
        return View(
            source=source,
            now=self._clock(),
            age=age if age is not None else _cache_age(remembered),
            endpoints=self.endpoints(),
            reports=self._reports(),
            record_known=kept is not None,
            record=self.record,
            ledger=ledger,
            strangers=dict(self.inquirer.strangers),
            last_good=last_good,
        )

    def live_view(self, read: LiveRead, not_before: Mapping[PodName, float]) -> View:
        """Return a view that rests on what the API server said just now.

        Args:
            read: what it said.
            not_before: pods whose word counts only if it was asked for at this time or later;
                where that failed they are unknown, whatever they said before.

        """
        reports = self._reports()
        for pod, since in not_before.items():
            if pod in reports and reports[pod].received < since:
                del reports[pod]
        return View(
            source=Source.LIVE,
            now=self._clock(),
            age=0.0,
            endpoints=self._with_own(read.endpoints),
            reports=reports,
            record_known=True,
            record=read.kept.record,
            ledger=read.kept.ledger,
            live=read.live,
            strangers=dict(self.inquirer.strangers),
        )

    def note_own(self) -> None:
        """Have in the journal what others are told of our node."""
        if self.recorder is not None:
            self.recorder.own(self.own.report(self.ring_id))

    def _reports(self) -> dict[PodName, Report]:
        reports = self.inquirer.reports
        reports[self.own.pod] = self.own.report(self.ring_id)
        return reports

    @property
    def ring_id(self) -> RingId | None:
        """Return the ring record's ID as last heard, or as remembered."""
        record = self.record
        return record.ring_id if record else None


def _cache_age(remembered: Remembered | None) -> float:
    return max(0.0, time.time() - remembered.saved_at) if remembered else 0.0
