"""Whatever is written and whatever goes wrong: once calm, the mirror equals the server.

And before: each view that the mirror ever shows is a state that the server really had, and no
view is older than the one before it.
"""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localring.apiserver import Fault, Kind
from seedprovider.kube.collection import Bounds
from tests.fakes.kubestage import Stage, stage_in

State: TypeAlias = dict[str, str]  # name -> version

SMALL_PAGES = Bounds(page_size=2, silence_seconds=0.05)


@dataclass
class Recorder:
    """Every state that the server had, in order."""

    stage: Stage
    states: list[State] = field(default_factory=list)

    def note(self) -> None:
        self.states.append(self.stage.stored())

    def check(self, views: list[State]) -> None:
        """Find each view among the states, at or after the place of the view before it."""
        place = 0
        for view in views:
            assert view in self.states[place:], f"{view} is no state, or comes too late"
            place = self.states.index(view, place)


@dataclass(frozen=True)
class Write:
    name: str
    text: str | None  # None removes

    async def do(self, stage: Stage) -> None:
        if self.text is not None:
            stage.put(self.name, self.text)
        elif self.name in stage.stored():
            stage.drop(self.name)


@dataclass(frozen=True)
class Breakage:
    """Something wrong for a while; nothing about old state, which no quorum list shows."""

    fault: Fault

    async def do(self, stage: Stage) -> None:
        stage.api.faults.add(self.fault)


@dataclass(frozen=True)
class Act:
    what: str

    async def do(self, stage: Stage) -> None:
        match self.what:
            case "cut":
                stage.api.cut_watches()
            case "end":
                stage.api.end_watches()
            case "compact":
                stage.api.store.compact()
            case "refuse":
                await stage.api.refuse()
            case "accept":
                await stage.api.accept()
            case "calm":
                stage.api.faults.clear()
            case _:  # let the client get on for some turns of the loop
                for _ in range(20):
                    await asyncio.sleep(0)


FAULTS = [
    *(Fault(kind=kind, verb="watch", times=1) for kind in Kind if kind.endswith("-watch")),
    Fault(kind=Kind.LAG),
    Fault(kind=Kind.EXPIRE),
    Fault(kind=Kind.EXPIRE, times=1),
    Fault(kind=Kind.EXPIRED_AS_STATUS, times=1),
    Fault(kind=Kind.FAIL, times=2),
    Fault(kind=Kind.FORBID, verb="watch"),
    Fault(kind=Kind.DROP_RESPONSE, times=1),
    Fault(kind=Kind.GARBAGE_LIST, times=1),
    Fault(kind=Kind.TRUNCATED_LIST, times=1),
    Fault(kind=Kind.GARBAGE_LINE, times=1),
    Fault(kind=Kind.END_WATCH),
    Fault(kind=Kind.HALF_OPEN, times=1),
]
ACTS = ["cut", "end", "compact", "refuse", "accept", "calm", "wait", "wait", "wait"]

writes = st.builds(Write, st.sampled_from("abcde"), st.sampled_from(["1", "2", None]))
steps = st.one_of(
    writes,
    writes,
    st.builds(Breakage, st.sampled_from(FAULTS)),
    st.builds(Act, st.sampled_from(ACTS)),
)


async def live_through(history: list[Write | Breakage | Act], folder: Path) -> None:
    async with stage_in(folder) as stage:
        recorder = Recorder(stage)
        recorder.note()
        async with stage.following(SMALL_PAGES):
            for step in history:
                await step.do(stage)
                if isinstance(step, Write):
                    recorder.note()
            stage.api.faults.clear()
            await stage.api.accept()
            await stage.caught_up()
        recorder.check(stage.mirror.views)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=25))
def test_once_calm_the_mirror_equals_the_server_and_it_never_showed_anything_else(
    history: list[Write | Breakage | Act],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live_through(history, Path(folder)))
