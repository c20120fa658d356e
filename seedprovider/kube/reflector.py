"""Keep reading one collection from the API server, whatever happens to the connection."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from seedprovider.kube.errors import KubeError, Silent, Unauthorized, Unavailable
from seedprovider.kube.events import Change, Event, Listed, Opened

T = TypeVar("T")

MIN_PAUSE_SECONDS: Final = 0.2
"""After any end of a watch, clean ones too, or an empty watch becomes a busy loop."""
MAX_CLEAN_PAUSE_SECONDS: Final = 2.0
"""After clean ends: something on the way that ends every watch must not make us blind."""
MAX_PAUSE_SECONDS: Final = 15.0
"""After failures; half of client-go's, because a starting database waits for what we see."""
MAX_RETRY_AFTER_SECONDS: Final = 60.0
"""A server may ask for more patience than `MAX_PAUSE_SECONDS`, but not for days."""
STEADY_SECONDS: Final = 10.0
"""A watch that lasted this long shows that the trouble before it is over."""
MAX_RESUMES: Final = 8
"""After so many watches in a row that did not last, cleanly ended or not, the way by watch is
doubted: a proxy may end each before its first word, a restored etcd not know our version."""


class Source(Protocol[T]):
    """One collection, over HTTP or from a script.  Both methods raise `KubeError` only."""

    async def list(self) -> Listed[T]:
        """Read everything as it is now."""
        ...

    def watch(self, since: str) -> AsyncGenerator[Event[T], None]:
        """Stream what happened after ``since`` until the server ends the response."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often in a row it went wrong, and so how long to wait.  Pure.

    INVARIANT: between two requests there is always a pause of at least half of
    `MIN_PAUSE_SECONDS`, and it doubles, up to a cap, while no watch lasts `STEADY_SECONDS`.
    """

    failures: int = 0
    pause_seconds: float = MIN_PAUSE_SECONDS
    refused: bool = False  # whether the last end was an `Unauthorized`

    def after(self, error: KubeError | None, lasted_seconds: float) -> "Pace":
        """Return the pace after a watch (or the list before it) ended, cleanly if no error."""
        before = Pace() if lasted_seconds >= STEADY_SECONDS else self
        refused = isinstance(error, Unauthorized)
        # The token was just replaced: the next request reads it, and need not wait its turn.
        at_once = refused and not before.refused
        cap = MAX_CLEAN_PAUSE_SECONDS if error is None else MAX_PAUSE_SECONDS
        exponent = 0 if at_once else min(before.failures, 16)
        pause = min(MIN_PAUSE_SECONDS * 2**exponent, cap)
        if isinstance(error, Unavailable) and error.retry_after_seconds:
            pause = max(pause, min(error.retry_after_seconds, MAX_RETRY_AFTER_SECONDS))
        return Pace(before.failures + 1, pause, refused)


def can_resume(error: KubeError | None, pace: Pace) -> bool:
    """Say whether to go on from the last version seen, or to list again.

    Only an end of the connection leaves the version good.  Garbage, an unknown event or a
    refusal of the watch alone may hide changes; silence leaves no proof that there were none.
    """
    if pace.failures >= MAX_RESUMES:
        return False
    connection_ended = error is None or isinstance(error, Unavailable | Unauthorized)
    return connection_ended and not isinstance(error, Silent)


def ignore(_error: KubeError) -> None:
    """Be the ``on_failure`` of a caller who does not want to know."""


async def reflect(
    source: Source[T],
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
    on_failure: Callable[[KubeError], None] = ignore,
) -> AsyncGenerator[Change[T], None]:
    """Yield a `Listed`, then changes; yield a new `Listed` whenever history was lost.

    Never ends by itself and raises nothing for the network: each failure goes to
    ``on_failure``, then a pause, then the next attempt.  `Opened` is yielded too, as the end of
    an outage, and `Bookmarked`, in a quiet collection the only proof that nothing was missed.
    Close it (``aclosing``) or cancel the task that reads it to close the connection.

    ``jitter`` gives numbers in [0, 1), ``clock`` monotonic seconds.
    """
    version: str | None = None
    pace = Pace()
    while True:
        opened_at: float | None = None
        failure: KubeError | None = None
        try:
            if version is None:
                listed = await source.list()
                version = listed.version
                yield listed
            async with aclosing(source.watch(version)) as stream:
                async for event in stream:
                    if isinstance(event, Opened):
                        opened_at = clock()
                    version = event.version
                    yield event
        except KubeError as error:
            failure = error
        lasted = 0.0 if opened_at is None else clock() - opened_at
        pace = pace.after(failure, lasted)
        if failure is not None:
            on_failure(failure)
        if not can_resume(failure, pace):
            version = None
        await sleep(pace.pause_seconds * (0.5 + jitter()))
