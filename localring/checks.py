"""What the demo promises, each as a check with its evidence; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from localring.report import FEWEST_SEEDS, Report, missing_from_ring, missing_from_seeds

Reports = Mapping[str, Report | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise and whether it was kept.

    Attributes:
        promise: as a statement.
        kept: whether it is true.
        evidence: what was seen.

    """

    promise: str
    kept: bool
    evidence: str


def check_birth(reports: Reports, samples: Sequence[Reports]) -> list[Check]:
    """Check the ring that pods started at the same time have formed."""
    known = [report for report in reports.values() if report is not None]
    rings = sorted({str(report.ring_id) for report in known})
    hosts = {report.host_id for report in known}
    crowd = most_joining(samples)
    lacking = missing_from_ring(reports)
    seedless = missing_from_seeds(reports)
    others = "the others" if len(reports) <= FEWEST_SEEDS + 1 else "two others or more"
    return [
        Check("one ring, and every node names it", len(rings) == 1, ", ".join(rings)),
        Check(
            "every node has a host ID of its own",
            None not in hosts and len(hosts) == len(reports),
            f"{len(hosts)} for {len(reports)} pods",
        ),
        Check(
            "every node sees all others up", lacking is None, lacking or "asked each of them"
        ),
        Check(
            "nodes joined one after the other",
            len(crowd) <= 1,
            f"at most {len(crowd)} joining in {len(samples)} looks",
        ),
        Check(
            f"every node's gossip has {others} as seeds",
            seedless is None,
            seedless or "as each says itself",
        ),
    ]


def check_move(
    moved: str,
    old: Reports,
    new: Reports,
    old_pids: Mapping[str, int],
    new_pids: Mapping[str, int],
    read_back: bool,  # noqa: FBT001 -- a fact, not a switch
) -> list[Check]:
    """Check the ring after one pod came back under another address."""
    before, after = old[moved], new[moved]
    if before is None or after is None:
        return [Check(f"{moved} came back", kept=False, evidence="its sidecar is silent")]
    others = [name for name in new if name != moved]
    stale = _holding(new, others, before.address)
    ignorant = sorted({*others} - {*_holding(new, others, after.address)})
    unmoved = [name for name in others if old_pids[name] == new_pids[name]]
    return [
        Check(
            "the same host ID under another address",
            before.host_id == after.host_id and before.address != after.address,
            f"{after.host_id}, {before.address} → {after.address}",
        ),
        Check(
            "every other node's gossip has the new address among its seeds",
            not ignorant,
            f"missing in {', '.join(ignorant)}" if ignorant else ", ".join(others),
        ),
        Check(
            "no node's gossip has the old one",
            not stale,
            f"left in {', '.join(stale)}" if stale else "none",
        ),
        Check(
            "nobody was restarted for that",
            unmoved == others,
            "process IDs as before: " + ", ".join(str(new_pids[name]) for name in unmoved),
        ),
        Check(
            "what was written before is read back",
            read_back,
            f"at QUORUM through {after.address}",
        ),
    ]


def most_joining(samples: Iterable[Reports]) -> set[str]:
    """Return the largest set of pods seen joining at the same time."""
    sets = (
        {name for name, report in sample.items() if report and report.mode == "JOINING"}
        for sample in samples
    )
    return max(sets, key=len, default=set())


def _holding(reports: Reports, names: Iterable[str], address: str | None) -> list[str]:
    """Return which of the nodes have this address among their seeds."""
    found = ((name, reports[name]) for name in names)
    return [name for name, report in found if report and address in report.seeds]
