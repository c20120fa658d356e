"""Finds the manager that options and environment mean: as kubectl would, or by its own URL."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ring.client.access import Access, access, in_cluster
from ring.client.errors import ConfigError
from ring.client.kubeconfig import chosen, merged
from ring.client.manager import Manager, Place, direct
from ring.output import servers_may_leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the options say; empty where they do not.

    Attributes:
        kubeconfig: path of the one file to read.
        manager: URL of a manager that is asked directly.
        service: the Cassandra Service that the manager looks after.

    """

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    service: str = "cassandra"
    manager: str = ""


def connect(target: Target, environ: Mapping[str, str] = os.environ) -> Manager:
    """Return the manager to ask; nothing has been sent to it yet.

    Raises:
        ConfigError: where options, environment and kubeconfig do not lead to one.

    """
    servers_may_leave()
    kubernetes = target.kubeconfig or target.context
    if url := target.manager or ("" if kubernetes else environ.get("RING_MANAGER", "")):
        return Manager(*direct(url))
    way = _way(target, environ)
    namespace = target.namespace or way.namespace or "default"
    return Manager(way, Place(namespace, target.service), lambda: connect(target, environ))


def _way(target: Target, environ: Mapping[str, str]) -> Access:
    paths = _paths(target, environ)
    there = [path for path in paths if target.kubeconfig or path.exists()]
    if not there:
        way = None if target.context else in_cluster()
        if way is None:
            raise ConfigError(
                f"there is no kubeconfig: {' and '.join(map(str, paths))} not found",
                "name one with --kubeconfig or KUBECONFIG, or a manager by its URL with"
                " --manager or RING_MANAGER",
            )
        return way
    config = merged([(path, _read(path)) for path in there])
    return access(chosen(config, target.context))


def _paths(target: Target, environ: Mapping[str, str]) -> list[Path]:
    if target.kubeconfig:
        return [Path(target.kubeconfig).absolute()]
    if named := [each for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]:
        return [Path(each).absolute() for each in dict.fromkeys(named)]
    return [Path(environ.get("HOME") or Path.home()) / ".kube" / "config"]


def _read(path: Path) -> object:
    try:
        found: object = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    return found
