"""Where in the API the kinds live that we read or write; paths only, no I/O."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind.

    Attributes:
        prefix: group and version as in the URL, ``/api/v1`` or ``/apis/<group>/<version>``.
        plural: the last part of the kind's URL, as in ``kubectl api-resources``.
        namespaced: false for kinds of the whole cluster; their namespace is empty.

    """

    prefix: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str, name: str | None = None) -> str:
        """Return the URL path of the collection, or of the object ``name`` in it.

        Raises ValueError for a name that could lead to another path.
        """
        scope = ["namespaces", _segment(namespace)] if self.namespaced else []
        parts = [self.prefix, *scope, self.plural]
        return "/".join(parts if name is None else [*parts, _segment(name)])


def _segment(name: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f"{name!r} is not the name of a Kubernetes object")
    return quote(name, safe="")


CONFIG_MAPS: Final = Resource("/api/v1", "configmaps")
NODES: Final = Resource("/api/v1", "nodes", namespaced=False)
EVENTS: Final = Resource("/api/v1", "events")
PERSISTENT_VOLUME_CLAIMS: Final = Resource("/api/v1", "persistentvolumeclaims")
PODS: Final = Resource("/api/v1", "pods")
SERVICES: Final = Resource("/api/v1", "services")
ENDPOINT_SLICES: Final = Resource("/apis/discovery.k8s.io/v1", "endpointslices")
LEASES: Final = Resource("/apis/coordination.k8s.io/v1", "leases")
