"""What the manifests grant, and what was asked of the API server, as rights that compare."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from localring.apiserver.requestlog import Logged
from localring.apiserver.resources import target_of

MANIFESTS = Path(__file__).parents[2] / "manifests"
SIDECAR = MANIFESTS / "base" / "shared" / "access.yaml"
MANAGER = MANIFESTS / "components" / "manager" / "access.yaml"
GRANTS = {"seedprovider": SIDECAR, "seedprovider-install": SIDECAR, "ring-manager": MANAGER}
"""By the program, as its User-Agent begins."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource.

    Attributes:
        name: the one object that a grant is for or a request names; empty for all of them.

    """

    group: str
    resource: str
    verb: str
    name: str = ""

    def covers(self, asked: "Right") -> bool:
        """Say whether a grant of this allows what was asked."""
        alike = (self.group, self.resource, self.verb)
        named = self.name in {"", asked.name}
        return named and alike == (asked.group, asked.resource, asked.verb)


@cache
def granted(file: Path) -> frozenset[Right]:
    """Return the rights of all Roles and ClusterRoles in a manifest, rule by rule."""
    documents = [each for each in yaml.safe_load_all(file.read_text()) if each]
    roles = [each for each in documents if each["kind"] in {"Role", "ClusterRole"}]
    return frozenset(right for role in roles for rule in role["rules"] for right in _of(rule))


def _of(rule: dict[str, Any]) -> Iterator[Right]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                for name in rule.get("resourceNames", [""]):
                    yield Right(group, resource, verb, name)


def asked(requests: Iterable[Logged]) -> Iterator[tuple[str, Right]]:
    """Give each request as a right, with the program that asked; those of people are left out.

    A list or watch of one object by ``metadata.name`` names it, as in RBAC; a create names
    nothing.
    """
    for each in requests:
        program, target = each.client.partition("/")[0], target_of(each.path)
        if program not in GRANTS:
            continue
        if target is None:  # nothing that the emulated server has, so that nobody gets it
            yield program, Right("", each.path, each.verb)
        else:
            field, _, value = each.query.get("fieldSelector", "").partition("=")
            name = target.name or (value if field == "metadata.name" else "")
            yield program, Right(target.resource.group, target.resource.plural, each.verb, name)


def refused(requests: Iterable[Logged]) -> set[tuple[str, Right]]:
    """Return what a real API server would not have allowed."""
    return {
        (program, right)
        for program, right in asked(requests)
        if not any(each.covers(right) for each in granted(GRANTS[program]))
    }


def unused(file: Path, requests: Iterable[Logged]) -> set[Right]:
    """Return the rights of a manifest that no request needed."""
    there = {right for program, right in asked(requests) if GRANTS[program] == file}
    return {each for each in granted(file) if not any(each.covers(right) for right in there)}
