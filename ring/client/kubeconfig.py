"""Kubeconfig files: merged, and read as far as reaching one API server needs.

Pure: texts in, values out.  Source of the rules: client-go's ``clientcmd`` (`LoadingRules`): of
several files the first that names a cluster, user, context or current context wins, and paths
are relative to the file that has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from ring.client.errors import ConfigError

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A cluster, user or context with the folder of the file that it is from."""

    body: Json
    folder: PurePath

    def text(self, key: str) -> str:
        """Return a text; empty where there is none."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"kubeconfig: {key} is not a text")
        return value or ""

    def path(self, key: str) -> str:
        """Return a path, made absolute; empty where there is none."""
        text = self.text(key)
        return str(self.folder / text) if text else ""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """Several files as one."""

    clusters: Mapping[str, Named] = field(default_factory=dict)
    users: Mapping[str, Named] = field(default_factory=dict)
    contexts: Mapping[str, Named] = field(default_factory=dict)
    current: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One context: where, as whom, and the namespace that it names (or empty)."""

    context: str
    cluster: Named
    user: Named
    namespace: str


NOBODY = Named({}, PurePath())


def merged(files: Sequence[tuple[PurePath, object]]) -> Kubeconfig:
    """Put files together; each is its path and its content as decoded YAML.

    Raises:
        ConfigError: where one is no kubeconfig.

    """
    found: dict[str, dict[str, Named]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for path, content in files:
        if content is None:
            continue  # an empty file
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: no kubeconfig: not a mapping")
        for kind, known in found.items():
            for name, body in _entries(path, kind, content.get(kind)):
                known.setdefault(name, Named(body, path.parent))
        named = content.get("current-context")
        current = current or (named if isinstance(named, str) else "")
    return Kubeconfig(found["clusters"], found["users"], found["contexts"], current)


def _entries(path: PurePath, kind: str, entries: object) -> list[tuple[str, Json]]:
    if entries is None:
        return []
    found: list[tuple[str, Json]] = []
    if isinstance(entries, list):
        for entry in entries:
            match entry:
                case {"name": str(name)}:
                    body = entry.get(kind[:-1])
                    found.append((name, body if isinstance(body, dict) else {}))
                case _:
                    raise ConfigError(f"{path}: no kubeconfig: an entry of {kind} has no name")
        return found
    raise ConfigError(f"{path}: no kubeconfig: {kind} is not a list")


def chosen(config: Kubeconfig, context: str = "") -> Chosen:
    """Return a context by name, or the current one.

    Raises:
        ConfigError: where there is none, or it names what is not there.

    """
    name = context or config.current
    names = ", ".join(sorted(config.contexts)) or "none"
    if not name:
        raise ConfigError(
            "the kubeconfig has no current context",
            f"name one with --context (there are: {names})",
        )
    if name not in config.contexts:
        raise ConfigError(f"the kubeconfig has no context {name}", f"there are: {names}")
    found = config.contexts[name]
    cluster, user = found.text("cluster"), found.text("user")
    if cluster not in config.clusters:
        raise ConfigError(
            f"context {name}: the kubeconfig has no cluster {cluster or '(none)'}"
        )
    if user and user not in config.users:
        raise ConfigError(f"context {name}: the kubeconfig has no user {user}")
    if not config.clusters[cluster].text("server"):
        raise ConfigError(f"cluster {cluster}: the kubeconfig names no server")
    return Chosen(
        name, config.clusters[cluster], config.users.get(user, NOBODY), found.text("namespace")
    )
