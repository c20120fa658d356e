"""What Kubernetes' controllers do here: the objects of the stage kept in the emulated server.

Every write is followed by the EndpointSlices that result from it, as if the controller were
infinitely fast, unless they are held up; other slowness is what the server's faults are for.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from localring.apiserver.status import ApiError
from localring.apiserver.store import Store
from localring.objects import (
    NAME,
    NAMESPACE,
    PodIdentity,
    binding,
    claim,
    pod,
    pod_status,
    service,
    stateful_set,
)
from localring.slices import SERVICE_LABEL, reconcile

Object = dict[str, Any]


class Cluster:
    """The objects of one StatefulSet `cassandra` and its Service, written to ``store``."""

    def __init__(self, store: Store, *, endpoints_per_slice: int) -> None:
        self._store = store
        self._most = endpoints_per_slice
        self._holding = False
        self._service = store.create("services", service(), NAMESPACE)
        made = store.create("statefulsets", stateful_set(0), NAMESPACE)
        self._owner = UUID(made["metadata"]["uid"])

    @property
    def pods(self) -> list[Object]:
        """The pods that exist, terminating ones included."""
        return self._store.list("pods", NAMESPACE)

    def scale(self, replicas: int) -> None:
        """Write the wanted number of pods; starting and stopping them is not done here."""
        self._store.patch("statefulsets", NAME, {"spec": {"replicas": replicas}}, NAMESPACE)

    def annotate(self, key: str, value: str | None) -> None:
        """Set an annotation of the Service, as ``kubectl annotate`` does; None removes it."""
        patch = {"metadata": {"annotations": {key: value}}}
        self._store.patch("services", NAME, patch, NAMESPACE)

    def make_claim(self, identity: PodIdentity, *, bound: bool) -> str:
        """Make the pod's claim unless it exists; bind it if wanted; give its UID."""
        plural, name = "persistentvolumeclaims", identity.claim
        with suppress(ApiError):
            if bound:
                return _uid(self._store.patch(plural, name, binding(identity), NAMESPACE))
            return _uid(self._store.get(plural, name, NAMESPACE))
        return _uid(self._store.create(plural, claim(identity, bound=bound), NAMESPACE))

    def delete_claim(self, identity: PodIdentity) -> None:
        """Delete the pod's claim, if there is one."""
        with suppress(ApiError):
            self._store.delete("persistentvolumeclaims", identity.claim, NAMESPACE)

    def create_pod(self, identity: PodIdentity) -> str:
        """Make a pod that has no address yet; give its UID."""
        return _uid(self._store.create("pods", pod(identity, self._owner), NAMESPACE))

    def report_pod(self, identity: PodIdentity, address: IPv4Address, *, ready: bool) -> None:
        """Write a running pod's status."""
        status = {"status": pod_status(address, ready=ready)}
        self._store.patch("pods", identity.name, status, NAMESPACE)
        self._sync_slices()

    def terminate_pod(self, identity: PodIdentity, grace_seconds: int) -> None:
        """Begin the graceful deletion of a pod."""
        self._store.mark_deleting("pods", identity.name, NAMESPACE, grace_seconds=grace_seconds)
        self._sync_slices()

    def delete_pod(self, identity: PodIdentity) -> None:
        """Remove a pod."""
        self._store.delete("pods", identity.name, NAMESPACE)
        self._sync_slices()

    @contextmanager
    def slices_held(self) -> Iterator[None]:
        """Keep the EndpointSlices as they are, as a controller does that is minutes behind."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            self._sync_slices()

    def _sync_slices(self) -> None:
        if self._holding:
            return
        present = [
            piece
            for piece in self._store.list("endpointslices", NAMESPACE)
            if piece["metadata"]["labels"].get(SERVICE_LABEL) == NAME
        ]
        writes = reconcile(self._service, self.pods, present, self._most)
        for body in writes.create:
            self._store.create("endpointslices", body, NAMESPACE)
        for body in writes.update:
            self._store.replace("endpointslices", body["metadata"]["name"], body, NAMESPACE)
        for name in writes.delete:
            self._store.delete("endpointslices", name, NAMESPACE)


def _uid(body: Object) -> str:
    return str(body["metadata"]["uid"])
