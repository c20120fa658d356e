"""Rules about racks: whether they stand for zones, are even, and are enough."""

from collections.abc import Iterator

from ring.finding import USUAL_FACTOR, Case, Finding, Kind, Severity, are, factors, named

EVEN = 1  # members by which racks may differ; more than that no choice of tokens makes even
TWO_RACKS = 2


def rack_not_zone(case: Case) -> Iterator[Finding]:
    """Find members outside of the zone that their rack is named after.

    Where no rack has a zone's name, racks do not stand for zones.
    """
    members = [each for each in case.snapshot.members if each.zone and each.rack]
    racks = {each.rack for each in members}
    zones = {each.zone for each in members}
    if not racks & zones:
        return
    astray = [each for each in members if each.rack != each.zone]
    if not astray:
        return
    yield Finding(
        kind=Kind.RACK_NOT_ZONE,
        severity=Severity.WARNING,
        what=f"{named([each.name for each in astray])} {are(len(astray))} in another zone than"
        " their racks say",
        evidence={
            "pods": {each.name: {"rack": each.rack, "zone": each.zone} for each in astray}
        },
        advice="When a zone is lost, more than one replica of a range may be lost with it. A "
        "disk keeps its rack for ever: bring the pod back to its zone, or replace it there.",
        commands=tuple(
            case.kubectl(f"get pod {each.pod} -o jsonpath={{.spec.nodeName}}")
            for each in astray[:3]
        ),
    )


def uneven_racks(case: Case) -> Iterator[Finding]:
    """Find data centres whose racks differ in members by more than `EVEN`."""
    for dc, racks in case.racks().items():
        most, fewest = max(racks.values()), min(racks.values())
        if most - fewest <= EVEN:
            continue
        small = [rack for rack, count in racks.items() if count == fewest]
        yield Finding(
            kind=Kind.UNEVEN_RACKS,
            severity=Severity.WARNING,
            what=f"Racks of {dc} have from {fewest} to {most} members",
            evidence={"dc": dc, "racks": racks},
            advice="With one replica a rack, each member of a small rack holds more than those "
            f"of a large one. Add members in {named(small)}.",
        )


def two_racks(case: Case) -> Iterator[Finding]:
    """Find data centres of exactly two racks that hold three replicas."""
    racks = case.racks()
    for dc, keyspaces in _by_dc(case).items():
        names = sorted(name for name, factor in keyspaces.items() if factor == USUAL_FACTOR)
        if names and len(racks.get(dc, ())) == TWO_RACKS:
            yield Finding(
                kind=Kind.TWO_RACKS,
                severity=Severity.WARNING,
                what=f"{dc} has two racks and holds three replicas: one rack has two of each",
                evidence={"dc": dc, "racks": racks[dc], "keyspaces": names},
                advice="When the rack with two replicas of a range is lost, so is its quorum; "
                "and Cassandra's token allocation refuses the second node of a rack. Use three "
                "racks, or one.",
            )


def rf_above_racks(case: Case) -> Iterator[Finding]:
    """Find data centres with several racks but fewer than replicas.

    One rack alone is no rack at all, and two with three replicas are a finding of their own.
    """
    racks = case.racks()
    for dc, keyspaces in _by_dc(case).items():
        count = len(racks.get(dc, ()))
        more = {name: factor for name, factor in keyspaces.items() if factor > count}
        if count == TWO_RACKS:
            more = {name: factor for name, factor in more.items() if factor != USUAL_FACTOR}
        if count < TWO_RACKS or not more:
            continue
        yield Finding(
            kind=Kind.RF_ABOVE_RACKS,
            severity=Severity.WARNING,
            what=f"{dc} has {count} racks for up to {max(more.values())} replicas",
            evidence={"dc": dc, "racks": racks[dc], "keyspaces": more},
            advice="Some rack holds several replicas of a range, and Cassandra's token "
            "allocation refuses such a ring's next node. Add racks, or lower the factor.",
        )


def _by_dc(case: Case) -> dict[str, dict[str, int]]:
    """Return factors by data centre and keyspace, of those that name data centres."""
    found: dict[str, dict[str, int]] = {}
    for keyspace in case.snapshot.ring.keyspaces:
        for dc, factor in factors(keyspace.replication).items():
            if dc:
                found.setdefault(dc, {})[keyspace.name] = factor
    return found


RULES = (rack_not_zone, uneven_racks, two_racks, rf_above_racks)
