"""The invariants of the protocol over random orders of events, with the product's decisions."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.fakes.smallworld import Cluster

SIZE = 3
pods = st.integers(0, SIZE - 1)
some = st.sets(pods)


class AnyOrder(RuleBasedStateMachine):
    """Three pods on blank disks; `Cluster` raises `BrokenError` where an invariant fails.

    Checked at every step: one ring at most holds data, one blank disk at most is on its way in,
    none is told itself unless it founds, every seed belongs to the ring of the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(SIZE)
        self.losses = 0

    @rule(n=pods, silent=some, earlier=some, patient=st.booleans())
    def ask(self, *, n: int, silent: set[int], earlier: set[int], patient: bool) -> None:
        before = self.cluster._reports()
        self.cluster.ask(n, silent=silent, earlier=earlier, patient=patient)
        self.cluster.earlier = before

    @rule(n=pods, silent=some, earlier=some)
    def look(self, *, n: int, silent: set[int], earlier: set[int]) -> None:
        before = self.cluster._reports()
        self.cluster.look(n, silent=silent, earlier=earlier, patient=True)
        self.cluster.earlier = before

    @rule(n=pods)
    def act(self, n: int) -> None:
        self.cluster.tick()
        self.cluster.act(n)

    @rule(n=pods)
    def calm_ask(self, n: int) -> None:
        self.cluster.ask(n, silent=set(), earlier=set(), patient=False)

    @rule(n=pods)
    def gossip(self, n: int) -> None:
        self.cluster.tick()
        self.cluster.gossip(n)

    @rule(n=pods)
    def finish(self, n: int) -> None:
        self.cluster.tick()
        self.cluster.finish(n)

    @rule(n=pods)
    def write_ledger(self, n: int) -> None:
        self.cluster.write_ledger(n)

    @rule()
    def notice(self) -> None:
        self.cluster.notice()

    @rule(n=pods)
    def crash(self, n: int) -> None:
        self.cluster.tick()
        self.cluster.crash(n)

    @rule(n=pods)
    def reschedule(self, n: int) -> None:
        self.cluster.tick()
        self.cluster.reschedule(n)

    @precondition(lambda self: self.losses < 1)
    @rule(n=pods, new_claim=st.booleans())
    def lose_a_disk(self, *, n: int, new_claim: bool) -> None:
        self.losses += 1
        self.cluster.wipe(n, new_claim=new_claim)

    @rule(up=st.booleans())
    def api_server(self, *, up: bool) -> None:
        self.cluster.api = up

    @precondition(lambda self: self.cluster.record is not None)
    @rule()
    def lose_the_record(self) -> None:
        if self.losses == 0:
            self.losses += 1
            self.cluster.record = None

    def teardown(self) -> None:
        """Once faults stop, every pod gets in."""
        cluster = self.cluster
        if cluster.record is None or self.losses:
            return
        cluster.api = True
        for _ in range(6 * SIZE):
            cluster.notice()
            for n in range(SIZE):
                cluster.act(n)
                cluster.ask(n, silent=set(), earlier=set(), patient=True)
                cluster.finish(n)
                cluster.write_ledger(n)
        assert [node.process for node in cluster.nodes] == ["normal"] * SIZE
        assert len({node.ring for node in cluster.nodes}) == 1


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
