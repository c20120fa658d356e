"""The objects, their versions and the rules of a write, as etcd and the registry keep them.

Every method is synchronous and belongs to the thread of the server's event loop, so that
nothing can come between the check of a precondition and the write.
"""

import copy
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from localring.apiserver.history import Body, Event, History, Key
from localring.apiserver.mergepatch import merged
from localring.apiserver.resources import RESOURCES, Resource
from localring.apiserver.status import (
    ApiError,
    already_exists,
    bad_request,
    conflict,
    internal_error,
    invalid,
    not_found,
)
from localring.apiserver.validation import check

Object = dict[str, Any]

HISTORY_LIMIT = 10_000  # events; a real server's watch cache holds 100 to 100 000 a resource
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, as Kubernetes' own
_SUFFIX_LENGTH = 5
# What only the server sets; a write that says otherwise is silently corrected.
_SERVER_FIELDS = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """All objects of all resources, under one increasing version.

    Stored objects are never changed in place, so that history, lists and watches may share
    them; what the methods return is the caller's own copy.
    """

    def __init__(
        self, *, now: Callable[[], datetime] = _utc_now, history_limit: int = HISTORY_LIMIT
    ) -> None:
        self.history = History(history_limit)
        self._now = now
        self._objects: dict[str, dict[Key, Body]] = {plural: {} for plural in RESOURCES}
        self._listeners: list[Callable[[Event], None]] = []

    @property
    def version(self) -> str:
        """The resourceVersion of the last write, as a list would carry it."""
        return str(self.history.version)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with every event right after its write; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def compact(self) -> None:
        """Forget the history: who resumes from before now gets 410."""
        self.history.compact()

    def has(self, plural: str, name: str, namespace: str = "") -> bool:
        """Tell whether there is such an object."""
        return (namespace, name) in self._objects[plural]

    def get(self, plural: str, name: str, namespace: str = "") -> Object:
        """Read one object; raise `ApiError` 404."""
        return copy.deepcopy(dict(self._held(RESOURCES[plural], (namespace, name))))

    def list(self, plural: str, namespace: str = "") -> list[Object]:
        """Read the objects of one namespace, or of all, in the order of a list response."""
        found = self.snapshot(RESOURCES[plural], self.history.version)
        return [
            copy.deepcopy(dict(body))
            for (held_in, _), body in found.items()
            if namespace in ("", held_in)
        ]

    def snapshot(self, resource: Resource, version: int) -> dict[Key, Body]:
        """Give all objects as of ``version``, ordered by key and shared; raise 410 or 504."""
        state = self.history.rewind(self._objects[resource.plural], resource, version)
        return dict(sorted(state.items()))

    def create(self, plural: str, body: Body, namespace: str = "") -> Object:
        """Add an object; raise `ApiError` 409 (taken), 400 or 422 (not allowed so)."""
        resource = RESOURCES[plural]
        new = self._shaped(resource, body, namespace)
        meta = new["metadata"]
        if meta.get("resourceVersion"):
            raise internal_error("resourceVersion should not be set on objects to be created")
        if not meta.get("name"):
            if not meta.get("generateName"):
                message = "name or generateName is required"
                raise invalid(resource.kind, "", "metadata.name", message)
            suffix = (secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
            meta["name"] = meta["generateName"] + "".join(suffix)
        check(resource, new)
        key = (namespace, meta["name"])
        if key in self._objects[plural]:
            raise already_exists(resource, meta["name"])
        for field in _SERVER_FIELDS:
            meta.pop(field, None)
        meta["uid"] = str(uuid4())
        meta["creationTimestamp"] = _timestamp(self._now())
        return self._commit(resource, key, None, new)

    def replace(self, plural: str, name: str, body: Body, namespace: str = "") -> Object:
        """Write an object whole; its resourceVersion, where it has one, is a precondition.

        Raise `ApiError` 404 (absent), 409 (stale), 400 or 422 (not allowed so). Writing what
        is there already changes nothing and gives no event.
        """
        resource = RESOURCES[plural]
        new = self._shaped(resource, body, namespace)
        meta = new["metadata"]
        if meta.setdefault("name", name) != name:
            raise bad_request(f"the name of the object is not the one in the path, {name!r}")
        old = self._objects[plural].get((namespace, name))
        if old is None:
            if not resource.create_on_put:
                raise not_found(resource, name)
            return self.create(plural, body, namespace)
        held = old["metadata"]
        asked = meta.get("resourceVersion")
        if not asked and resource.version_required:
            message = "must be specified for an update"
            raise invalid(resource.kind, name, "metadata.resourceVersion", message)
        if asked and asked != held["resourceVersion"]:
            raise _modified(resource, name)
        if meta.get("uid", held["uid"]) != held["uid"]:
            raise conflict(resource, name, "the UID is that of another object")
        check(resource, new)
        for field in _SERVER_FIELDS:
            meta.pop(field, None)
            if field in held:
                meta[field] = held[field]
        if new == old:
            return copy.deepcopy(new)
        return self._commit(resource, (namespace, name), old, new)

    def patch(self, plural: str, name: str, patch: Body, namespace: str = "") -> Object:
        """Apply a merge patch; a resourceVersion in it is a precondition; errors: `replace`."""
        return self.replace(
            plural, name, merged(self.get(plural, name, namespace), patch), namespace
        )

    def delete(
        self,
        plural: str,
        name: str,
        namespace: str = "",
        *,
        uid: str | None = None,
        version: str | None = None,
    ) -> Object:
        """Remove an object at once; return its last state; raise `ApiError` 404 or 409.

        The state returned, and told to watches, carries the version of the removal.
        """
        resource = RESOURCES[plural]
        key = (namespace, name)
        old = self._expected(resource, key, uid, version)
        del self._objects[plural][key]
        event = Event(self.history.version + 1, resource, key, old, None)
        self._tell(event)
        return copy.deepcopy(dict(event.gone))

    def mark_deleting(
        self,
        plural: str,
        name: str,
        namespace: str = "",
        *,
        grace_seconds: int = 30,
        uid: str | None = None,
        version: str | None = None,
    ) -> Object:
        """Begin a graceful deletion: set deletionTimestamp, and leave the rest to `delete`.

        Grace can be shortened later, never prolonged. Raise `ApiError` 404 or 409.
        """
        resource = RESOURCES[plural]
        key = (namespace, name)
        old = self._expected(resource, key, uid, version)
        new = copy.deepcopy(dict(old))
        meta = new["metadata"]
        if meta.get("deletionGracePeriodSeconds", grace_seconds + 1) <= grace_seconds:
            return new
        end = self._now() + timedelta(seconds=grace_seconds)
        meta["deletionTimestamp"] = _timestamp(end)
        meta["deletionGracePeriodSeconds"] = grace_seconds
        return self._commit(resource, key, old, new)

    def _held(self, resource: Resource, key: Key) -> Body:
        held = self._objects[resource.plural].get(key)
        if held is None:
            raise not_found(resource, key[1])
        return held

    def _expected(
        self, resource: Resource, key: Key, uid: str | None, version: str | None
    ) -> Body:
        held = self._held(resource, key)
        meta = held["metadata"]
        if uid is not None and uid != meta["uid"]:
            raise conflict(resource, key[1], "the UID in the precondition is another one")
        if version is not None and version != meta["resourceVersion"]:
            raise conflict(resource, key[1], "the version in the precondition is another one")
        return held

    def _commit(self, resource: Resource, key: Key, old: Body | None, new: Object) -> Object:
        version = self.history.version + 1
        new["metadata"]["resourceVersion"] = str(version)
        self._objects[resource.plural][key] = new
        self._tell(Event(version, resource, key, old, new))
        return copy.deepcopy(new)

    def _tell(self, event: Event) -> None:
        self.history.append(event)
        for listener in tuple(self._listeners):
            listener(event)

    @staticmethod
    def _shaped(resource: Resource, body: Body, namespace: str) -> Object:
        """Copy what was sent, with kind, apiVersion and namespace as the path says."""
        if resource.namespaced != bool(namespace):
            raise bad_request(f"{resource.plural}: namespace {namespace!r} does not fit")
        new = copy.deepcopy(dict(body))
        shape = {"apiVersion": resource.api_version, "kind": resource.kind}
        if any(new.get(field, value) != value for field, value in shape.items()):
            raise bad_request(f"the object sent is no {resource.kind} {resource.api_version}")
        new.update(shape)
        meta = new.get("metadata")
        if meta is None:
            new["metadata"] = meta = {}
        if not isinstance(meta, dict):
            raise bad_request("metadata is no object")
        if namespace and meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the object is not the one in the path")
        return new


def _modified(resource: Resource, name: str) -> ApiError:
    return conflict(resource, name, "the object has been modified; read it and try again")


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
