"""What is found about a world."""

from ring.finding import Case, Finding
from ring.findings import findings
from tests.unit.ring.worlds import World


def found(world: World) -> list[Finding]:
    return list(findings(Case(snapshot=world.snapshot())))


def kinds(world: World) -> list[str]:
    return [each.kind for each in found(world)]


def only(world: World, kind: str) -> Finding:
    """Return the one finding of a kind; what comes with it does not matter."""
    (finding,) = [each for each in found(world) if each.kind == kind]
    return finding
