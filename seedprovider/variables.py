"""How settings are read from environment variables: the fields of a class of settings.

A class of settings is a frozen dataclass whose fields are made by `variable`; `read` makes one
of an environment, which is handed in as a mapping.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, TypeVar

T = TypeVar("T")


class SettingError(ValueError):
    """A variable holds what it must not; the text names it, its value and what is allowed."""


def variable(
    name: str,
    parse: Callable[[str], object],
    what: str,
    default: object = MISSING,
) -> Any:  # noqa: ANN401 -- what dataclasses.field itself returns
    """Make a field that environment variable `name` sets; without `default` it is required.

    `parse` raises ValueError with what is allowed; `what` says what it is for.
    """
    meta = {"variable": name, "parse": parse, "what": what}
    if default is MISSING:
        return field(metadata=meta)
    return field(default=default, metadata=meta)


def names_of(kind: type) -> set[str]:
    """Return the variables that a class of settings reads."""
    return {item.metadata["variable"] for item in fields(kind)}


def read(kind: type[T], env: Mapping[str, str], known: Collection[str]) -> T:
    """Make settings of an environment; raise `SettingError` for the first wrong variable.

    `known` are all variables of the program: the containers of a pod may share one list.
    """
    env = _with_cluster_defaults(env)
    values: dict[str, object] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        name = item.metadata["variable"]
        if name not in env:
            if item.default is MISSING:
                raise SettingError(f"{name} is not set: {item.metadata['what']}")
            continue
        try:
            values[item.name] = item.metadata["parse"](env[name])
        except ValueError as error:
            raise SettingError(f"{name}={env[name]!r}: must be {error}") from None
    for name in sorted(env):
        mistyped = name.startswith("SEEDPROVIDER_") and name not in known
        if mistyped and not _is_service_link(name, env):
            raise SettingError(f"{name} is not a setting; see seedprovider --help")
    return kind(**values)


def _is_service_link(name: str, env: Mapping[str, str]) -> bool:
    """Whether the kubelet set it for a Service that is called seedprovider-something."""
    services = [each.removesuffix("_SERVICE_HOST") for each in env if "_SERVICE_HOST" in each]
    return any(name.startswith((f"{s}_SERVICE_", f"{s}_PORT")) for s in services)


def _with_cluster_defaults(env: Mapping[str, str]) -> Mapping[str, str]:
    host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT", "443")
    if "SEEDPROVIDER_KUBE_URL" in env or not host:
        return env
    bracketed = f"[{host}]" if ":" in host else host
    return {**env, "SEEDPROVIDER_KUBE_URL": f"https://{bracketed}:{port}"}


def describe(kind: type) -> str:
    """List the variables of a class of settings with default and reason, for ``--help``."""
    lines = []
    for item in fields(kind):
        default = "required" if item.default is MISSING else f"default {_shown(item.default)}"
        lines.append(
            f"  {item.metadata['variable']}\n      {item.metadata['what']} ({default})"
        )
    return "\n".join(lines)


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if default is None:
        return "none"
    return f"{default:g}" if isinstance(default, float) else str(default) or "none"
