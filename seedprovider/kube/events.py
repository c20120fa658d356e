"""What a list or a watch can tell us, as types.  Decoding only; nothing here waits.

An object keeps its identity and what the caller's `Decoder` makes of it.  The JSON is scanned
where it lies and dropped, so a slice of 100 endpoints never exists as a dict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from seedprovider.kube.errors import Expired, Malformed

T = TypeVar("T")

GONE: Final = 410

Decoder: TypeAlias = Callable[[bytes], T]
"""Make a value of one object's JSON (any buffer), usually ``msgspec.json.Decoder(X).decode``.

It may raise ValueError, TypeError, LookupError or a msgspec error for an object that it cannot
take; then the whole list or event is `Malformed`, since an object left out would read as one
that was deleted.  It must not keep the buffer.
"""


class Key(NamedTuple):
    """The name of an object within one kind."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Object(Generic[T]):
    """One object of the API server.

    Attributes:
        key: ``metadata.namespace`` (empty for cluster-scoped kinds) and ``metadata.name``.
        uid: ``metadata.uid``; tells an object from a later one of the same name.
        version: ``metadata.resourceVersion``: opaque, to be compared only for equality.
        body: what the caller's `Decoder` made of it.

    """

    key: Key
    uid: str
    version: str
    body: T


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """The whole collection, at one version: replaces what the reader knew."""

    objects: tuple[Object[T], ...]
    version: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The server took up a watch after ``version``: what was missed follows at once."""

    version: str


@dataclass(frozen=True, slots=True)
class Upserted(Generic[T]):
    """An object appeared or changed; ADDED and MODIFIED mean the same to a reader."""

    object: Object[T]

    @property
    def version(self) -> str:
        """Where to resume after this event."""
        return self.object.version


@dataclass(frozen=True, slots=True)
class Removed:
    """An object went away, or no longer matches the selector."""

    key: Key
    uid: str
    version: str


@dataclass(frozen=True, slots=True)
class Bookmarked:
    """Nothing changed, but ``version`` is now a safe place to resume from."""

    version: str


Event: TypeAlias = Opened | Upserted[T] | Removed | Bookmarked
Change: TypeAlias = Listed[T] | Event[T]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``next`` is the ``continue`` token, empty on the last page."""

    objects: tuple[Object[T], ...]
    version: str
    next: str


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    resource_version: str
    namespace: str = ""
    uid: str = ""


class _Head(msgspec.Struct):
    metadata: _Meta


class _Envelope(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Mark(msgspec.Struct, rename="camel"):
    resource_version: str
    continue_: str = msgspec.field(name="continue", default="")


class _MarkHead(msgspec.Struct):
    metadata: _Mark


class _List(msgspec.Struct):
    kind: str
    metadata: _Mark
    items: list[msgspec.Raw]


class Status(msgspec.Struct):
    """What we read of a ``metav1.Status``, the body of every refusal."""

    code: int = 0
    reason: str = ""
    message: str = ""


_head = msgspec.json.Decoder(_Head)
_envelope = msgspec.json.Decoder(_Envelope)
_mark_head = msgspec.json.Decoder(_MarkHead)
_list = msgspec.json.Decoder(_List)
_status = msgspec.json.Decoder(Status)

# RecursionError: msgspec's answer to JSON nested too deep.
_BAD_INPUT: Final = (msgspec.MsgspecError, ValueError, TypeError, LookupError, RecursionError)


def decode_object(raw: bytes, decode: Decoder[T]) -> Object[T]:
    """Return one object, or raise `Malformed`."""
    try:
        meta = _head.decode(raw).metadata
        body = decode(raw)
    except _BAD_INPUT as error:
        raise Malformed(f"not an object we can read: {error}") from error
    _require_version(meta.resource_version)
    return Object(Key(meta.namespace, meta.name), meta.uid, meta.resource_version, body)


def decode_page(raw: bytes, decode: Decoder[T]) -> Page[T]:
    """Return one page of a list, or raise `Malformed`.

    It has to be a list beyond doubt (``kind`` …List, ``items`` and a version): anything else
    taken for an empty list would delete all that we know.
    """
    try:
        page = _list.decode(raw)
    except _BAD_INPUT as error:
        raise Malformed(f"not a list: {error}") from error
    if not page.kind.endswith("List"):
        raise Malformed(f"not a list but a {page.kind!r}")
    _require_version(page.metadata.resource_version)
    objects = tuple(decode_object(item, decode) for item in page.items)
    return Page(objects, page.metadata.resource_version, page.metadata.continue_)


def decode_event(line: bytes, decode: Decoder[T]) -> Event[T]:
    """Return the event on one line of a watch; raise `Expired` for a 410, else `Malformed`."""
    try:
        envelope = _envelope.decode(line)
    except _BAD_INPUT as error:
        raise Malformed(f"not a watch event: {error}") from error
    match envelope.type:
        case "ADDED" | "MODIFIED":
            return Upserted(decode_object(envelope.object, decode))
        case "DELETED":
            gone = decode_object(envelope.object, discard)
            return Removed(gone.key, gone.uid, gone.version)
        case "BOOKMARK":
            return Bookmarked(_decode_bookmark(envelope.object))
        case "ERROR":
            raise _error(envelope.object)
        case other:
            raise Malformed(f"unknown watch event {other!r}")


def decode_status(raw: bytes) -> Status:
    """Return the Status in an answer, an empty one where there is none: it only explains."""
    try:
        return _status.decode(raw)
    except _BAD_INPUT:
        return Status()


def discard(_raw: bytes) -> None:
    """Be the `Decoder` of a caller who needs no more than the object's identity."""


def _decode_bookmark(raw: bytes) -> str:
    try:
        version = _mark_head.decode(raw).metadata.resource_version
    except _BAD_INPUT as error:
        raise Malformed(f"not a bookmark: {error}") from error
    _require_version(version)
    return version


def _error(raw: bytes) -> Expired | Malformed:
    status = decode_status(raw)
    said = status.message or status.reason or "no reason given"
    if status.code == GONE or status.reason in ("Expired", "Gone"):
        return Expired(said, status=GONE)
    return Malformed(f"the watch ended with an error: {said}", status=status.code or None)


def _require_version(version: str) -> None:
    # A watch from "" or "0" starts anywhere: deletions before it would be lost unnoticed.
    if version in ("", "0"):
        raise Malformed("an answer without a resourceVersion")
