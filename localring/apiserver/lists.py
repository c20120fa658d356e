"""List responses: which version they show, and how they are cut into pages."""

from typing import Any

from localring.apiserver.faults import Caller, Faults, Kind
from localring.apiserver.history import Body
from localring.apiserver.query import Continue, ListOptions
from localring.apiserver.status import too_large_version
from localring.apiserver.store import Store


def list_document(store: Store, options: ListOptions, stale: int | None) -> dict[str, Any]:
    """Answer a list; raise `ApiError` 410 (history gone) or 504 (version not reached).

    ``stale`` is the version that an API server lagging behind would show; it counts only
    where the client allows old data, as on a real server.
    """
    selection = options.selection
    version = version_shown(store, options, stale)
    found = [
        (key, body)
        for key, body in store.snapshot(selection.resource, version).items()
        if selection.covers(key, body)
    ]
    if options.resume is not None:
        found = [(key, body) for key, body in found if key > options.resume.after]
    # The watch cache answers resourceVersion=0 and does not page.
    limit = 0 if options.version == 0 else options.limit
    page = found[:limit] if limit else found
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if len(page) < len(found):
        metadata["continue"] = Continue(version, page[-1][0]).token()
        if selection.everything:
            metadata["remainingItemCount"] = len(found) - len(page)
    return {
        "kind": f"{selection.resource.kind}List",
        "apiVersion": selection.resource.api_version,
        "metadata": metadata,
        "items": [_item(body) for _, body in page],
    }


def version_shown(store: Store, options: ListOptions, stale: int | None) -> int:
    """Say which version a list shows, or a watch without a start begins with."""
    if options.resume is not None:
        return options.resume.version
    asked = options.version
    if options.exact and asked is not None:
        return asked
    if asked is not None and asked > store.history.version:
        raise too_large_version(asked, store.history.version)
    if stale is not None and asked is not None and asked <= stale:
        return stale
    return store.history.version


def stale_version(faults: Faults, caller: Caller) -> int | None:
    """Tell how far behind the caller finds the server, where a fault says so."""
    rule = faults.find(Kind.STALE_LIST, caller)
    return None if rule is None or rule.version is None else int(rule.version)


def _item(body: Body) -> Body:
    """Drop kind and apiVersion: built-in types do not repeat them in the items of a list."""
    return {field: body[field] for field in body if field not in ("kind", "apiVersion")}
