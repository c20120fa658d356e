"""The faults that a real API server, or the network before it, can show: as rules.

A rule says what goes wrong, for whom and how often.  Rules change at any moment and count from
then on, for watches that are open already, too.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What goes wrong."""

    HANG = "hang"  # the request is not looked at until the rule is removed
    UNAUTHORIZED = "unauthorized"  # 401
    FORBID = "forbid"  # 403
    THROTTLE = "throttle"  # 429, Retry-After as `seconds`, default 1
    FAIL = "fail"  # `status`, default 500
    DELAY = "delay"  # the work is done at once, the answer comes `seconds` later
    DROP_RESPONSE = "drop-response"  # the work is done, the connection is reset unanswered
    GARBAGE_LIST = "garbage-list"  # 200 with a body that is no JSON
    TRUNCATED_LIST = "truncated-list"  # the connection ends in the middle of the body
    STALE_LIST = "stale-list"  # what may be old is: shown as of `version`
    EXPIRE = "expire"  # who asks for history (resume, page, Exact) gets 410
    EXPIRED_AS_STATUS = "expired-as-status"  # a watch's 410 is the HTTP status, not an event
    END_WATCH = "end-watch"  # a watch ends cleanly at once
    CUT_WATCH = "cut-watch"  # a watch's connection is reset at once
    HALF_OPEN = "half-open"  # a watch falls silent for good; its connection stays
    LAG = "lag"  # events come `seconds` late, or when the rule is removed; bookmarks tell it
    NO_BOOKMARKS = "no-bookmarks"  # a quiet watch stays quiet, as over an etcd without progress
    GARBAGE_LINE = "garbage-line"  # a watch sends one line that is no event
    OVERSIZED_LINE = "oversized-line"  # a watch sends one line of `size_bytes`


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule.  What is None does not narrow it.

    Attributes:
        kind: what goes wrong; the comments of `Kind` say which fields it uses.
        resource: plural name, such as ``pods``.
        client: part of the User-Agent.
        token: the bearer token.
        verb: ``get``, ``list``, ``watch``, ``create``, ``update``, ``patch``, ``delete``.
        times: how many requests it strikes; None for every one until the rule is removed.
        seconds: lateness, or Retry-After (rounded).
        version: resourceVersion of a stale answer.
        status: HTTP status of a failure, 400 to 599.
        size_bytes: length of an oversized line, newline not counted.

    """

    kind: Kind
    resource: str | None = None
    client: str | None = None
    token: str | None = None
    verb: str | None = None
    times: int | None = None
    seconds: float | None = None
    version: str | None = None
    status: int = 500
    size_bytes: int = 8 * 2**20

    def __post_init__(self) -> None:
        """Refuse rules that could not work."""
        if self.kind is Kind.DELAY and self.seconds is None:
            raise ValueError("a delay needs seconds")
        if self.kind is Kind.STALE_LIST and not (self.version or "").isdigit():
            raise ValueError("a stale list needs the version that it shows")
        if self.seconds is not None and self.seconds < 0:
            raise ValueError(f"seconds {self.seconds}: less than none")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times {self.times}: less than once")
        if not 400 <= self.status <= 599:  # noqa: PLR2004 - the HTTP error range
            raise ValueError(f"status {self.status}: no error")

    def concerns(self, caller: "Caller") -> bool:
        """Whether the request is of those that the rule means."""
        return (
            self.resource in (None, caller.resource)
            and self.token in (None, caller.token)
            and self.verb in (None, caller.verb)
            and (self.client is None or self.client in caller.client)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request is to the rules; texts are empty where the request names nothing."""

    client: str  # User-Agent
    token: str
    verb: str
    resource: str


@dataclass(slots=True, eq=False)
class _Rule:
    fault: Fault
    left: int | None
    active: bool = True


class Faults:
    """The rules in force, oldest first.  Belongs to the thread of the event loop."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._listeners: list[Callable[[], None]] = []
        self._changed = asyncio.Event()

    def add(self, fault: Fault) -> Callable[[], None]:
        """Put a rule in force; return what removes it."""
        rule = _Rule(fault, fault.times)
        self._rules.append(rule)
        self._announce()
        return lambda: self._drop([rule])

    @contextmanager
    def active(self, fault: Fault) -> Iterator[None]:
        """Have a rule in force for as long as the block runs."""
        remove = self.add(fault)
        try:
            yield
        finally:
            remove()

    def replace(self, faults: Sequence[Fault]) -> None:
        """Have just these rules in force."""
        old = list(self._rules)
        self._rules.extend(_Rule(fault, fault.times) for fault in faults)
        self._drop(old)

    def clear(self) -> None:
        """Remove every rule."""
        self.replace(())

    def rules(self) -> list[Fault]:
        """Show the rules, ``times`` as what is left of it; used-up rules are not shown."""
        return [
            msgspec.structs.replace(rule.fault, times=rule.left)
            for rule in self._rules
            if rule.left != 0
        ]

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after each change of the rules; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def find(self, kind: Kind, caller: Caller) -> Fault | None:
        """Give the first rule of that kind that means the request, not counting it."""
        rule = self._match(kind, caller, set())
        return rule.fault if rule else None

    def strike(
        self, kind: Kind, caller: Caller, struck: set[object] | None = None
    ) -> Fault | None:
        """Give the first rule that means the request, and count it.

        ``struck`` is a long request's memory of the rules that have hit it: none does twice.
        """
        rule = self._match(kind, caller, struck or set())
        if rule is None:
            return None
        _count(rule)
        if struck is not None:
            struck.add(rule)
        return rule.fault

    async def hang(self, caller: Caller) -> None:
        """Wait for as long as a rule that strikes the request is in force."""
        while rule := self._match(Kind.HANG, caller, set()):
            _count(rule)
            while rule.active:
                await self._changed.wait()

    def _match(self, kind: Kind, caller: Caller, but: set[object]) -> _Rule | None:
        for rule in self._rules:
            usable = rule.fault.kind is kind and rule.left != 0 and rule not in but
            if usable and rule.fault.concerns(caller):
                return rule
        return None

    def _drop(self, rules: Sequence[_Rule]) -> None:
        for rule in rules:
            rule.active = False
        self._rules = [rule for rule in self._rules if rule.active]
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in tuple(self._listeners):
            listener()


def _count(rule: _Rule) -> None:
    if rule.left is not None:
        rule.left -= 1
