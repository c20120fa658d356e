"""The lines of the stage's own diary (`localring.diary`): what was done and what written."""

from dataclasses import dataclass
from typing import Any

import msgspec

from localring.objects import CLAIM, NAME
from seedprovider import objects
from seedprovider.model import PodName, Turn
from seedprovider.node import BadInputError
from tests.model import faults, moves
from tests.model.course import Course
from tests.model.writes import Writes

Json = dict[str, Any]


@dataclass
class StageLines:
    """Takes them."""

    course: Course
    writes: Writes

    def take(self, line: Json) -> None:
        """Take one."""
        course, pod = self.course, line.get("pod", "")
        match line["event"], line.get("container"):
            case "stored", _:
                self._stored(line["resource"], line["name"], line["body"], line["version"])
            case "api", _ if line["accepting"]:
                course.change("the API server is back", moves.api_back)
            case "api", _:
                course.change("the API server is away", faults.api_away)
            case "faults", _:
                course.faulty = float("inf") if line["rules"] else course.now
            case "wiped", _:
                n = course.number(pod)
                course.change(f"{pod}: its disk is emptied", lambda w: faults.emptied(w, n))
                course.track.changed[n] = course.now
                course.track.strange.discard(n)
            case "removed", _:
                host = course.names.hosts[line["host"]]
                course.change(
                    f"nodetool removenode {line['host']}", lambda w: faults.removed(w, host)
                )
            case "filled", _:
                course.track.strange.add(course.number(pod))
            case _:
                self._process(line["event"], pod, line)

    def _process(self, event: str, pod: str, line: Json) -> None:
        course = self.course
        match event, line.get("container"):
            case "ended", "cassandra":
                course.process_ended(pod)
            case "ended", _:
                course.sidecar_ended(pod)
            case "frozen", _:
                course.frozen[pod] = float("inf")
                course.thawed.add(pod)
            case "thawed", _:
                course.frozen[pod] = course.now
            case _:
                course.tell(str({k: v for k, v in line.items() if k != "at"}))

    def _stored(self, resource: str, name: str, body: Json | None, version: str) -> None:
        match resource:
            case "pods":
                self._pod(name, body)
            case "persistentvolumeclaims" if name.startswith(f"{CLAIM}-"):
                uid = body["metadata"]["uid"] if body else None
                self.course.claim_is(name.removeprefix(f"{CLAIM}-"), uid)
            case "services":
                self._service(body or {})
            case "configmaps":
                self._config_map(name, body, version)
            case "leases" if name == objects.turn_name(NAME):
                turn = Turn()
                if body is not None:
                    lease = msgspec.convert(body, objects.Lease)
                    turn = objects.parse_turn(lease, version)
                self.writes.turn_is(turn, self.course.now)

    def _pod(self, pod: str, body: Json | None) -> None:
        course = self.course
        n = course.number(pod)
        if body is None:
            course.pod_gone(pod)
            return
        course.names.uids[n] = body["metadata"]["uid"]
        address = body.get("status", {}).get("podIP")
        if address and any(world.pods[n].address < 0 for world in course.worlds):
            course.pod_there(pod, address)

    def _service(self, body: Json) -> None:
        notes = body.get("metadata", {}).get("annotations") or {}
        paused = objects.parse_pause(notes) is not None
        approved = notes.get(objects.APPROVE_FOUNDING)
        n = self.course.number(approved) if approved else -1
        self.course.change(
            "the Service is written", lambda w: w._replace(paused=paused, approved=n)
        )

    def _config_map(self, name: str, body: Json | None, version: str) -> None:
        data, now = (body or {}).get("data") or {}, self.course.now
        try:
            if name.endswith("-member"):
                pod = PodName(name.removesuffix("-member"))
                entry = objects.parse_entry(data, version) if body else None
                self.writes.entry_is(pod, entry, now)
            elif name == objects.record_name(NAME):
                record = objects.parse_record(data, version) if body else None
                self.writes.record_is(record, now)
        except BadInputError as error:
            self.course.leave_out(f"ConfigMap {name} makes no sense: {error}")
