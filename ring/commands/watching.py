"""`ring watch`: the ring as it changes, on a terminal in place, elsewhere line by line."""

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer

from ring import render_watch
from ring.client.errors import AccessError, RefusedError, UnavailableError
from ring.client.following import Follower
from ring.client.manager import Manager, Reply
from ring.commands.asking import asks, keyspaces
from ring.commands.live import ask_status
from ring.output import has_colour, tell
from ring.plain import harmless
from ring.render_live import Look

app = typer.Typer()

Json = dict[str, Any]

TICK: Final = 0.2  # seconds: how soon a key is noticed
AT_LEAST: Final = 10.0
"""Seconds after which the manager is asked though no stream told of anything."""
EXPIRED: Final = 401
KEYS: Final = 64  # that are read at once
SAME_REPLICA: Final = 4
"""How often it is tried to reach the replica that answered last.  The API server takes one at
random, and each has a history of its own: findings would come and go with who answers."""


@app.command()
@asks(file=False)
def watch(
    manager: Manager,
    keyspace: Annotated[
        str,
        typer.Option(
            "--keyspace", "-k", help="Whose ownership to show.", autocompletion=keyspaces
        ),
    ] = "",
) -> None:
    """Show the ring as it changes; q or Ctrl-C ends it.

    On a terminal it is drawn in place, who is not well first. In a pipe there is a line for
    each change and each finding.

    Example: ring watch | tee changes.log
    """
    follower = Follower(manager.again)
    feed = _Feed(manager, keyspace)
    feed.refresh()  # what is wrong from the start is told as by every command
    with _interruptible():
        follower.start()
        try:
            if sys.stdout.isatty():
                _on_terminal(feed, follower)
            else:
                _in_lines(feed, follower)
        finally:
            follower.stop()


@dataclass(slots=True)
class _Feed:
    """The newest answers, asked for when there is news or nothing was heard for long."""

    manager: Manager
    keyspace: str
    clock: Callable[[], float] = time.monotonic
    answer: Json = field(default_factory=dict)
    log: list[Json] = field(default_factory=list)
    problem: str = ""
    _age: float | None = None
    _at: float = 0.0
    _tried: float = 0.0
    _replica: str = ""

    def refresh(self) -> None:
        """Ask; raise `AccessError` where there is no answer."""
        self._tried = self.clock()
        reply, self.answer = ask_status(self.manager, self.keyspace)
        for _ in range(SAME_REPLICA - 1):
            if self._replica in {"", _replica(reply)}:
                break
            reply, self.answer = ask_status(self.manager, self.keyspace)
        self._replica = _replica(reply)  # another one where the last is gone
        self.log = reply.body["history"]
        self._age, self._at, self.problem = reply.age, self.clock(), ""

    def try_again(self) -> None:
        """Ask, and keep what is known where there is no answer: it ages."""
        try:
            self.refresh()
        except RefusedError as error:
            self.problem = error.problem
            if error.status == EXPIRED:
                self._renew()
        except UnavailableError as error:
            self.problem = error.problem

    def _renew(self) -> None:
        try:
            self.manager = self.manager.again()
        except AccessError as error:
            self.problem = error.problem

    @property
    def is_due(self) -> bool:
        """Say whether nothing was asked for too long."""
        return self.clock() - self._tried >= AT_LEAST

    @property
    def age(self) -> float | None:
        """How old the picture is by now."""
        return None if self._age is None else self._age + self.clock() - self._at


def _replica(reply: Reply) -> str:
    """Return which replica answered: what its versions begin with."""
    return reply.version.partition("-")[0]


def _on_terminal(feed: _Feed, follower: Follower) -> None:
    from rich.console import Console  # noqa: PLC0415 -- slow to import
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    def drawn() -> Text:
        size = shutil.get_terminal_size()
        look = Look(size.columns, has_colour())
        problem = feed.problem or follower.problem
        lines = render_watch.screen(feed.answer, feed.log, feed.age, problem, size.lines, look)
        text = "\n".join(harmless(each, colour=True) for each in lines)
        return Text.from_ansi(text, no_wrap=True, overflow="crop")

    with (
        _keys() as pressed,
        Live(drawn(), console=Console(), screen=True, auto_refresh=False) as live,
    ):
        while not pressed("q"):
            if follower.news.is_set() or feed.is_due:
                follower.news.clear()
                feed.try_again()
            live.update(drawn(), refresh=True)


def _in_lines(feed: _Feed, follower: Follower) -> None:
    try:
        _told(feed, follower)
    except BrokenPipeError:  # whoever read has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(feed: _Feed, follower: Follower) -> NoReturn:
    before: Json | None = None
    seen, problem = "", ""
    while True:
        for line in render_watch.news(before, feed.answer, feed.log, seen):
            sys.stdout.write(harmless(line) + "\n")
        seen = max([seen, *(each["at"] for each in feed.log)])
        before = feed.answer
        trouble = feed.problem or follower.problem
        if trouble != problem:
            tell(trouble or "followed again")
            problem = trouble
        sys.stdout.flush()
        follower.news.wait(AT_LEAST)
        follower.news.clear()
        feed.try_again()


class _InterruptedError(Exception):
    """Somebody wants this to end."""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end what is done in here cleanly: the terminal is put right."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _InterruptedError

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _InterruptedError:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[str], bool]]:
    """Return what waits a moment and says whether a key was pressed."""
    if not sys.stdin.isatty():
        yield _waiting
        return
    import termios  # noqa: PLC0415 -- not there on every system
    import tty  # noqa: PLC0415

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)

    def pressed(key: str) -> bool:
        ready, _, _ = select.select([number], [], [], TICK)
        return bool(ready) and key in os.read(number, KEYS).decode(errors="replace").lower()

    try:
        yield pressed
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _waiting(_key: str) -> bool:
    time.sleep(TICK)
    return False
