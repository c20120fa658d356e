"""Shards of a search in processes of their own."""

import functools
import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.model.search import Keeper, Near
from tests.model.shard import Figures, Shard

PROGRESS_SECONDS = 5.0
END_SECONDS = 10.0
"""How long a process may take to end before it is killed."""


class Far:
    """A shard in a process of its own.

    Its words of progress are read while a result is waited for; a pipe has room for those of
    the others meanwhile.
    """

    def __init__(
        self, make: Callable[[], Shard], hear: Callable[[Figures], None] = lambda _: None
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._hear = hear
        self._process = context.Process(
            target=_serve, args=(theirs, make, os.getpid()), daemon=True
        )
        self._process.start()
        theirs.close()

    def call(self, what: str, *arguments: Any) -> None:  # noqa: ANN401
        self._pipe.send((what, arguments))

    def result(self) -> Any:  # noqa: ANN401
        while True:
            is_progress, value = self._pipe.recv()
            if not is_progress:
                return value
            self._hear(value)

    def end(self) -> None:
        """End the process, whatever it does."""
        self._pipe.close()
        self._process.terminate()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(pipe: Connection, make: Callable[[], Shard], parent: int) -> None:
    """Do what is asked for until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is interrupted ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # tuples of numbers have no circles to look for, and there are millions
    shard, said = make(), time.monotonic()

    def progress(figures: Figures) -> None:
        nonlocal said
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            _hold(parent)
            pipe.send((True, figures))

    shard.progress = progress
    while True:
        while not pipe.poll(PROGRESS_SECONDS):
            _hold(parent)
        what, arguments = pipe.recv()
        pipe.send((False, getattr(shard, what)(*arguments)))


def _hold(parent: int) -> None:
    """End when the process is gone that this one works for; a pipe of its does not tell."""
    if os.getppid() != parent:
        raise SystemExit


@contextmanager
def shards(
    count: int, make: Callable[[int], Shard], hear: Callable[[int, Figures], None]
) -> Iterator[Sequence[Keeper]]:
    """Run so many shards: one here, more each in a process; `make` is called there."""
    if count == 1:
        shard = make(0)
        shard.progress = functools.partial(hear, 0)
        yield [Near(shard)]
        return
    made: list[Far] = []
    try:
        made.extend(  # one by one, so that those that run are ended if the next cannot
            Far(functools.partial(make, number), functools.partial(hear, number))
            for number in range(count)
        )
        yield made
    finally:
        for each in made:
            each.end()
