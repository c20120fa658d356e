"""What the seed protocol can decide, as values: an answer, a refusal, or one step to take."""

from dataclasses import dataclass
from enum import StrEnum

from seedprovider.model import Address, Entry, PodName, PodUid, Record, RingId, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator may choose about the protocol.

    Attributes:
        seeds_per_dc: *k*, see `seedprovider.selection.choose`.
        founding_grace: seconds that a blank disk waits for lower ordinals to found.

    """

    seeds_per_dc: int = 3
    founding_grace: float = 60.0


class Rule(StrEnum):
    """Which row of the table in docs/architecture.md decided; a metric label, a docs anchor."""

    MEMBER_CONFIRMED = "member-confirmed"
    MEMBER_COLD_START = "member-cold-start"
    MEMBER_FROM_CACHE = "member-from-cache"
    MEMBER_REMOVED = "member-removed"
    MEMBER_REPLACED = "member-replaced"
    MEMBER_IN_DOUBT = "member-in-doubt"
    MEMBER_CLONED = "member-cloned"
    DISK_LEFT = "disk-left"
    DISK_FOREIGN = "disk-foreign"
    DISK_UNKNOWN = "disk-unknown"
    VOLUME_UNKNOWN = "volume-unknown"
    ADOPTION = "adoption"
    UNMARKED_MEMBER = "unmarked-member"
    UNMARKED_STRANGER = "unmarked-stranger"
    FOUND = "found"
    FOUND_WAIT = "found-wait"
    FOUND_BLOCKED = "found-blocked"
    REBUILD = "rebuild"
    REBUILD_BLOCKED = "rebuild-blocked"
    FOUNDER = "founder"
    FOUNDER_TAKEOVER = "founder-takeover"
    JOIN = "join"
    JOIN_WAIT = "join-wait"
    REPLACE = "replace"
    REPLACE_WAIT = "replace-wait"
    REPLACE_CLOSED = "replace-closed"
    API_AWAY = "api-away"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Use these; never empty.

    Attributes:
        seeds: addresses in pod order.
        ring_id: None during adoption only.
        replace: address of the lost host that the asker takes the place of.

    """

    seeds: tuple[Address, ...]
    ring_id: RingId | None
    rule: Rule
    reason: str
    replace: Address | None = None

    def __post_init__(self) -> None:
        """Hold the one promise that every caller builds on."""
        if not self.seeds:
            raise ValueError("an answer without seeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Not now; `reason` is one line without numbers that change, so that it can be compared."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not this disk, until somebody acts."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """Write the ring record: create where `record.version` is None, else compare-and-swap."""

    record: Record


@dataclass(frozen=True, slots=True)
class WriteEntry:
    """Write a ledger entry: create it where `entry.version` is None, else compare-and-swap."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Take the join turn from the state it was read in, by compare-and-swap."""

    holder: tuple[PodName, PodUid]
    was: Turn


@dataclass(frozen=True, slots=True)
class Promise:
    """Tell every sidecar that asks that the node may be on its way into this ring.

    No write: from then on nobody founds beside it, as if its mark already named the ring.
    """

    ring_id: RingId


Step = WriteRecord | WriteEntry | TakeTurn | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Take `step`, then look at everything anew and decide again.

    One step at a time, so that a crash between any two is a state that the table covers.
    """

    step: Step
    rule: Rule
    reason: str


Answer = Seeds | Withheld | Refused
Decision = Answer | Act
