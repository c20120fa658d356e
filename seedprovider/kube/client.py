"""Single objects of the API server: read, create, replace, patch, delete."""

from typing import Any, Final, TypeVar

import msgspec

from seedprovider.kube.errors import Malformed, Unavailable
from seedprovider.kube.events import Decoder, Object, decode_object
from seedprovider.kube.resources import Resource
from seedprovider.kube.transport import Request, Transport

T = TypeVar("T")

MERGE_PATCH: Final = "application/merge-patch+json"


class KubeClient:
    """Verbs on one object each.

    The ``decode`` of a verb makes a value of the answer; `events.discard` drops it.  All raise
    the family in `errors`: `Unavailable` (with ``outcome_unknown`` where a write may have been
    carried out all the same: read again), `Unauthorized`, `Forbidden`, `NotFound`, `Invalid`,
    and where noted `AlreadyExists` or `Conflict`.  Nothing is retried.
    """

    def __init__(self, transport: Transport) -> None:
        """Use ``transport``, which has to be open while verbs run."""
        self._transport = transport

    async def get(
        self, resource: Resource, namespace: str, name: str, decode: Decoder[T]
    ) -> Object[T]:
        """Read one object as it is now: no ``resourceVersion`` asks for the latest."""
        raw = await self._transport.send(Request("GET", resource.path(namespace, name)))
        return decode_object(raw, decode)

    async def create(
        self, resource: Resource, namespace: str, body: object, decode: Decoder[T]
    ) -> Object[T]:
        """Create ``body``, anything msgspec encodes; raise `AlreadyExists` if taken."""
        request = Request("POST", resource.path(namespace), body=msgspec.json.encode(body))
        return await self._write(request, decode)

    async def replace(
        self, resource: Resource, namespace: str, name: str, body: object, decode: Decoder[T]
    ) -> Object[T]:
        """Put ``body`` in place; `Conflict` if the ``resourceVersion`` in it is not current."""
        path = resource.path(namespace, name)
        request = Request("PUT", path, body=msgspec.json.encode(body))
        return await self._write(request, decode)

    async def merge_patch(
        self, resource: Resource, namespace: str, name: str, patch: object, decode: Decoder[T]
    ) -> Object[T]:
        """Apply an RFC 7386 patch; `Conflict` if a ``resourceVersion`` in it is not current."""
        path = resource.path(namespace, name)
        request = Request("PATCH", path, None, msgspec.json.encode(patch), MERGE_PATCH)
        return await self._write(request, decode)

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        version: str | None = None,
    ) -> None:
        """Delete an object; `Conflict` if it no longer is this ``uid`` or ``version``."""
        wanted = {"uid": uid, "resourceVersion": version}
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {key: value for key, value in wanted.items() if value is not None},
        }
        body = msgspec.json.encode(options)
        path = resource.path(namespace, name)
        await self._transport.send(Request("DELETE", path, body=body))

    async def _write(self, request: Request, decode: Decoder[T]) -> Object[T]:
        raw = await self._transport.send(request)
        try:
            return decode_object(raw, decode)
        except Malformed as error:
            # The server said 2xx, so it is done; that we cannot see how is no reason to repeat.
            reason = f"{request}: cannot read the answer: {error.reason}"
            raise Unavailable(reason, outcome_unknown=True) from error
