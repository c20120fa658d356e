"""One picture of a ring: pods and members joined, who sees whom, and its tokens."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ring.errors import InputError
from ring.identity import Identities, Voice, fresh_facts, identities, voices
from ring.matrix import Matrix, matrix
from ring.members import Known, Member, known_of, member
from ring.model import HostId, Keyspace, Liveness, Mode, Node, RingState, parse_replication
from ring.objects import Pod, pod_order
from ring.observed import Observation
from ring.reading import Limits
from ring.words import Seen

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Keyspaces:
    """What CQL says of keyspaces; those that cannot be read are named with the reason."""

    read: tuple[Keyspace, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class RingSnapshot:
    """A Service's ring at one moment, as far as it is known.

    Attributes:
        observed: what it was made from.
        limits: up to which age that counted.
        voices: the sidecars' words as they counted, by pod.
        who: how pods and members were joined.
        members: in pod order, those without a pod last; in the order of ``matrix``.
        matrix: who sees whom.
        addresses: at which most other running members have each host.
        keyspaces: as most recently read.

    """

    observed: Observation
    limits: Limits
    voices: Mapping[str, Voice]
    who: Identities
    members: tuple[Member, ...]
    matrix: Matrix
    addresses: Mapping[HostId, str]
    keyspaces: Keyspaces

    @cached_property
    def by_host(self) -> Mapping[HostId, Member]:
        """Members by host ID."""
        return {each.host_id: each for each in self.members}

    @cached_property
    def pods(self) -> Mapping[str, Pod] | None:
        """Existing pods by name, in pod order; None where they are not known.

        Those that cannot be read are not among them (``observed.pods.broken``).
        """
        pods = self.observed.pods.fresh(self.limits.kubernetes)
        return {name: pods[name] for name in sorted(pods, key=pod_order)} if pods else pods

    @cached_property
    def near_dcs(self) -> frozenset[str]:
        """Data centres of members that have a pod here; others are run by somebody else."""
        return frozenset(each.dc for each in self.members if each.pod and each.dc)

    @cached_property
    def is_certain(self) -> bool:
        """Say whether a member that is not here is surely none.

        Somebody who runs was heard, and the ledger is known.
        """
        ledger = self.observed.ledger.is_whole(self.limits.kubernetes)
        return ledger and bool(self.matrix.voters.any())

    @cached_property
    def pending(self) -> tuple[Member, ...]:
        """Members on their way in, out or elsewhere."""
        return tuple(each for each in self.members if each.mode is not Mode.NORMAL)

    @cached_property
    def under_way(self) -> tuple[tuple[Member, Node | None], ...]:
        """The same with what the ring's mathematics knows of them; None where nothing."""
        nodes = {node.host_id: node for node in self.ring.nodes}
        return tuple((each, nodes.get(each.host_id)) for each in self.pending)

    @cached_property
    def unplaced(self) -> tuple[Member, ...]:
        """Members that the ring's mathematics has to do without.

        Their data centre or rack is not known, or they own tokens that nobody told.
        """
        placed = {node.host_id for node in self.ring.nodes if node.tokens}
        joining = {each.host_id for each in self.members if each.mode is Mode.JOINING}
        return tuple(
            each
            for each in self.members
            if each.host_id not in placed
            and not (each.host_id in joining and each.dc and each.rack)
        )

    @cached_property
    def ring(self) -> RingState:
        """The ring as ring files have it; a state that is unknown stays so.

        A token that two members claim goes to the one that is up, so that there is an answer;
        `token_claims` tells of it.
        """
        owner = {token: hosts[0] for token, hosts in self.token_claims.items()}
        nodes = (
            _node(each, self.by_host, owner) for each in self.members if each.dc and each.rack
        )
        return RingState(tuple(nodes), self.keyspaces.read)

    @cached_property
    def token_claims(self) -> Mapping[int, tuple[HostId, ...]]:
        """Tokens that several members own, with these; first the one that is up."""
        owning = [each for each in self.members if each.mode is not Mode.JOINING]
        counts = Counter(token for each in owning for token in each.tokens)
        if len(counts) == counts.total():
            return {}
        owning.sort(key=lambda each: each.liveness is not Liveness.UP)
        found: dict[int, list[HostId]] = {}
        for each in owning:
            for token in each.tokens:
                if counts[token] > 1:
                    found.setdefault(token, []).append(each.host_id)
        return {token: tuple(hosts) for token, hosts in found.items()}

    def dissenters(self, number: int) -> tuple[HostId, ...]:
        """Return running members that see a member otherwise than the majority does.

        Where there is no majority, those that see it down.
        """
        up = self.members[number].liveness is Liveness.DOWN
        saying = self.matrix.saying(number, Seen.UP if up else Seen.DOWN)
        return tuple(self.members[n].host_id for n in saying.tolist())


