"""The worlds of the model that agree with a real run so far, and the story of that run."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.model import inner, laws
from tests.model import state as m
from tests.model.abstraction import Names
from tests.model.inner import Track

WORLDS = 256
"""Most worlds that are kept; a run that is seen well has one, or a few for some seconds."""
STORY = 24
"""Lines of what came before that a failure shows."""
DISTURBED_SECONDS = 10.0
"""How long after a process thawed, or a fault ended, something of before may still be heard."""
GOSSIP_SECONDS = 120.0
"""How long gossip may know a joiner that is no more (it forgets one after RING_DELAY)."""
Each = Callable[[m.World], Iterable["m.World | str"]]


class ImpossibleError(AssertionError):
    """A real step that the model calls impossible, with the story of how it came to it."""


@dataclass
class Course:
    """What is so by now.

    Attributes:
        complete: whether the stage keeps a diary of all that is written in Kubernetes; without
            one, what nobody's journal has was written by somebody else.
        ends: by pod UID, when its journal ends, where that may be before the pod did.
        left_out: what was not held against the model, and why.
        now: time of the line that is looked at.
        frozen: until when each pod that was stopped in its tracks is, or is a little confused.
        thawed: pods whose process was frozen on its way in, until it is NORMAL on a disk that
            says so, or ends.
        faulty: until when the API server is made to fail.

    """

    complete: bool = True
    names: Names = field(default_factory=Names)
    ends: dict[str, float] = field(default_factory=dict)
    track: Track = field(default_factory=Track)
    worlds: list[m.World] = field(default_factory=lambda: [m.World((), ledger=())])
    left_out: list[str] = field(default_factory=list)
    now: float = 0.0
    frozen: dict[str, float] = field(default_factory=dict)
    thawed: set[str] = field(default_factory=set)
    faulty: float = float("-inf")
    _short_lived: float = float("-inf")
    _began: float | None = None
    _story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY))

    def at(self, now: float) -> None:
        """Let time go on."""
        self.now = now
        self._began = now if self._began is None else self._began

    @property
    def size(self) -> int:
        """How many pods there are in each world."""
        return len(self.worlds[0].pods)

    def tell(self, text: str) -> None:
        """Put a line into the story."""
        self._story.append(f"{self.now - (self._began or 0.0):9.3f} {text}")

    def leave_out(self, why: str) -> None:
        """Note that something is not held against the model."""
        self.tell(f"(left out: {why})")
        self.left_out.append(f"at {self.now - (self._began or 0.0):.1f} s: {why}")

    def fail(self, text: str) -> None:
        """Give up, with the story."""
        story = "\n".join(self._story)
        raise ImpossibleError(f"the model calls this impossible: {text}\nbefore it:\n{story}")

    def advance(self, what: str, each: Each) -> None:
        """Move every world on; one that cannot be moved, for a reason in words, is dropped."""
        after: dict[m.World, None] = {}
        reasons: dict[str, None] = {}
        for world in self.worlds:
            for moved in each(world):
                text = moved if isinstance(moved, str) else laws.standing(moved)
                if text is not None:
                    reasons[text] = None
                elif isinstance(moved, m.World):
                    after[inner.tidied(moved)] = None
        if not after:
            self.fail(f"{what}: {'; '.join(reasons) or 'no such move'}")
        if len(after) > WORLDS:
            self.leave_out(f"{what}: {len(after)} worlds agree, {WORLDS} are kept")
        self.worlds = list(after)[:WORLDS]
        self.tell(what)

    def change(self, what: str, change: Callable[[m.World], "m.World | str"]) -> None:
        """Change every world in the one way there is."""
        self.advance(what, lambda world: (change(world),))

    def number(self, pod: str) -> int:
        """Return a pod's number; make room for it in every world."""
        n = self.names.pod(pod)
        if n >= self.size:
            self.worlds = [inner.grown(world, n + 1) for world in self.worlds]
        return n

    def is_frozen(self, pod: str) -> bool:
        """Whether a process of the pod is, or was moments ago."""
        return self.now < self.frozen.get(pod, float("-inf")) + DISTURBED_SECONDS

    def goes_its_own_way(self, pod: str) -> bool:
        """Whether the model lost sight of the pod's process when that was frozen."""
        return self.is_frozen(pod) or pod in self.thawed

    def is_short_lived(self) -> bool:
        """Whether a process ended on its way in, so that others may have seen more of it."""
        return self.now < self._short_lived + GOSSIP_SECONDS

    def is_faulty(self) -> bool:
        """Whether the API server is made to fail, or was moments ago."""
        return self.now < self.faulty + DISTURBED_SECONDS

    # -- pods and volumes ---------------------------------------------------------------------

    def process_ended(self, pod: str) -> None:
        """End the process in a pod."""
        n = self.number(pod)
        self.thawed.discard(pod)
        if any(inner.is_on_its_way(world, n) for world in self.worlds):
            self._short_lived = self.now
        self.advance(f"{pod}: its process ends", lambda w: inner.ended(w, n))
        self.track.changed[n] = self.now
        self.track.asked.discard(n)

    def sidecar_ended(self, pod: str) -> None:
        """End the sidecar: what it promised and took for a node that waits is forgotten."""
        n = self.number(pod)

        def forget(world: m.World) -> Iterable[m.World]:
            waits = world.pods[n].run <= m.WAITING
            return inner.ended(world, n) if waits else (world,)

        self.advance(f"{pod}: its sidecar ends", forget)

    def pod_gone(self, pod: str) -> None:
        """Delete a pod."""
        n = self.number(pod)
        self.advance(
            f"{pod} is deleted", lambda w: (inner.gone(each, n) for each in inner.ended(w, n))
        )
        self.names.uids[n] = None
        self.track.asked.discard(n)
        self.frozen.pop(pod, None)
        self.thawed.discard(pod)

    def pod_there(self, pod: str, address: str) -> None:
        """Let a pod have its address."""
        n, at = self.number(pod), self.names.addresses[address]
        self.change(f"{pod} is there at {address}", lambda w: inner.there(w, n, at))

    def claim_is(self, pod: str, uid: str | None) -> None:
        """Give a pod's volume claim the UID that it has by now, None for no claim."""
        n = self.number(pod)
        before = self.names.claims.get(n)
        if uid == before:
            return
        if before is not None:
            self.change(f"the claim of {pod} is deleted", lambda w: inner.claim_gone(w, n))
            self.track.changed[n] = self.now
        self.names.claims[n] = uid
        if uid is not None:
            self.change(f"{pod} has volume {uid}", lambda w: inner.claimed(w, n))
