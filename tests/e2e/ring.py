"""A ring in one namespace, as its pods, sidecars and Kubernetes objects show it."""

import io
import json
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

from tests.e2e.journals import SWITCHED_ON, Journals
from tests.e2e.kindcluster import BUILD, KindCluster
from tests.e2e.kubectl import Kubectl
from tests.e2e.waiting import wait_until

SERVICE: Final = "cassandra"
APP: Final = "app=cassandra"
LOG_SECONDS: Final = 30.0
START_SECONDS: Final = 600.0
"""A bound for slow machines; a ring of three takes a minute on two cores."""
RESTRICTED: Final = "pod-security.kubernetes.io/enforce=restricted"
CLUSTER_WIDE: Final = ("cassandra-zones", "cassandra-ring-manager")
"""ClusterRoles and their bindings."""
Fetch = Callable[[str], Any]
Patch = tuple[str, str]
"""What to patch, ``Kind`` or ``Kind/name``, and a patch as kustomize has them."""


@dataclass(frozen=True, slots=True)
class Member:
    """A node that is NORMAL, as its own sidecar tells.

    Attributes:
        started: when its Cassandra container started, RFC 3339.
        restarts: of its Cassandra container.
        seeds: those that gossip uses now.
        sees: host ID → up, of the others.

    """

    pod: str
    pod_uid: str
    address: str
    host_id: str
    ring_id: str
    rack: str
    ready: bool
    started: str
    restarts: int
    seeds: frozenset[str]
    sees: Mapping[str, bool]


