"""What was asked, by whom, and what came of it: for tests that count requests."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

LIMIT = 10_000  # requests; the oldest ones go


@dataclass(slots=True)
class Logged:
    """One request.

    Attributes:
        verb: as in RBAC; "" for a path that names no resource.
        resource: plural name, "" likewise.
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


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[Logged] = deque(maxlen=limit)

    def begin(self, entry: Logged) -> Logged:
        """Note a request that has arrived."""
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def __iter__(self) -> Iterator[Logged]:
        """Go through those there are now, oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        """Count all of them."""
        return len(self._entries)

    def count(
        self,
        *,
        verb: str | None = None,
        resource: str | None = None,
        client: str | None = None,
        status: int | None = None,
    ) -> int:
        """Count the requests of a kind; ``client`` is part of the User-Agent."""
        return sum(
            verb in (None, entry.verb)
            and resource in (None, entry.resource)
            and status in (None, entry.status)
            and (client is None or client in entry.client)
            for entry in self._entries
        )
