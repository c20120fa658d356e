"""What an operator can set, from the environment: one frozen value, each field with its reason.

The environment is read in `seedprovider.__main__` alone and handed in here as a mapping.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from seedprovider.view import canonical

MAX_PORT = 65535


class SettingError(ValueError):
    """A variable holds what it must not; the text names it, its value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a listener binds.

    Attributes:
        host: IP literal.
        port: TCP port, 0 for any free one.

    """

    host: str
    port: int


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _address(value: str) -> str:
    address = canonical(value.strip())
    if address is None:
        raise ValueError("an IPv4 or IPv6 address")
    return address


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value):
        raise ValueError("a Kubernetes object name (lower case, digits, '-' and '.')")
    return value


def _pod(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?-[0-9]+", value):
        raise ValueError("the name of a StatefulSet's pod, such as cassandra-0")
    return value


def _claim(value: str) -> str:
    return _name(value) if value else ""


def _digits(value: str) -> int | None:
    """Return a whole number; None for anything `int` would take beyond a few plain digits."""
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


def _port(value: str) -> int:
    number = _digits(value)
    if number is None or not 0 < number <= MAX_PORT:
        raise ValueError(f"a port from 1 to {MAX_PORT}")
    return number


def _listen(value: str) -> Listen:
    host, _, port = value.strip().rpartition(":")
    address, number = canonical(host.removeprefix("[").removesuffix("]")), _digits(port)
    if address is None or number is None or number > MAX_PORT:
        raise ValueError(
            "ADDRESS:PORT with an IP literal, such as 127.0.0.1:8078 or [::1]:8078"
        )
    return Listen(address, number)


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        allowed = f"seconds from {low:g} to {high:g}, such as {max(low, 1):g}"
        try:
            number = float(value)
        except ValueError:
            raise ValueError(allowed) from None
        if not low <= number <= high:
            raise ValueError(allowed)
        return number

    return parse


def _count(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = _digits(value)
        if number is None or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return parse


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
        raise ValueError("an http:// or https:// URL")
    return value.rstrip("/")


def _level(value: str) -> str:
    allowed = ("DEBUG", "INFO", "WARNING", "ERROR")
    if value.upper() not in allowed:
        raise ValueError(f"one of {', '.join(allowed)}")
    return value.upper()


def _path(value: str) -> Path:
    if not value.startswith("/"):
        raise ValueError("an absolute path")
    return Path(value)


def _from(
    variable: str,
    parse: Callable[[str], object],
    what: str,
    default: object = MISSING,
) -> Any:  # noqa: ANN401 -- what dataclasses.field itself returns
    meta = {"variable": variable, "parse": parse, "what": what}
    if default is MISSING:
        return field(metadata=meta)
    return field(default=default, metadata=meta)


_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; see `describe` for the list that ``--help`` prints."""

    pod: str = _from("POD_NAME", _pod, "name of this pod (downward API metadata.name)")
    pod_uid: str = _from("POD_UID", _text, "UID of this pod (metadata.uid)")
    namespace: str = _from("POD_NAMESPACE", _name, "namespace (metadata.namespace)")
    pod_ip: str = _from("POD_IP", _address, "address of this pod (status.podIP)")
    kube_url: str = _from(
        "SEEDPROVIDER_KUBE_URL",
        _url,
        "API server; inside a cluster found from KUBERNETES_SERVICE_HOST and _PORT",
    )
    kube_token_file: Path = _from(
        "SEEDPROVIDER_KUBE_TOKEN_FILE",
        _path,
        "bearer token, read anew for each request since the kubelet replaces it",
        _SERVICE_ACCOUNT / "token",
    )
    kube_ca_file: Path = _from(
        "SEEDPROVIDER_KUBE_CA_FILE",
        _path,
        "certificate authority of the API server; unused with http://",
        _SERVICE_ACCOUNT / "ca.crt",
    )
    service: str = _from(
        "SEEDPROVIDER_SERVICE", _name, "headless Service that names the pods", "cassandra"
    )
    claim: str = _from(
        "SEEDPROVIDER_CLAIM",
        _claim,
        "volume claim template of the StatefulSet; empty where pods have no volume",
        "cassandra-data",
    )
    data_dir: Path = _from(
        "SEEDPROVIDER_DATA_DIR",
        _path,
        "Cassandra's data directory (the one that holds `system`), mounted read-only",
        Path("/var/lib/cassandra/data"),
    )
    state_dir: Path = _from(
        "SEEDPROVIDER_STATE_DIR",
        _path,
        "where the last good answer is kept; it has to outlive a container restart",
        Path("/var/lib/seedprovider"),
    )
    loopback_listen: Listen = _from(
        "SEEDPROVIDER_LOOPBACK_LISTEN",
        _listen,
        "listener for the seed provider inside Cassandra",
        Listen("127.0.0.1", 8078),
    )
    pod_port: int = _from(
        "SEEDPROVIDER_POD_PORT",
        _port,
        "port on the pod network, of this sidecar and of all others",
        8079,
    )
    storage_port: int = _from(
        "SEEDPROVIDER_STORAGE_PORT", _port, "Cassandra's storage_port", 7000
    )
    seeds_per_dc: int = _from(
        "SEEDPROVIDER_SEEDS_PER_DC",
        _count(1, 20),
        "seeds per data centre; Cassandra warns above 20 in all",
        3,
    )
    founding_grace: float = _from(
        "SEEDPROVIDER_FOUNDING_GRACE",
        _seconds(0, 86400),
        "how long a pod with an empty disk waits for lower ordinals to found the ring",
        60.0,
    )
    log_level: str = _from(
        "SEEDPROVIDER_LOG_LEVEL", _level, "DEBUG, INFO, WARNING or ERROR", "INFO"
    )


