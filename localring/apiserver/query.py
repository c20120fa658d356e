"""The query of a list or a watch (``meta/v1 ListOptions``): read, and checked as a whole."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec

from localring.apiserver.history import Body, Key
from localring.apiserver.resources import Resource, Target
from localring.apiserver.selectors import Matcher, field_matcher, label_matcher
from localring.apiserver.status import bad_request, invalid


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a collection are meant."""

    resource: Resource
    namespace: str  # "" for all
    by_label: Matcher
    by_field: Matcher
    everything: bool  # whether both selectors are empty

    def covers(self, key: Key, body: Body | None) -> bool:
        """Whether the object belongs to the selection; nothing never does."""
        if body is None or self.namespace not in ("", key[0]):
            return False
        return self.by_label(body) and self.by_field(body)


class Continue(msgspec.Struct, frozen=True):
    """Where the next page begins: opaque to clients."""

    version: int
    after: Key

    def token(self) -> str:
        """Encode it for a URL."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()

    @classmethod
    def read(cls, token: str) -> "Continue":
        """Decode what `token` gave; raise `ApiError` 400."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.json.decode(raw, type=cls)
        except (ValueError, msgspec.DecodeError) as error:
            raise bad_request("the continue token cannot be read") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What the client asked for.

    Attributes:
        version: the resourceVersion asked for; None where unset, 0 for "any".
        exact: the state at just that version, not one at least as new.
        limit: objects a page; 0 for all.
        timeout_seconds: after which a watch ends; None leaves it to the server.

    """

    selection: Selection
    version: int | None
    exact: bool
    limit: int
    resume: Continue | None
    bookmarks: bool
    timeout_seconds: int | None


def is_true(query: Mapping[str, str], name: str) -> bool:
    """Read a flag as Kubernetes does: present means true, but for "false" and "0"."""
    return name in query and query[name].lower() not in ("false", "0")


def list_options(target: Target, query: Mapping[str, str]) -> ListOptions:
    """Read the query of a list or watch; raise `ApiError` 400 or 422."""
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    selection = Selection(
        target.resource,
        target.namespace,
        label_matcher(labels),
        field_matcher(fields, target.resource),
        everything=not (labels or fields),
    )
    _check_match(query)
    version = _number(query, "resourceVersion")
    limit = _number(query, "limit") or 0
    resume = Continue.read(query["continue"]) if query.get("continue") else None
    if resume and version:
        raise bad_request("resourceVersion is not allowed together with continue")
    match = query.get("resourceVersionMatch", "")
    # Without a match, a version together with a limit has always meant just that version.
    exact = match == "Exact" or (not match and bool(version) and limit > 0)
    return ListOptions(
        selection=selection,
        version=version,
        exact=exact,
        limit=limit,
        resume=resume,
        bookmarks=is_true(query, "allowWatchBookmarks"),
        timeout_seconds=_number(query, "timeoutSeconds"),
    )


def _check_match(query: Mapping[str, str]) -> None:
    """Hold resourceVersionMatch to the rules of ValidateListOptions (apimachinery)."""
    if is_true(query, "sendInitialEvents"):
        _refuse("sendInitialEvents", "streaming lists are not enabled")
    match = query.get("resourceVersionMatch", "")
    if not match:
        return
    if is_true(query, "watch"):
        _refuse("resourceVersionMatch", "is forbidden for watch")
    if not query.get("resourceVersion"):
        _refuse("resourceVersionMatch", "is forbidden unless resourceVersion is provided")
    if query.get("continue"):
        _refuse("resourceVersionMatch", "is forbidden when continue is provided")
    if match not in ("Exact", "NotOlderThan"):
        _refuse("resourceVersionMatch", "has to be Exact or NotOlderThan")
    if match == "Exact" and query["resourceVersion"] == "0":
        _refuse("resourceVersionMatch", 'Exact is forbidden for resourceVersion "0"')


def _refuse(field: str, why: str) -> NoReturn:
    raise invalid("ListOptions", "", field, why)


def _number(query: Mapping[str, Any], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise bad_request(f"{name}: {text!r} is no number")
    return int(text)
