"""Asks again while one replica gives no answer: the next question may reach another one.

The API server takes one of a Service's endpoints at random.  A replica whose machine froze or
lost power is among them until Kubernetes calls that machine not ready, which takes most of a
minute, and that is just when people ask how the ring is.
"""

import queue
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ring.client.errors import UnavailableError
from ring.client.transport import Answer, Transport
from ring.readjson import loads

PATIENCE: Final = 1.0
"""Seconds until the same is asked beside: an answer takes some tenths of one."""
PAUSE: Final = 0.2  # seconds before it is asked once more where the API server reached nobody
TIMES: Final = 8
"""At most: where one of two replicas is dead, all of them go there once in 256 times."""
GATEWAY: Final = frozenset({502, 503, 504})

Outcome = Answer | UnavailableError


class Hedged:
    """Asks one question after the other, each several times if need be; they change nothing."""

    def __init__(
        self,
        connection: Callable[[], Transport],
        times: int = TIMES,
        patience: float = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take what makes a connection; the one that answered last is kept."""
        self._make, self._times = connection, times
        self._patience, self._jitter = patience, jitter
        self._kept: Transport | None = None

    def get(self, path: str) -> Answer:
        """Return the first answer of a manager, else what the API server said last.

        Raises:
            UnavailableError: as `Transport.get`, where nobody answered.

        """
        question = _Question(path)
        self._ask(question)
        ended = 0
        while True:
            more = len(question.begun) < self._times
            try:
                transport, outcome = question.outcomes.get(
                    timeout=self._patience if more else None
                )
            except queue.Empty:
                self._ask(question)
                continue
            ended += 1
            if reached_nobody(outcome) and more:
                self._kept = transport
                time.sleep(PAUSE * (0.5 + self._jitter()))
                self._ask(question)
            elif is_answer(outcome) or ended == len(question.begun):
                question.end(transport)
                self._kept = transport
                if isinstance(outcome, UnavailableError):
                    raise outcome
                return outcome

    def close(self) -> None:
        """End the connection that is kept."""
        if self._kept is not None:
            self._kept.close()

    def _ask(self, question: "_Question") -> None:
        question.ask(self._kept or self._make())
        self._kept = None


@dataclass(slots=True)
class _Question:
    """Asked by several connections, each in a thread of its own."""

    path: str
    begun: list[Transport] = field(default_factory=list)
    outcomes: queue.SimpleQueue[tuple[Transport, Outcome]] = field(
        default_factory=queue.SimpleQueue
    )
    ended: threading.Event = field(default_factory=threading.Event)
    taken: Transport | None = None

    def ask(self, transport: Transport) -> None:
        """Begin to ask."""
        self.begun.append(transport)
        name = "ring-question"
        threading.Thread(target=self._run, args=(transport,), name=name, daemon=True).start()

    def end(self, taken: Transport) -> None:
        """End all connections but the one whose outcome was taken."""
        self.taken = taken
        self.ended.set()
        for other in self.begun:
            if other is not taken:
                other.abort()
        while not self.outcomes.empty():
            self.outcomes.get()[0].close()

    def _run(self, transport: Transport) -> None:
        # A command that writes its answer lets SIGPIPE end it, while this may still send.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        outcome: Outcome
        try:
            outcome = transport.get(self.path)
        except UnavailableError as error:
            outcome = error
        self.outcomes.put((transport, outcome))
        if self.ended.is_set() and transport is not self.taken:
            transport.close()


def is_answer(outcome: Outcome) -> bool:
    """Say whether somebody answered for the ring, or the API server refused."""
    return isinstance(outcome, Answer) and not reached_nobody(outcome)


def reached_nobody(outcome: Outcome) -> bool:
    """Say whether the API server found no replica that answers it.

    That is a gateway's status with a ``Status`` in it.  The same status with anything else
    comes from a manager, and is an answer.
    """
    if isinstance(outcome, UnavailableError) or outcome.status not in GATEWAY:
        return False
    try:
        body = loads(outcome.body)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("kind") == "Status"
