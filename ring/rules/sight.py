"""Rules about who sees whom: two rings, cut networks, members that are down, schema, clocks."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from ring.finding import Case, Finding, Kind, Severity, are, hosts, named
from ring.matrix import Matrix
from ring.members import Member, names
from ring.model import Liveness
from ring.tokens import Indexes
from ring.words import Seen

CLOCKS_APART = 0.5  # seconds beside the error of measuring; writes are ordered by these clocks
CLOCKS_FAR = 10.0  # seconds: deletions and writes of people are ordered wrongly


def two_rings(case: Case) -> Iterator[Finding]:
    """Find running members whose known hosts have nothing in common: rings founded apart."""
    rings = [_members(case, ring) for ring in case.snapshot.matrix.rings()]
    if len(rings) < 2:  # noqa: PLR2004 -- two rings
        return
    sizes = " and ".join(str(len(ring)) for ring in rings)
    yield Finding(
        kind=Kind.TWO_RINGS,
        severity=Severity.CRITICAL,
        what=f"There are {len(rings)} rings under one Service, of {sizes} running members",
        evidence={"rings": [names(ring) for ring in rings], "members": list(map(hosts, rings))},
        advice="They do not know each other, and clients write to both. Let nobody join them: "
        "they would merge and lose rows. Stop clients, keep the ring that the record names, "
        "and load the other one's data into it.",
        commands=(
            case.kubectl(f"get configmap {case.snapshot.observed.service}-ring -o yaml"),
            *(case.nodetool(ring[0].pod, "describecluster") for ring in rings),
        ),
    )


def parted_islands(found: Matrix) -> list[Indexes]:
    """Return the islands of a cut within one ring; none where single members stand alone.

    One member that sees all others down against their word has a trouble of its own.
    """
    ring_of = np.zeros(len(found.hosts), np.intp)
    rings = found.rings()
    for number, ring in enumerate(rings):
        ring_of[ring] = number
    islands: list[list[Indexes]] = [[] for _ in rings]
    for part in found.islands():
        islands[ring_of[part[0]]].append(part)
    for ring, parts in zip(rings, islands, strict=True):
        most = len(parts[0]) * 2 > len(ring)
        if len(parts) > 1 and not (most and all(len(part) == 1 for part in parts[1:])):
            return parts
    return []


def network_cut(case: Case) -> Iterator[Finding]:
    """Find groups of running members of one ring of which each sees the others down."""
    islands = [_members(case, part) for part in parted_islands(case.snapshot.matrix)]
    if not islands:
        return
    groups = " | ".join(named(names(part)) for part in islands)
    yield Finding(
        kind=Kind.NETWORK_CUT,
        severity=Severity.CRITICAL,
        what=f"The network between members is cut: {groups}",
        evidence={"islands": [names(part) for part in islands]},
        advice="All of them run and none reaches those on another side. Look at the network "
        "and its policies between these machines; restart nothing.",
        commands=(case.kubectl("get pods -o wide"), case.kubectl("get networkpolicy")),
    )


def lone_view(case: Case) -> Iterator[Finding]:
    """Find members that see others down which most see up."""
    snapshot = case.snapshot
    if parted_islands(snapshot.matrix):
        return
    up = np.array([each.liveness is Liveness.UP for each in snapshot.members], np.bool_)
    against = (snapshot.matrix.cells == Seen.DOWN) & up
    against[~snapshot.matrix.voters] = False
    observers = np.flatnonzero(against.any(axis=1))
    if not len(observers):
        return
    seen = {
        snapshot.members[n].name: names(_members(case, np.flatnonzero(against[n])))
        for n in observers.tolist()
    }
    who = list(seen)
    alone = len(who) == 1
    yield Finding(
        kind=Kind.LONE_VIEW if alone else Kind.VIEWS_DIFFER,
        severity=Severity.WARNING,
        what=f"{named(who)} {'sees' if alone else 'see'} members down that most see up"
        + (f": {named(seen[who[0]])}" if alone else ""),
        evidence={"sees": seen},
        advice="Coordinators there fail where others do not. Look at the machine's network "
        "first; if that is well, restart Cassandra in it."
        if alone
        else "Coordinators there fail where others do not. Look at the network between these "
        "machines; restart nothing while views differ.",
        commands=(
            case.nodetool(who[0], "gossipinfo"),
            *([case.restart(who[0])] if alone else ()),
        ),
    )


def member_down(case: Case) -> Iterator[Finding]:
    """Find members that a majority sees down."""
    down = [each for each in case.snapshot.members if each.liveness is Liveness.DOWN]
    if not down:
        return
    pods = [each.pod for each in down if each.exists]
    commands = [case.kubectl(f"describe pod {pods[0]}")] if pods else []
    if pods:
        commands.append(case.kubectl(f"logs {pods[0]} -c cassandra --tail=50"))
    yield Finding(
        kind=Kind.MEMBER_DOWN,
        severity=Severity.WARNING,
        what=f"{named(names(down))} {are(len(down))} down",
        evidence={
            "members": hosts(down),
            "names": names(down),
            "states": {each.name: each.state for each in down},
            "machines": sorted({each.machine for each in down if each.machine}),
            "racks": sorted({f"{each.dc}/{each.rack}" for each in down if each.rack}),
            "running": [each.name for each in down if each.runs],
        },
        advice="See why the process does not run, or why the others cannot reach it.",
        commands=tuple(commands),
    )


def schema_disagreement(case: Case) -> Iterator[Finding]:
    """Find members that are up with different schema versions, as now read by CQL."""
    limit = case.snapshot.limits.cql
    if not any(each.is_fresh(limit) for each in case.snapshot.observed.facts.values()):
        return  # that nobody can be read is a finding of its own
    versions: dict[str, list[str]] = {}
    for each in case.snapshot.members:
        if each.liveness is Liveness.UP and each.schema:
            versions.setdefault(each.schema, []).append(each.name)
    if len(versions) < 2:  # noqa: PLR2004 -- they differ
        return
    fewest = min(versions.values(), key=len)
    yield Finding(
        kind=Kind.SCHEMA_DISAGREEMENT,
        severity=Severity.WARNING,
        what=f"Members that are up have {len(versions)} schema versions;"
        f" {named(fewest)} {are(len(fewest))} apart",
        evidence={"versions": versions},
        advice="It passes within seconds after a change of the schema. If it stays, make no "
        "further change, and let the few that are apart fetch it anew.",
        commands=(
            case.nodetool(fewest[0], "describecluster"),
            case.nodetool(fewest[0], "resetlocalschema"),
        ),
    )


def clocks_apart(case: Case) -> Iterator[Finding]:
    """Find clocks that differ from the median by more than measuring can."""
    clocks = {
        name: voice.sidecar.clock
        for name, voice in case.snapshot.voices.items()
        if voice.sidecar and voice.sidecar.clock
    }
    if len(clocks) < 2:  # noqa: PLR2004 -- one clock agrees with itself
        return
    middle = median(clock.ahead for clock in clocks.values())
    surely = {name: abs(clock.ahead - middle) - clock.error for name, clock in clocks.items()}
    wrong = [name for name in clocks if surely[name] > CLOCKS_APART]
    if not wrong:
        return
    far = max(surely[name] for name in wrong) > CLOCKS_FAR
    yield Finding(
        kind=Kind.CLOCKS_APART,
        severity=Severity.CRITICAL if far else Severity.WARNING,
        what=f"The clock of {named(wrong)} is off by up to"
        f" {max(abs(clocks[name].ahead - middle) for name in wrong):.1f} s",
        evidence={
            "seconds": {name: round(clocks[name].ahead - middle, 3) for name in wrong},
            "limit": CLOCKS_APART,
        },
        advice="The later timestamp wins, so writes made after others are lost. See that time "
        "is synchronised on these machines.",
        commands=tuple(
            case.kubectl(f"exec {name} -c cassandra -- date -u +%FT%T.%NZ") for name in wrong
        ),
    )


def _members(case: Case, numbers: Indexes) -> Sequence[Member]:
    return [case.snapshot.members[n] for n in numbers.tolist()]


RULES = (
    two_rings,
    network_cut,
    lone_view,
    member_down,
    schema_disagreement,
    clocks_apart,
)
