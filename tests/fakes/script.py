"""A collection that plays back what a server once did, and notes what it was asked."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TypeAlias

from seedprovider.kube.errors import KubeError
from seedprovider.kube.events import Event, Key, Listed, Object, Opened

Thing: TypeAlias = Object[str]


class ScriptEndedError(Exception):
    """The script is over: ends a `reflect` that would go on for ever."""


def thing(name: str, version: str, body: str = "") -> Thing:
    return Object(Key("ns", name), f"uid-{name}", version, body)


class Script:
    """Answers lists and watches from two scripts; an error in one is raised at its place."""

    def __init__(
        self,
        watches: Iterable[Sequence[Event[str] | KubeError | float]],
        lists: Iterable[Listed[str] | KubeError] = (),
    ) -> None:
        self._watches = iter(watches)
        self._lists = iter(lists)
        self.asked: list[str] = []
        self.open_watches = 0
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def list(self) -> Listed[str]:
        self.asked.append("list")
        answer = next(self._lists, Listed((), "100"))
        if isinstance(answer, KubeError):
            raise answer
        return answer

    async def watch(self, since: str) -> AsyncGenerator[Event[str], None]:
        """Play the next watch; a number in it lets that many seconds pass."""
        self.asked.append(f"watch {since}")
        self.open_watches += 1
        try:
            for step in self._next_watch():
                match step:
                    case KubeError():
                        raise step
                    case float():
                        self.now += step
                    case event:
                        yield event
        finally:
            self.open_watches -= 1

    def _next_watch(self) -> Sequence[Event[str] | KubeError | float]:
        try:
            return next(self._watches)
        except StopIteration:
            raise ScriptEndedError from None


def opened(*steps: Event[str] | KubeError | float) -> list[Event[str] | KubeError | float]:
    return [Opened("100"), *steps]
