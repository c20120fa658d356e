"""Whom nodes have in their ring: only who is, or was, or turns out to be in it by the model."""

from dataclasses import dataclass, field

from seedprovider.model import Report
from tests.model import state as m
from tests.model import values
from tests.model.course import Course

ARRIVAL_SECONDS = 15.0
"""A host is known to others before its own sidecar has its name: a heartbeat, a slow start."""


@dataclass
class Acquaintance:
    """Hosts that ever were in a ring, and those that somebody has in it and nobody knows yet.

    Attributes:
        strangers: by the pod that has it and the host, since when.
        heard: pods whose sidecars have said anything.

    """

    course: Course
    strangers: dict[tuple[str, int], float] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    _known: set[int] = field(default_factory=set)

    def look(self) -> None:
        """Learn who is in a ring by now, and object to who should have been known long ago."""
        for world in self.course.worlds:
            for pod in world.pods:
                self._known.add(pod.disk.host)
            for _, peers in world.maps:
                self._known.update(peer.host for peer in peers)
        for (pod, host), since in list(self.strangers.items()):
            if host in self._known:
                del self.strangers[pod, host]
            elif self.course.now - since > ARRIVAL_SECONDS:
                del self.strangers[pod, host]
                self._object(pod, host)

    def meet(self, report: Report) -> None:
        """Take whom a node has in its ring."""
        self.heard.add(report.pod)
        beat = report.heartbeat
        if beat is None or beat.mode != values.MODES[m.NORMAL]:
            return
        for peer in beat.peers or ():
            host = self.course.names.hosts[peer.host_id]
            if host not in self._known:
                self.strangers.setdefault((report.pod, host), self.course.now)

    def _object(self, pod: str, host: int) -> None:
        course = self.course
        name = next(name for name, number in course.names.hosts.items() if number == host)
        text = f"{pod} has host {name} in its ring, which no pod of its ring is"
        here = {
            course.names.called(n)
            for world in course.worlds
            for n, each in enumerate(world.pods)
            if each.address >= 0
        }
        if here - self.heard or course.is_short_lived() or not course.complete:
            course.leave_out(f"{text}; one that never told its name, perhaps")
        else:
            course.fail(text)
