"""What was asked, by whom, and what came of it: for tests that count requests."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict, Unpack

LIMIT = 10_000  # requests; the oldest ones go


@dataclass(slots=True)
class Logged:
    """One request.

    Attributes:
        verb: as in RBAC; the method's for a path that names no resource.
        resource: plural name, "" for a path that names none.
        client: User-Agent.
        status: None as long as nothing was answered; a watch answers when it begins.

    """

    method: str
    path: str
    query: dict[str, str]
    verb: str
    resource: str
    client: str
    status: int | None = None


class Which(TypedDict, total=False):
    """Which requests are meant; ``client`` is part of the User-Agent, the rest is exact."""

    verb: str
    resource: str
    client: str
    status: int


class RequestLog:
    """The last requests, oldest first.  Belongs to the thread of the event loop."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[Logged] = deque(maxlen=limit)
        self._changed = asyncio.Event()

    def begin(self, entry: Logged) -> Logged:
        """Note a request that has arrived."""
        self._entries.append(entry)
        self._announce()
        return entry

    def answer(self, entry: Logged, status: int) -> None:
        """Note what a request was answered with."""
        entry.status = status
        self._announce()

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def __iter__(self) -> Iterator[Logged]:
        """Go through those there are now, oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        """Count all of them."""
        return len(self._entries)

    def count(self, **which: Unpack[Which]) -> int:
        """Count the requests that are meant."""
        client = which.pop("client", "")
        return sum(
            client in entry.client
            and all(getattr(entry, field) == value for field, value in which.items())
            for entry in self._entries
        )

    async def until(self, number: int, **which: Unpack[Which]) -> None:
        """Wait until at least so many are counted; the bound is the caller's to set."""
        while self.count(**which) < number:
            await self._changed.wait()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
