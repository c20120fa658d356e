"""A local copy of one collection, kept by the reflector, for readers who must not wait."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

from seedprovider.kube.errors import KubeError
from seedprovider.kube.events import Change, Key, Listed, Object, Opened, Removed, Upserted
from seedprovider.kube.reflector import Source, reflect

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """What a collection holds, as of one moment; replaced whole, never changed in place.

    INVARIANT: what is in it was once in the collection, all at one version of it or later;
    nothing leaves it but by the server's word.

    Attributes:
        objects: the present objects by name; do not change it.
        revision: ours, 0 before the first list, then one more with every difference.

    """

    objects: Mapping[Key, Object[T]] = field(default_factory=lambda: MappingProxyType({}))
    revision: int = 0

    @property
    def synced(self) -> bool:
        """Whether the collection was ever read; before that, empty means unknown."""
        return self.revision > 0


def apply(view: View[T], change: Change[T]) -> View[T]:
    """Return the view after ``change``; the same one where that makes no difference."""
    match change:
        case Listed(objects=listed):
            objects = {each.key: each for each in listed}
            if view.synced and _same(view.objects, objects):
                return view
        case Upserted(object=each):
            known = view.objects.get(each.key)
            if known is not None and (known.uid, known.version) == (each.uid, each.version):
                return view
            objects = {**view.objects, each.key: each}
        case Removed(key=key) if key in view.objects:
            objects = {**view.objects}
            del objects[key]
        case _:
            return view
    return View(MappingProxyType(objects), view.revision + 1)


def _same(a: Mapping[Key, Object[T]], b: Mapping[Key, Object[T]]) -> bool:
    return a.keys() == b.keys() and all(
        (a[key].uid, a[key].version) == (b[key].uid, b[key].version) for key in a
    )


class Mirror(Generic[T]):
    """The latest `View` of one collection, and how far to trust it.

    One task awaits `run`; anyone on the same event loop reads.

    Attributes:
        view: the latest view; take it once for one decision.
        last_proof_of_life: when (``clock``'s seconds) a list, an event or a bookmark last
            showed that nothing is missing; None before the first.  In a quiet collection a
            healthy server sends one about every minute: more than that is a sign of trouble.
        last_failure: why nothing comes at the moment; None once the server listens again.
        failures: how many there were in all, for a metric.

    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Start empty and not synced.

        ``on_change`` is called, quickly please, after `view` was replaced; to wait for
        one of several mirrors, let it set an ``asyncio.Event``.
        """
        self.view: View[T] = View()
        self.last_proof_of_life: float | None = None
        self.last_failure: KubeError | None = None
        self.failures = 0
        self._clock = clock
        self._on_change = on_change
        self._replaced = asyncio.Event()

    @property
    def synced(self) -> bool:
        """Whether the collection was ever read."""
        return self.view.synced

    def take(self, change: Change[T]) -> None:
        """Note that the server lives and what it said; wake the waiters if it differs."""
        self.last_failure = None
        if not isinstance(change, Opened):  # a watch may be taken up and end without a word
            self.last_proof_of_life = self._clock()
        view = apply(self.view, change)
        if view is not self.view:
            self.view = view
            self._replaced.set()
            self._replaced = asyncio.Event()
            self._on_change()

    def fail(self, error: KubeError) -> None:
        """Note why nothing comes; the view stays, because unknown is not gone."""
        self.last_failure = error
        self.failures += 1

    async def newer_than(self, revision: int) -> View[T]:
        """Wait for a view past ``revision``; ``newer_than(0)`` waits for the first list."""
        while self.view.revision <= revision:
            await self._replaced.wait()
        return self.view

    async def run(
        self,
        source: Source[T],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        on_failure: Callable[[KubeError], None] = lambda _: None,
    ) -> None:
        """Follow ``source`` until cancelled; ``on_failure`` hears of each failure."""

        def failed(error: KubeError) -> None:
            self.fail(error)
            on_failure(error)

        changes = reflect(
            source, sleep=sleep, jitter=jitter, clock=self._clock, on_failure=failed
        )
        async with aclosing(changes) as stream:
            async for change in stream:
                self.take(change)
