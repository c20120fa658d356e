"""Where applications may connect: what ConfigMap ``<service>-contact-points`` is to hold."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from ring.judged import Judged
from ring.members import Member
from ring.model import Liveness, Mode

MOST: Final = 12
"""Hosts: drivers need one to find the others; a dozen over all racks will not all be gone."""

HOSTS: Final = "CASSANDRA_CONTACT_POINTS"
PORT: Final = "CASSANDRA_PORT"
DC: Final = "CASSANDRA_LOCAL_DC"


def contact_points(
    judged: Judged, before: Mapping[str, str] | None, port: int
) -> dict[str, str] | None:
    """Return what the ConfigMap is to hold besides what others put there; None: leave it.

    Listed are members of this Service that are up and serve clients; besides, those listed
    before of whom nothing is known now: unknown is not gone.  A list never becomes empty: an
    old address is worth more than none.
    """
    listed = (before or {}).get(HOSTS, "").split(",")
    by_dc: dict[str, list[str]] = {}
    places: Counter[tuple[str, str]] = Counter()
    order: dict[str, tuple[bool, int]] = {}
    for each in judged.snapshot.members:
        if not _serves(each, listed):
            continue
        place = each.dc, each.rack
        order[each.address] = (each.address not in listed, places[place])
        places[place] += 1
        by_dc.setdefault(each.dc, []).append(each.address)
    if not by_dc:
        return None
    was = (before or {}).get(DC, "")
    dc = was if was in by_dc else max(by_dc, key=lambda name: (len(by_dc[name]), name))
    chosen = sorted(by_dc[dc], key=lambda address: order[address])[:MOST]
    data = {HOSTS: ",".join(sorted(chosen, key=_by_number)), PORT: str(port), DC: dc}
    return data if data.items() - (before or {}).items() else None


def _serves(each: Member, listed: list[str]) -> bool:
    if not each.pod or not each.address or each.exists is False or each.mode is Mode.JOINING:
        return False
    if each.liveness is Liveness.UP:
        serves = each.native is True or (each.native is None and each.address in listed)
        return serves and each.vouched
    return each.liveness is Liveness.UNKNOWN and each.address in listed


def _by_number(address: str) -> tuple[int, str]:
    return len(address), address
