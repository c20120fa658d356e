"""Rules about tokens: who owns more than luck explains, and what two members own."""

from collections import Counter
from collections.abc import Iterator

from ring.finding import Case, Finding, Kind, Severity, named


def token_skew(case: Case) -> Iterator[Finding]:
    """Find data centres that are less even than random tokens explain."""
    for keyspace, skews in case.skews.items():
        for each in skews:
            if each.explained:
                continue
            yield Finding(
                kind=Kind.TOKEN_SKEW,
                severity=Severity.WARNING,
                what=f"In {each.dc} the fullest member holds {each.highest:.2f} times the mean"
                f" of {keyspace}, the emptiest {each.lowest:.2f} times",
                evidence={
                    "keyspace": keyspace,
                    "dc": each.dc,
                    "highest": each.highest,
                    "lowest": each.lowest,
                    "highestBand": list(each.highest_band),
                    "lowestBand": list(each.lowest_band),
                },
                advice="Random tokens do not explain it: racks differ in size, or members in "
                "their number of tokens. Add the next member with tokens that `ring tokens` "
                "suggests.",
            )


def token_claimed_twice(case: Case) -> Iterator[Finding]:
    """Find tokens that several members own."""
    claims = case.snapshot.token_claims
    if not claims:
        return
    pairs = Counter(claims.values())
    among = [[case.snapshot.by_host[host].name for host in pair] for pair in pairs]
    yield Finding(
        kind=Kind.TOKEN_CLAIMED_TWICE,
        severity=Severity.CRITICAL,
        what=f"{named([' and '.join(each) for each in among])} own {len(claims)} tokens twice",
        evidence={"tokens": [str(token) for token in sorted(claims)[:5]], "members": among},
        advice="Cassandra gives a token to whoever started last. One of them is an old copy, "
        "or was replaced and is not gone: remove that one.",
        commands=(case.nodetool(case.speaker(), "ring"),),
    )


RULES = (token_skew, token_claimed_twice)