class Ring:
    """All pods of the Service in a namespace.

    Attributes:
        journals: of its sidecars, fetched whenever it is found whole.

    """

    def __init__(self, kubectl: Kubectl, fetch: Fetch) -> None:
        """Take kubectl of the namespace, and what reads a path of the API server."""
        self.kubectl = kubectl
        self._fetch = fetch
        self.journals = Journals(kubectl, BUILD / "journals" / kubectl.namespace)

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.kubectl.namespace

    def apply(self, overlay: str, *patches: Patch, components: tuple[str, ...] = ()) -> None:
        """Apply an overlay to the namespace, its StatefulSets made small."""
        with self._kustomization(overlay, patches, components) as folder:
            self.kubectl("apply", "-k", folder)

    def delete(self, overlay: str, *patches: Patch) -> None:
        """Delete what `apply` made with the same words."""
        with self._kustomization(overlay, patches, ()) as folder:
            self.kubectl("delete", "-k", folder, "--wait=true")

    @contextmanager
    def _kustomization(
        self, overlay: str, patches: tuple[Patch, ...], components: tuple[str, ...]
    ) -> Iterator[str]:
        manifests = "../../manifests"
        small = () if overlay == "kind" else ("small",)
        # What belongs to no namespace needs names of its own: there are several rings.
        renamed = (
            (f"{kind}/{name}", _renamed(f"{name}-{self.namespace}"))
            for name in CLUSTER_WIDE
            for kind in ("ClusterRole", "ClusterRoleBinding")
        )
        # Where policies are enforced: the API server's proxy comes from no pod.
        let_in = "- {op: add, path: /spec/ingress/-, value: {ports: [{port: 8079}]}}"
        ours = (
            *renamed,
            ("NetworkPolicy", let_in),
            SWITCHED_ON,
        )
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": [f"{manifests}/overlays/{overlay}"],
            "components": [f"{manifests}/components/{each}" for each in (*small, *components)],
            "patches": [
                {"target": _target(which), "patch": dedent(patch)}
                for which, patch in (*ours, *patches)
            ],
        }
        # kustomize knows relative paths only
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            (Path(folder) / "kustomization.yaml").write_text(json.dumps(content))
            yield folder

    def pods(self) -> dict[str, Any]:
        """Return all pods of the ring by name."""
        listed = self._fetch(f"/api/v1/namespaces/{self.namespace}/pods?labelSelector={APP}")
        return {item["metadata"]["name"]: item for item in listed["items"]}

    def pod(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return one pod."""
        return self._fetch(f"/api/v1/namespaces/{self.namespace}/pods/{name}")

    def sidecar(self, pod: str, path: str) -> Any:  # noqa: ANN401 - JSON
        """Ask a pod's sidecar through the API server."""
        return self._fetch(f"/api/v1/namespaces/{self.namespace}/pods/{pod}:8079/proxy{path}")

    def config(self, name: str) -> dict[str, str]:
        """Return a ConfigMap's data."""
        return dict(self.kubectl.read("configmap", name)["data"])

    def record(self) -> dict[str, str]:
        """Return the ring record."""
        return self.config(f"{SERVICE}-ring")

    def ledger(self) -> dict[str, dict[str, str]]:
        """Return the ledger by pod."""
        items = self.kubectl.read(
            "configmaps", "-l", f"cassandra-k8s-ring.io/service={SERVICE}"
        )
        maps = {item["metadata"]["name"]: item["data"] for item in items["items"]}
        return {
            name.removesuffix("-member"): data
            for name, data in maps.items()
            if name.endswith("-member")
        }

    def member(self, pod: str, item: Any | None = None) -> Member | None:  # noqa: ANN401 - JSON
        """Return a member, None where the pod does not run a node that is NORMAL."""
        item = item or self.pod(pod)
        state = container(item, "cassandra")
        if item["metadata"].get("deletionTimestamp") or "running" not in state.get("state", {}):
            return None
        node = self.sidecar(pod, "/v1/node")
        beat = node["heartbeat"]
        if not beat or beat["ageSeconds"] > 5 or beat["mode"] != "NORMAL":
            return None
        return Member(
            pod=pod,
            pod_uid=item["metadata"]["uid"],
            address=item["status"]["podIP"],
            host_id=beat["hostId"],
            ring_id=node["ringId"],
            rack=beat["rack"],
            ready=bool(state.get("ready")),
            started=state["state"]["running"]["startedAt"],
            restarts=int(state["restartCount"]),
            seeds=frozenset(beat["seeds"] or ()),
            sees={peer["hostId"]: bool(peer["up"]) for peer in beat["peers"] or ()},
        )

    def members(self) -> dict[str, Member]:
        """Return all members by pod."""
        found = {}
        for pod, item in self.pods().items():
            member = self.member(pod, item)
            if member is not None:
                found[pod] = member
        return found

    def incomplete(self, members: Mapping[str, Member], count: int) -> str | None:
        """Say what `count` pods lack of being one whole ring; None if they are."""
        pods = self.pods()
        if len(pods) != count:
            return f"{len(pods)} of {count} pods: {sorted(pods)}"
        if len(members) != count:
            return f"{len(members)} of {count} NORMAL: {sorted(members)}"
        unready = [member.pod for member in members.values() if not member.ready]
        if unready:
            return f"not ready: {unready}"
        hosts = {member.host_id for member in members.values()}
        for member in members.values():
            up = {host for host, alive in member.sees.items() if alive}
            if up != hosts - {member.host_id} or set(member.sees) != up:
                return f"{member.pod} sees {dict(member.sees)}"
        rings = {member.ring_id for member in members.values()}
        if rings != {self.record()["ringId"]}:
            return f"rings {rings}"
        entries = {pod: (each["hostId"], each["state"]) for pod, each in self.ledger().items()}
        wanted = {pod: (member.host_id, "member") for pod, member in members.items()}
        return None if entries == wanted else f"the ledger has {entries}"

    def wait_whole(self, count: int, patience: float = START_SECONDS) -> dict[str, Member]:
        """Wait until `count` pods are one whole ring, and return its members by pod."""
        found: dict[str, Member] = {}

        def missing() -> str | None:
            found.clear()
            found.update(self.members())
            return self.incomplete(found, count)

        wait_until(f"a ring of {count}", missing, patience)
        self.journals.fetch(self.pods())
        return found

    def stale_seeds(self) -> str | None:
        """Say whose gossip does not use just the other pods' addresses; None if nobody's.

        Of three nodes; with more not all are seeds.
        """
        members = self.members()
        if set(members) != set(self.pods()):
            return f"only {sorted(members)} are NORMAL"
        addresses = {member.address for member in members.values()}
        for member in members.values():
            if member.seeds != addresses - {member.address}:
                return f"{member.pod} uses {set(member.seeds)} of {addresses}"
        return None

    @contextmanager
    def log_of_end(self, pod: str) -> Iterator[io.StringIO]:
        """Collect what Cassandra writes until its container ends, which is after the block."""
        kept = io.StringIO()
        command = self.kubectl.command("logs", "-f", "--tail=1", pod, "-c", "cassandra")
        with subprocess.Popen(  # noqa: S603 - words of the tests themselves
            command, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                process.stdout.readline()  # it is attached
                yield kept
                out, _ = process.communicate(timeout=LOG_SECONDS)
                kept.write(out)
            finally:
                process.kill()

    def events(self, reason: str) -> list[tuple[str, str]]:
        """Return when and for which pod something was told, oldest first."""
        items = self.kubectl.read("events")["items"]
        found = [
            (item.get("eventTime") or item["firstTimestamp"], item["involvedObject"]["name"])
            for item in items
            if item["reason"] == reason
        ]
        return sorted(found)


def _renamed(name: str) -> str:
    return f"- {{op: replace, path: /metadata/name, value: {name}}}"


def _target(which: str) -> dict[str, str]:
    kind, _, name = which.partition("/")
    return {"kind": kind, "name": name} if name else {"kind": kind}


def container(pod: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the status of a container of a pod, a native sidecar or an ordinary one."""
    status = pod.get("status", {})
    states = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    return next((each for each in states if each["name"] == name), {})


def kill_container(cluster: KindCluster, pod: Any, name: str) -> None:  # noqa: ANN401 - JSON
    """Kill a container's process from its Kubernetes node, as the kernel would."""
    number = container(pod, name)["containerID"].removeprefix("containerd://")
    node = pod["spec"]["nodeName"]
    cluster.on(node, "ctr", "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", number)


def http_fetch(base: str) -> Fetch:
    """Return what reads a path below `base` as JSON; any status with a JSON body will do."""

    def fetch(path: str) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(f"{base}{path}")  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    return fetch


def make_namespace(kubectl: Kubectl, name: str, *, restricted: bool = True) -> None:
    """Make a namespace, one in which only pods of the ``restricted`` standard may run."""
    kubectl("create", "namespace", name)
    if restricted:
        kubectl("label", "namespace", name, RESTRICTED)


def remove_namespace(kubectl: Kubectl, name: str) -> None:
    """Remove a namespace without waiting for its pods to stop in their own time."""
    within = kubectl.within(name)
    within("delete", "statefulset", "--all", "--cascade=orphan")
    within("delete", "pod", "--all", "--grace-period=1", "--wait=false")
    kubectl("delete", "namespace", name, "--wait=true", patience=180)
    for kind in ("clusterrole", "clusterrolebinding"):
        names = (f"{each}-{name}" for each in CLUSTER_WIDE)
        kubectl("delete", kind, *names, "--ignore-not-found")