def read(env: Mapping[str, str]) -> Settings:
    """Make settings of an environment; raise `SettingError` for the first wrong variable."""
    env = _with_cluster_defaults(env)
    values: dict[str, object] = {}
    for item in fields(Settings):
        variable = item.metadata["variable"]
        if variable not in env:
            if item.default is MISSING:
                raise SettingError(f"{variable} is not set: {item.metadata['what']}")
            continue
        try:
            values[item.name] = item.metadata["parse"](env[variable])
        except ValueError as error:
            raise SettingError(f"{variable}={env[variable]!r}: must be {error}") from None
    known = {item.metadata["variable"] for item in fields(Settings)}
    for variable in sorted(env):
        mistyped = variable.startswith("SEEDPROVIDER_") and variable not in known
        if mistyped and not _is_service_link(variable, env):
            raise SettingError(f"{variable} is not a setting; see seedprovider --help")
    return Settings(**values)  # type: ignore[arg-type]


def _is_service_link(variable: str, env: Mapping[str, str]) -> bool:
    """Whether the kubelet set it for a Service that is called seedprovider-something."""
    services = [name.removesuffix("_SERVICE_HOST") for name in env if "_SERVICE_HOST" in name]
    return any(variable.startswith((f"{s}_SERVICE_", f"{s}_PORT")) for s in services)


def _with_cluster_defaults(env: Mapping[str, str]) -> Mapping[str, str]:
    host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT", "443")
    if "SEEDPROVIDER_KUBE_URL" in env or not host:
        return env
    bracketed = f"[{host}]" if ":" in host else host
    return {**env, "SEEDPROVIDER_KUBE_URL": f"https://{bracketed}:{port}"}


def describe() -> str:
    """List every variable with its default and reason, for ``--help``."""
    lines = []
    for item in fields(Settings):
        default = "required" if item.default is MISSING else f"default {_shown(item.default)}"
        lines.append(
            f"  {item.metadata['variable']}\n      {item.metadata['what']} ({default})"
        )
    return "\n".join(lines)


def _shown(default: object) -> str:
    if isinstance(default, Listen):
        return f"{default.host}:{default.port}"
    return f"{default:g}" if isinstance(default, float) else str(default)
