"""Rules about what cannot be known now: sources that are silent, refused or old."""

from collections.abc import Iterator

from ring.finding import Case, Finding, Kind, Severity, are, hosts, named
from ring.identity import Voice
from ring.members import names
from ring.reading import UNREAD, Reading
from ring.words import Process, Sidecar

SHOWN = 20  # broken objects of a source that are listed

PLURALS = {
    "pods": "pods",
    "claims": "persistentvolumeclaims",
    "machines": "nodes",
    "statefulSets": "statefulsets",
    "endpoints": "endpointslices",
    "record": "configmaps",
    "ledger": "configmaps",
    "turn": "leases",
}


def kubernetes_stale(case: Case) -> Iterator[Finding]:
    """Find what the API server has not told for too long, or never."""
    limit = case.snapshot.limits.kubernetes
    old = {
        name: {"ageSeconds": reading.age, "why": reading.failure}
        for name, reading in case.snapshot.observed.kubernetes.items()
        if reading.is_stale(limit)
    }
    if not old:
        return
    why = next((each["why"] for each in old.values() if each["why"]), "no answer")
    yield Finding(
        kind=Kind.KUBERNETES_STALE,
        severity=Severity.WARNING,
        what=f"The API server does not tell of {named(list(old))}: {why}",
        evidence={"sources": old, "limitSeconds": limit},
        advice="What is shown of them is old, or missing. See whether the API server answers, "
        "and whether the manager's service account may list them.",
        commands=(case.kubectl("get pods"), case.kubectl("auth can-i --list")),
    )


def object_unreadable(case: Case) -> Iterator[Finding]:
    """Find objects of the API server that make no sense here; all others are known."""
    observed = case.snapshot.observed
    broken = {
        source: dict(reading.broken)
        for source, reading in observed.kubernetes.items()
        if reading.broken
    }
    if not broken:
        return
    texts = [text for several in broken.values() for text in several.values()]
    shown = {name: dict(list(several.items())[:SHOWN]) for name, several in broken.items()}
    yield Finding(
        kind=Kind.OBJECT_UNREADABLE,
        severity=Severity.WARNING,
        what=named(texts),
        evidence={"objects": shown, "count": len(texts)},
        advice="What such an object would tell is unknown; all others are known. Put it right, "
        "or delete it where it is not needed.",
        commands=tuple(case.kubectl(f"get {PLURALS[name]} -o yaml") for name in broken),
    )


def sidecar_silent(case: Case) -> Iterator[Finding]:
    """Find pods that run and whose sidecar does not answer the manager."""
    snapshot = case.snapshot
    pods = snapshot.pods
    there = snapshot.observed.sidecars if pods is None else pods
    silent = {}
    for name in there:
        pod = pods[name] if pods is not None else None
        if pod is not None and (pod.phase != "Running" or pod.terminating):
            continue
        if snapshot.voices.get(name, Voice()).sidecar is None:
            reading = snapshot.observed.sidecars.get(name, UNREAD)
            silent[name] = {"ageSeconds": reading.age, "why": _why(name, reading)}
    if not silent:
        return
    first = next(iter(silent))
    yield Finding(
        kind=Kind.SIDECAR_SILENT,
        severity=Severity.WARNING,
        what=f"The sidecars of {len(silent)} pods are not heard: {named(list(silent))}"
        if len(silent) > 1
        else f"The sidecar of {first} is not heard: {silent[first]['why']}",
        evidence={"pods": silent},
        advice="What their nodes do and see is unknown here; it is not taken for down. See "
        "whether the sidecar runs, and whether the network lets the manager reach port 8079.",
        commands=(case.kubectl(f"logs {first} -c seedprovider --tail=50"),),
    )


def _why(name: str, reading: Reading[Sidecar]) -> str:
    said = reading.value
    if reading.failure or said is None:
        return reading.failure or "it was not asked yet"
    if said.pod != name:
        return f"what is asked as {name} answers as pod {said.pod}"
    return "its last answer is old, or of a pod before"


def node_silent(case: Case) -> Iterator[Finding]:
    """Find nodes whose process is there and that have not spoken to their sidecar for long."""
    silent = {
        name: voice.age
        for name, voice in case.snapshot.voices.items()
        if voice.sidecar
        and voice.sidecar.process is Process.ANSWERING
        and voice.heartbeat is None
    }
    if not silent:
        return
    pods = list(silent)
    yield Finding(
        kind=Kind.NODE_SILENT,
        severity=Severity.WARNING,
        what=f"Cassandra in {named(pods)} listens and says nothing",
        evidence={
            "pods": {
                name: None if age is None else round(age, 1) for name, age in silent.items()
            }
        },
        advice="Its process may be frozen or in a long pause, or its class path lacks the seed "
        "provider. Look at its log.",
        commands=(case.kubectl(f"logs {pods[0]} -c cassandra --tail=50"),),
    )


def cql_unreadable(case: Case) -> Iterator[Finding]:
    """Find contact nodes that cannot be read by CQL; it matters most where all cannot."""
    observed, limit = case.snapshot.observed, case.snapshot.limits.cql
    failing = {
        address: {"ageSeconds": reading.age, "why": reading.failure}
        for address, reading in observed.facts.items()
        if not reading.is_fresh(limit)
    }
    everything = len(failing) == len(observed.facts)
    if not failing and not everything:
        return
    why = next((each["why"] for each in failing.values() if each["why"]), "none was asked")
    yield Finding(
        kind=Kind.CQL_UNREADABLE,
        severity=Severity.WARNING if everything else Severity.INFO,
        what=f"No member can be read by CQL: {why}"
        if everything
        else f"{named(list(failing))} cannot be read by CQL: {why}",
        evidence={"contacts": failing, "all": everything},
        advice="Tokens, schema versions and keyspaces are as last read, or unknown. See that "
        "the manager's user and password are right, and that nodes serve CQL."
        if everything
        else "Others were read instead.",
        commands=(case.nodetool(case.speaker(), "statusbinary"),) if everything else (),
    )


def keyspace_unreadable(case: Case) -> Iterator[Finding]:
    """Find keyspaces whose replication is not known here, so that nothing is said of them."""
    for name, problem in case.snapshot.keyspaces.unreadable:
        yield Finding(
            kind=Kind.KEYSPACE_UNREADABLE,
            severity=Severity.WARNING,
            what=f"The health of {name} is unknown: {problem}",
            evidence={"keyspace": name, "problem": problem},
            advice="Nothing is said of its replicas; the other keyspaces are not affected.",
        )


def place_unknown(case: Case) -> Iterator[Finding]:
    """Find members that ownership and health have to leave out."""
    snapshot = case.snapshot
    if not snapshot.unplaced or not snapshot.ring.keyspaces:
        return  # nothing was read by CQL: a finding of its own
    names_ = names(snapshot.unplaced)
    yield Finding(
        kind=Kind.PLACE_UNKNOWN,
        severity=Severity.WARNING,
        what=f"{named(names_)} {are(len(names_))} left out of ownership and health: data"
        " centre, rack or tokens are not known",
        evidence={"members": hosts(snapshot.unplaced), "names": names_},
        advice="Shares and margins are wrong by what they own. Ask a member for them.",
        commands=(case.nodetool(case.speaker(), "ring"),),
    )


RULES = (
    kubernetes_stale,
    object_unreadable,
    sidecar_silent,
    node_silent,
    cql_unreadable,
    keyspace_unreadable,
    place_unknown,
)
