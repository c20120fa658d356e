"""Whether the pod may count as ready: the node's own word, and once its peers'.  Pure."""

from seedprovider import evidence
from seedprovider.model import Heartbeat, HostId, PodName, RingId, View

BEAT_SECONDS = 10.0
"""A heartbeat older than this means that nobody knows how the node is."""
PEERS_SECONDS = 60.0
"""How long a node that is NORMAL waits to be seen by its peers before it is ready anyway.

Failure detectors need up to 20 s after a restart; a peer that is cut off must not hold up a
rollout for ever.
"""


def not_ready(beat: Heartbeat | None, beat_age: float | None) -> str | None:
    """Say why the node itself is not ready; None if it is."""
    if beat is None or beat_age is None:
        return "Cassandra has not started"
    if beat_age > BEAT_SECONDS:
        return "Cassandra sends no heartbeat"
    if beat.mode != "NORMAL":
        return f"Cassandra is {beat.mode}"
    if not beat.native:
        return "Cassandra does not serve CQL"
    return None


def unseen_by(view: View, own: PodName, ring: RingId, host: HostId) -> tuple[PodName, ...]:
    """Return the confirmed members that do not see this host up, in pod order."""
    return tuple(
        member.pod
        for member in evidence.confirmed(view, ring)
        if member.pod != own
        and not any(
            peer.host_id == host and peer.up
            for peer in evidence.peers_of(view, member.pod) or ()
        )
    )
