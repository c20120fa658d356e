"""What a real server refuses of objects: names, labels, and the traps of a few kinds.

Not the whole of Kubernetes' validation, only what a client of ours could get wrong without
noticing it against a store that takes everything.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localring.apiserver.resources import Resource
from localring.apiserver.status import bad_request, invalid

Body = Mapping[str, Any]

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SERVICE_NAME = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_QUALIFIED_NAME = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
# MicroTime is parsed with Go's layout 2006-01-02T15:04:05.000000Z07:00: six digits, no fewer.
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_NAME_LIMIT = 253  # DNS-1123 subdomain
_SERVICE_NAME_LIMIT = 63  # DNS-1035 label


def check(resource: Resource, body: Body) -> None:
    """Raise `ApiError` 400 (wrong type) or 422 (wrong value) for what would be refused."""
    meta = body["metadata"]
    _check_name(resource, meta["name"])
    for field in ("labels", "annotations"):
        _check_strings(resource, meta, field)
    for key, value in {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}.items():
        if not _QUALIFIED_NAME.fullmatch(key):
            raise invalid(resource.kind, meta["name"], "metadata", f"{key!r} is no label key")
        if key in (meta.get("labels") or {}) and not _LABEL_VALUE.fullmatch(value):
            field = f"metadata.labels[{key}]"
            raise invalid(resource.kind, meta["name"], field, f"{value!r} is no label value")
    if resource.kind in _BY_KIND:
        _BY_KIND[resource.kind](resource, body)


def _check_name(resource: Resource, name: object) -> None:
    is_service = resource.kind == "Service"
    pattern = _SERVICE_NAME if is_service else _SUBDOMAIN
    limit = _SERVICE_NAME_LIMIT if is_service else _NAME_LIMIT
    if not isinstance(name, str):
        raise bad_request(f"{resource.kind} cannot be read: its name is no text")
    if len(name) > limit or not pattern.fullmatch(name):
        raise invalid(resource.kind, name, "metadata.name", "is no DNS name")


def _check_strings(resource: Resource, part: Body, field: str) -> None:
    values = part.get(field)
    if values is None:
        return
    if not isinstance(values, Mapping) or not all(isinstance(v, str) for v in values.values()):
        raise bad_request(f"{resource.kind} cannot be read: {field} has to map text to text")


def _check_config_map(resource: Resource, body: Body) -> None:
    _check_strings(resource, body, "data")
    for key in body.get("data") or {}:
        if not _CONFIG_KEY.fullmatch(key):
            name = body["metadata"]["name"]
            raise invalid(resource.kind, name, f"data[{key}]", "is no configuration key")


def _check_lease(resource: Resource, body: Body) -> None:
    spec = body.get("spec") or {}
    for field in ("acquireTime", "renewTime"):
        value = spec.get(field)
        if value is not None and not (isinstance(value, str) and _MICRO_TIME.fullmatch(value)):
            raise bad_request(f"Lease cannot be read: spec.{field} {value!r} is no MicroTime")
    for field, least in (("leaseDurationSeconds", 1), ("leaseTransitions", 0)):
        value = spec.get(field)
        if value is None:
            continue
        if not isinstance(value, int):
            raise bad_request(f"Lease cannot be read: spec.{field} {value!r} is no number")
        if value < least:
            name = body["metadata"]["name"]
            raise invalid(resource.kind, name, f"spec.{field}", f"must be at least {least}")


def _check_event(resource: Resource, body: Body) -> None:
    meta = body["metadata"]
    involved = (body.get("involvedObject") or {}).get("namespace") or "default"
    if involved != meta["namespace"]:
        field = "involvedObject.namespace"
        raise invalid(resource.kind, meta["name"], field, "does not match the event's own")


_BY_KIND: Mapping[str, Callable[[Resource, Body], None]] = {
    "ConfigMap": _check_config_map,
    "Lease": _check_lease,
    "Event": _check_event,
}
