"""Everything that is to be found about a ring, the worst first."""

from ring.finding import Case, Finding, Rule, Severity
from ring.rules import (
    identity,
    ledger,
    racks,
    replication,
    sight,
    sources,
    tokens,
    upkeep,
)

RULES: tuple[Rule, ...] = (
    *sight.RULES,
    *identity.RULES,
    *ledger.RULES,
    *racks.RULES,
    *replication.RULES,
    *tokens.RULES,
    *upkeep.RULES,
    *sources.RULES,
)
ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def findings(case: Case) -> tuple[Finding, ...]:
    """Apply every rule; of equal severity they stay in the order of the rules."""
    found = [finding for rule in RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda finding: ORDER.index(finding.severity)))
