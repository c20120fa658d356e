"""A sidecar's own HTTP face, with somebody in the engine's place who says what a test wants."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from seedprovider.decision import Answer, Refused, Rule, Seeds, Withheld
from seedprovider.engine import Answered
from seedprovider.inquiry import Inquirer
from seedprovider.metrics import Metrics
from seedprovider.model import Asker, Disk, Endpoint
from seedprovider.node import Received
from seedprovider.own import OwnNode
from seedprovider.question import Question
from seedprovider.tending import Reply
from seedprovider.web import Face
from seedprovider.world import World
from tests.fakes.situations import RING, Stage, address, asker, uid

SEEDS = Seeds(
    seeds=("10.0.0.1", "fd00::2"),
    ring_id=RING,
    rule=Rule.MEMBER_CONFIRMED,
    reason="two members are confirmed",
)
WITHHELD = Withheld(rule=Rule.JOIN_WAIT, reason="cassandra-1 is joining")
REFUSED = Refused(rule=Rule.DISK_FOREIGN, reason="this disk belongs to another ring")


@dataclass
class Oracle:
    """Stands where the engine stands, says what it is told to, and notes what it was asked."""

    says: Answer = SEEDS
    waiting: float = 0.0
    last: Answered | None = None
    questions: list[Question] = field(default_factory=list)
    supposed: list[Asker] = field(default_factory=list)

    async def answer(self, question: Question) -> Answered:
        self.questions.append(question)
        who = asker(0, question.disk, waiting=self.waiting)
        self.last = Answered(self.says, Stage().ring_of(0, 1).view(), who)
        return self.last

    def asker(self, its_disk: Disk, where: str | None = None) -> Asker:
        return replace(asker(0, its_disk), address=where or address(0))

    async def suppose(self, who: Asker) -> Answered:
        self.supposed.append(who)
        return Answered(self.says, Stage().ring_of(0, 1).view(), who)


@dataclass
class Nurse:
    """Stands where the tender stands."""

    reply: Reply = field(default_factory=lambda: Reply((), None, None, ()))
    reason: str | None = None
    heard: list[Received] = field(default_factory=list)

    def hear(self, received: Received) -> Reply:
        self.heard.append(received)
        return self.reply

    def not_ready(self) -> str | None:
        return self.reason


def make_face(
    session: aiohttp.ClientSession,
    data_dir: Path,
    number: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Face, World, Oracle, Nurse]:
    """Make the face of a pod's sidecar, and what is behind it."""
    endpoint = Endpoint(f"cassandra-{number}", uid(number), address(number))
    own = OwnNode(endpoint, data_dir=data_dir, storage_port=7000, clock=clock)
    inquirer = Inquirer(session, namespace="ns", service="cassandra", port=8079, clock=clock)
    world = World(own, inquirer, service="cassandra", remembered=None, clock=clock)
    oracle, nurse = Oracle(), Nurse()
    face = Face(
        world,
        oracle,  # type: ignore[arg-type]
        nurse,  # type: ignore[arg-type]
        Metrics(),
        namespace="ns",
        clock=clock,
    )
    return face, world, oracle, nurse