def take(observed: Observation, limits: Limits = DEFAULT_LIMITS) -> RingSnapshot:
    """Join what was observed into one picture."""
    heard = voices(observed, limits)
    who = identities(observed, heard, limits)
    known = known_of(observed, who, heard, limits)
    seen = matrix(who.hosts, [each.viewer for each in known])
    addresses = ring_addresses(known)
    members = [
        member(each, seen, n, addresses.get(each.host_id, "")) for n, each in enumerate(known)
    ]
    lost = {who.by_pod[pod]: old for pod, old in who.lost.items() if pod in who.by_pod}
    for n, each in enumerate(members):
        old = lost.get(each.host_id)
        if each.mode is Mode.JOINING and old in who.hosts and old != each.host_id:
            members[n] = replace(each, replaces=old)
    return RingSnapshot(
        observed=observed,
        limits=limits,
        voices=heard,
        who=who,
        members=tuple(members),
        matrix=seen,
        addresses=addresses,
        keyspaces=_keyspaces(observed, limits, members),
    )


def ring_addresses(known: Sequence[Known]) -> dict[HostId, str]:
    """Return the address at which most other running nodes have each host."""
    sights = [each.heartbeat.sight for each in known if each.heartbeat]
    columns = {(id(s.hosts), id(s.addresses)): s for s in sights if s}
    weight = Counter((id(s.hosts), id(s.addresses)) for s in sights if s)
    counts: dict[HostId, Counter[str]] = {}
    for key, sight in columns.items():
        for host, address in zip(sight.hosts, sight.addresses, strict=True):
            counts.setdefault(host, Counter())[address] += weight[key]
    for each in known:
        if (said := each.heartbeat) and said.address and each.host_id in counts:
            counts[each.host_id][said.address] -= 1  # its sight has itself as it says
    best = {host: said.most_common(1)[0] for host, said in counts.items()}
    return {host: address for host, (address, votes) in best.items() if votes > 0}


def _keyspaces(observed: Observation, limits: Limits, members: Sequence[Member]) -> Keyspaces:
    facts = fresh_facts(observed, limits)
    if not facts:
        return Keyspaces()
    schemas = Counter(each.local.schema for each in facts)
    most = schemas.most_common(1)[0][0]
    options = next(each.keyspaces for each in facts if each.local.schema == most)
    dcs = frozenset(each.dc for each in members if each.dc)
    read, unreadable = [], []
    for name, replication in options.items():
        try:
            read.append(Keyspace(name, parse_replication(replication, dcs)))
        except InputError as error:
            unreadable.append((name, str(error)))
    return Keyspaces(tuple(read), tuple(unreadable))


def _node(each: Member, members: Mapping[HostId, Member], owner: Mapping[int, HostId]) -> Node:
    tokens = each.tokens
    if owner and each.mode is not Mode.JOINING:
        tokens = tuple(t for t in tokens if owner.get(t, each.host_id) == each.host_id)
    old = members.get(each.replaces) if each.replaces else None
    if old is not None and not tokens:
        tokens = old.tokens  # a replacement takes them over (StorageService)
    placed = old is not None and bool(old.dc and old.rack)
    return Node(
        host_id=each.host_id,
        address=each.address,
        dc=each.dc,
        rack=each.rack,
        liveness=each.liveness,
        mode=each.mode,
        tokens=tokens,
        replaces=each.replaces if placed else None,
        kubernetes_node=each.machine,
    )
