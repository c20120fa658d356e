"""Holds a view against what was so: the API server did say that, and the others did."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from seedprovider.model import Address, Live, PodName, Report, Turn, View
from tests.model.course import Course
from tests.model.writes import Writes

SLACK = 0.1
"""Seconds by which lines of two processes may be noted in the wrong order."""
KEPT_SECONDS = 60.0
"""Words are heard within seconds; what a thousand lines ago was said nobody asks for."""
ANSWER_SECONDS = 1.7
"""How long after the question a word may have been spoken; see `seedprovider.inquiry`."""


@dataclass
class Hearsay:
    """What each sidecar said of its node, since when; and what is heard of it."""

    course: Course
    writes: Writes
    _said: dict[PodName, list[tuple[float, Report]]] = field(default_factory=dict)

    def say(self, report: Report) -> None:
        """Note what a sidecar says from now on."""
        said = self._said.setdefault(report.pod, [])
        said.append((self.course.now, timeless(report)))
        while len(said) > 1 and said[1][0] < self.course.now - KEPT_SECONDS:
            del said[0]

    def check(self, me: str, looked: float, view: View) -> None:
        """Hold a view that `me` began to look for at `looked`; watches may lag as they like."""
        for pod in (*(each.pod for each in view.endpoints), *view.ledger, *view.reports):
            self.course.number(pod)  # it may keep no journal
        if view.live is not None and not self.course.complete:
            self._learn(view.live)
        since = looked - SLACK if view.live is not None else float("-inf")
        until = self.course.now + SLACK
        checks: dict[Hashable, Any] = {}
        if view.record_known or view.record is not None:
            checks["record"] = view.record
        if view.live is not None:
            missing = {
                key: None
                for key in self.writes.kube.objects
                if isinstance(key, tuple) and key[0] == "entry"
            }
            checks |= missing
            checks["turn"] = view.live.turn if view.live.turn.version else None
        checks |= {("entry", pod): entry for pod, entry in view.ledger.items()}
        for key, value in checks.items():
            self._check_held(me, key, value, (since, until))
        for pod, report in view.reports.items():
            if pod != me:
                self._check_said(me, pod, report)

    def _learn(self, live: Live) -> None:
        """Take from a live read what no diary tells: pods, claims, what an operator wants."""
        course, names = self.course, self.course.names
        for pod, n in list(names.pods.items()):
            if names.uids.get(n) is not None and pod not in live.pods:
                course.pod_gone(pod)
            if names.claims.get(n) is not None:
                course.claim_is(pod, live.volumes.get(PodName(pod)))
        approved = course.number(live.approved_founder) if live.approved_founder else -1
        paused = live.paused is not None
        if any((w.paused, w.approved) != (paused, approved) for w in course.worlds):
            course.change(
                "the Service is another", lambda w: w._replace(paused=paused, approved=approved)
            )

    def _check_held(
        self,
        me: str,
        key: Hashable,
        value: Any,  # noqa: ANN401 -- whatever the object is
        when: tuple[float, float],
    ) -> None:
        if self.writes.kube.of(key).held(value, *when):
            return
        text = f"{me} read {key} as {value}, which it was not then"
        if not self.course.complete:
            if value is None:
                self.course.leave_out(f"{text}: somebody deleted it")
            self._take_over(key, value, when[0])
        elif self.course.is_faulty():
            self.course.leave_out(f"{text}: the API server is made to fail")
        else:
            self.course.fail(text)

    def _take_over(self, key: Hashable, value: Any, since: float) -> None:  # noqa: ANN401
        """Take over what was written and is not in a journal yet, or never will be."""
        match key:
            case "record":
                self.writes.record_is(value, since)
            case "turn":
                self.writes.turn_is(value or Turn(), since)
            case (_, pod):
                self.writes.entry_is(PodName(str(pod)), value, since)

    def _check_said(self, me: str, pod: PodName, report: Report) -> None:
        said = self._said.get(pod)
        if said is None:
            self.course.leave_out(f"{me} heard {pod}, of which there is no journal")
            return
        since, until = report.received - SLACK, report.received + ANSWER_SECONDS
        ends = [at for at, _ in said[1:]] + [float("inf")]
        then = [
            each
            for (at, each), end in zip(said, ends, strict=True)
            if at <= until and end >= since
        ]
        if timeless(report) in then:
            return
        ends = self.course.ends
        if ends and until > ends.get(report.pod_uid, float("-inf")):
            self.course.leave_out(f"{me} heard {pod}, whose journal has ended")
            return
        if self.course.is_frozen(pod) or self.course.is_frozen(me):
            self.course.leave_out(f"{me} heard {pod}, which was frozen")
            return
        self.course.fail(f"{me} heard {timeless(report)} from {pod}, which had said {then}")


def timeless(report: Report) -> Report:
    """Return a report without when and where it was asked for."""
    return replace(report, received=0.0, heartbeat_age=None, address=Address(""))
