"""The table of resources that the server holds, and the request paths that name them."""

from dataclasses import dataclass, field

METADATA_FIELDS = frozenset({"metadata.name", "metadata.namespace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object, with the few rules in which kinds differ on a real server.

    Attributes:
        group: API group, "" for the core group.
        plural: the name in paths; the store knows resources by it.
        create_on_put: a PUT to an absent name creates (``AllowCreateOnUpdate``).
        version_required: a PUT has to carry a resourceVersion (``AllowUnconditionalUpdate``
            is false).
        answers_deleted: a DELETE answers with the object and not with a Status
            (``ReturnDeletedObject``).
        graceful: a DELETE marks the object first, and somebody else ends it.
        selectable: what a field selector may name.

    """

    group: str = ""
    version: str = "v1"
    plural: str
    kind: str
    namespaced: bool = True
    create_on_put: bool = False
    version_required: bool = False
    answers_deleted: bool = False
    graceful: bool = False
    selectable: frozenset[str] = field(default=METADATA_FIELDS)

    @property
    def api_version(self) -> str:
        """What objects carry as apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in messages: ``leases.coordination.k8s.io``, plain for the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        """The path below which the resource lives, without a slash at the end."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


RESOURCES = {
    resource.plural: resource
    for resource in (
        Resource(
            plural="pods",
            kind="Pod",
            answers_deleted=True,
            graceful=True,
            selectable=METADATA_FIELDS | {"spec.nodeName", "status.phase", "status.podIP"},
        ),
        Resource(plural="services", kind="Service", create_on_put=True, answers_deleted=True),
        Resource(
            plural="persistentvolumeclaims", kind="PersistentVolumeClaim", answers_deleted=True
        ),
        Resource(plural="configmaps", kind="ConfigMap"),
        Resource(
            plural="events",
            kind="Event",
            create_on_put=True,
            selectable=METADATA_FIELDS
            | {
                "involvedObject.kind",
                "involvedObject.name",
                "involvedObject.namespace",
                "involvedObject.uid",
                "reason",
                "type",
            },
        ),
        Resource(plural="nodes", kind="Node", namespaced=False),
        Resource(group="discovery.k8s.io", plural="endpointslices", kind="EndpointSlice"),
        Resource(
            group="coordination.k8s.io",
            plural="leases",
            kind="Lease",
            create_on_put=True,
            version_required=True,
        ),
        Resource(group="apps", plural="statefulsets", kind="StatefulSet"),
    )
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a collection (no name) or one object."""

    resource: Resource
    namespace: str  # "" for every namespace, and for cluster-scoped resources
    name: str  # "" for the collection

    @property
    def creates(self) -> bool:
        """Whether objects can be posted here: not to "all namespaces"."""
        return not self.name and (bool(self.namespace) or not self.resource.namespaced)


def target_of(path: str) -> Target | None:
    """Read a decoded request path; None where it names nothing that the server holds."""
    match path.split("/")[1:]:
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest] if group:
            pass
        case _:
            return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":  # noqa: PLR2004 - a namespace and more
        namespace, rest = rest[1], rest[2:]
        if not namespace:
            return None
    match rest:
        case [plural]:
            name = ""
        case [plural, name] if name:
            pass
        case _:
            return None
    resource = RESOURCES.get(plural)
    if resource is None or (resource.group, resource.version) != (group, version):
        return None
    if resource.namespaced != bool(namespace) and (name or namespace):
        return None
    return Target(resource, namespace, name)
