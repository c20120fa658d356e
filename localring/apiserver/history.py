"""What happened, in order: the events that watches replay and that old lists are read from."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from localring.apiserver.resources import Resource
from localring.apiserver.status import expired, too_large_version

Body = Mapping[str, Any]
Key = tuple[str, str]  # namespace ("" for cluster-scoped) and name

# As in a cluster that has lived for a while: low versions are long gone, and 0 means "any".
FIRST_VERSION = 1_000


@dataclass(frozen=True)  # no slots: cached_property needs the instance's dict
class Event:
    """One committed write.

    Attributes:
        version: the resourceVersion that the write got.
        old: the object before, with its old version; None for a creation.
        new: the object after, with this version; None for a deletion.

    """

    version: int
    resource: Resource
    key: Key
    old: Body | None
    new: Body | None

    @cached_property
    def gone(self) -> Body:
        """The last state before, carrying the version of this write, as DELETED tells it."""
        last = dict(self.old or {})
        last["metadata"] = {**last["metadata"], "resourceVersion": str(self.version)}
        return last

    @cached_property
    def added_line(self) -> bytes:
        """The new state for those who did not have the object; encoded once for everyone."""
        return line("ADDED", self.new or {})

    @cached_property
    def modified_line(self) -> bytes:
        """The new state for those who had the object."""
        return line("MODIFIED", self.new or {})

    @cached_property
    def deleted_line(self) -> bytes:
        """The last state, for those who had the object and do not have it any more."""
        return line("DELETED", self.gone)


def line(kind: str, body: Body) -> bytes:
    """Encode one event of a watch stream (``meta/v1 WatchEvent``), its newline included."""
    return msgspec.json.encode({"type": kind, "object": body}) + b"\n"


class History:
    """The last events, and the version below which nothing is known any more.

    Invariant: every event above ``floor`` and up to ``version`` is held, without a gap.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: deque[Event] = deque()
        self.version = FIRST_VERSION
        self.floor = FIRST_VERSION

    def append(self, event: Event) -> None:
        """Take the next event; the oldest one makes room."""
        self._events.append(event)
        self.version = event.version
        if len(self._events) > self._limit:
            self.floor = self._events.popleft().version

    def compact(self) -> None:
        """Forget everything up to now, as etcd's compaction does every five minutes."""
        self._events.clear()
        self.floor = self.version

    def after(self, version: int) -> Iterator[Event]:
        """Give the events after ``version``, oldest first; raise `ApiError` 410."""
        self._check(version)
        newer = 0
        for event in reversed(self._events):
            if event.version <= version:
                break
            newer += 1
        start = len(self._events) - newer
        return (self._events[index] for index in range(start, len(self._events)))

    def rewind(
        self, objects: Mapping[Key, Body], resource: Resource, version: int
    ) -> dict[Key, Body]:
        """Take the present ``objects`` back to ``version``; raise `ApiError` 410 or 504."""
        if version > self.version:
            raise too_large_version(version, self.version)
        self._check(version)
        state = dict(objects)
        for event in reversed(self._events):
            if event.version <= version:
                break
            if event.resource is not resource:
                continue
            if event.old is None:
                del state[event.key]
            else:
                state[event.key] = event.old
        return state

    def _check(self, version: int) -> None:
        if version < self.floor:
            raise expired(f"too old resource version: {version} ({self.floor})")
