"""The writing verbs: bodies read and checked, then handed to the store."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from localring.apiserver import status
from localring.apiserver.resources import Target
from localring.apiserver.store import Store

DEFAULT_GRACE = 30  # seconds, for a pod that names no terminationGracePeriodSeconds
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


def document(body: Mapping[str, Any], code: int = HTTPStatus.OK) -> web.Response:
    """Answer with a JSON document."""
    return web.Response(status=code, body=msgspec.json.encode(body), content_type=JSON)


async def write(store: Store, request: web.Request, target: Target, verb: str) -> web.Response:
    """Carry out one of the writing verbs; raise `ApiError`."""
    match verb:
        case "create" if target.creates:
            return await _create(store, request, target)
        case "update" if target.name:
            return await _replace(store, request, target)
        case "patch" if target.name:
            patch = await _body(request, MERGE_PATCH)
            return document(store.patch(*address(target), patch, target.namespace))
        case "delete" if target.name:
            return await _delete(store, request, target)
        case _:
            raise status.method_not_allowed(request.method)


def address(target: Target) -> tuple[str, str]:
    """Name one object to the store."""
    return target.resource.plural, target.name


async def _create(store: Store, request: web.Request, target: Target) -> web.Response:
    body = await _body(request, JSON)
    created = store.create(target.resource.plural, body, target.namespace)
    return document(created, HTTPStatus.CREATED)


async def _replace(store: Store, request: web.Request, target: Target) -> web.Response:
    body = await _body(request, JSON)
    existed = store.has(*address(target), target.namespace)
    replaced = store.replace(*address(target), body, target.namespace)
    return document(replaced, HTTPStatus.OK if existed else HTTPStatus.CREATED)


async def _delete(store: Store, request: web.Request, target: Target) -> web.Response:
    options = await _body(request, JSON) if request.body_exists else {}
    conditions = options.get("preconditions") or {}
    uid, version = conditions.get("uid"), conditions.get("resourceVersion")
    where = (*address(target), target.namespace)
    if grace := _grace_seconds(store, request, target, options):
        marked = store.mark_deleting(*where, grace_seconds=grace, uid=uid, version=version)
        return document(marked)
    gone = store.delete(*where, uid=uid, version=version)
    if target.resource.answers_deleted:
        return document(gone)
    return document(status.deleted(target.resource, target.name, gone["metadata"]["uid"]))


def _grace_seconds(
    store: Store, request: web.Request, target: Target, options: Mapping[str, Any]
) -> int:
    """Tell how long the object lives on: a pod on a node does, until its kubelet ends it."""
    if not target.resource.graceful:
        return 0
    spec = store.get(*address(target), target.namespace).get("spec") or {}
    if not spec.get("nodeName"):
        return 0
    asked = options.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
    if asked is None:
        asked = spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE)
    try:
        return int(asked)
    except (TypeError, ValueError) as error:
        raise status.bad_request(f"gracePeriodSeconds: {asked!r}") from error


async def _body(request: web.Request, content_type: str) -> dict[str, Any]:
    """Read a JSON object; raise `ApiError` 400, 413 or 415."""
    # A body without a type is taken for JSON, as the content negotiation of a real server does.
    sent = request.content_type if "Content-Type" in request.headers else JSON
    if sent != content_type:
        raise status.unsupported_media_type(sent, content_type)
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise status.too_large_body() from error
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise status.bad_request(f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise status.bad_request("the body is no JSON object")
    return body
